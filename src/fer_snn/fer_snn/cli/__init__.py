"""What fer_snn adds to the `fer` command.

Every verb is a module with `HELP`, `add_arguments(parser)` and `run(args)`, which returns the exit
code and raises FerError for what it refuses.
"""

from __future__ import annotations

from types import ModuleType

from fer_snn.cli import ablate, evaluate, train, warm_up, weights

VERBS: dict[str, ModuleType] = {
    "train": train,
    "evaluate": evaluate,
    "weights": weights,
    "ablate": ablate,
    "warm-up": warm_up,
}
