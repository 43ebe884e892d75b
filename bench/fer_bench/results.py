"""Results as data: measurements, a JSON file of them, and the comparison of two files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError

TOLERANCE = 0.35
"""A ratio may fall by this share of its committed value: another machine has other caches, and
other programs use part of them."""

SIGNIFICANT_DIGITS = 4

LARGER_IS_BETTER = frozenset({"Hz", "times"})
"""Units of figures whose limit is a lower one."""


@dataclass(frozen=True)
class Peer:
    """The cost of the same work done by a peer.

    Attributes
    ----------
    value : median cost.
    ratio : median over the rounds of its cost over the cost of fer: how many times faster fer is.
    """

    value: float
    ratio: float


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Attributes
    ----------
    part : the benchmark, for example "network".
    name : of what is measured.
    unit : of `value` and of the peers' values.
    peers : the same work by others in the same run, by name.
    figure : which of several figures of the same thing, for example "latency, p99".
    curves : place on the curves of the scaling plots, by the name of the curve.
    limit : that `value` must keep, an upper one unless the unit is in `LARGER_IS_BETTER`.
    """

    part: str
    name: str
    unit: str
    value: float
    peers: Mapping[str, Peer] = field(default_factory=dict)
    figure: str = ""
    curves: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None

    @property
    def what(self) -> str:
        """The name with the figure."""
        return f"{self.name}: {self.figure}" if self.figure else self.name

    @property
    def met(self) -> bool:
        """Whether the value keeps the limit; true without one."""
        if self.limit is None:
            return True
        at_least = self.unit in LARGER_IS_BETTER
        return self.value >= self.limit if at_least else self.value <= self.limit


@dataclass(frozen=True)
class Results:
    """The results of a run; `noise` of the host by part."""

    machine: Mapping[str, str] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    noise: Mapping[str, float] = field(default_factory=dict)

    def replaced(self, newer: Results) -> Results:
        """Return these results, with every part that `newer` has taken from `newer`."""
        parts = {measurement.part for measurement in newer.measurements}
        kept = (m for m in self.measurements if m.part not in parts)
        return Results(newer.machine, (*kept, *newer.measurements), {**self.noise, **newer.noise})


def save(results: Results, path: Path) -> None:
    """Write results as JSON."""
    text = json.dumps(_rounded(asdict(results)), indent=1)
    write_atomically(path, f"{text}\n".encode())


def load(path: Path) -> Results:
    """Read results.

    Raises
    ------
    FerError
        if there is no such file, or it holds no results.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        for measurement in plain["measurements"]:
            peers = measurement["peers"]
            measurement["peers"] = {name: Peer(**peer) for name, peer in peers.items()}
        measurements = tuple(Measurement(**each) for each in plain["measurements"])
        return Results(plain["machine"], measurements, plain["noise"])
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
        raise FerError(f"{reason}: run `make bench` first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FerError(f"{path} holds no results: run `make bench` to write it again") from error


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def regressions(
    committed: Results, new: Results, tolerance: float = TOLERANCE
) -> Sequence[tuple[str, float, float]]:
    """Return (what, committed ratio, new ratio) where a ratio fell by more than `tolerance`.

    Raises
    ------
    FerError
        if the two have no ratio in common, so that nothing was compared.
    """
    before, now = _ratios(committed.measurements), _ratios(new.measurements)
    common = [name for name in now if name in before]
    if not common:
        raise FerError("the committed results have none of these figures: run `make bench` first")
    fallen = [name for name in common if now[name] < before[name] * (1 - tolerance)]
    return [(name, before[name], now[name]) for name in fallen]


def _ratios(measurements: Iterable[Measurement]) -> dict[str, float]:
    return {
        f"{m.part}: {m.what}, against {name}": peer.ratio
        for m in measurements
        for name, peer in m.peers.items()
    }
