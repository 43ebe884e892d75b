"""The peers: packages that fer itself never needs, in an environment of their own; and Brian2."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fer_common.core.errors import FerError

PEERS = ("brian2", "cython")


class PeerEnvironment:
    """The virtual environment that `make peers` makes of `requirements-bench.txt`.

    Attributes
    ----------
    cache : where peers may keep what they compile.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / ".fer" / "bench"
        self.cache = self._folder / "cache"

    @property
    def python(self) -> Path:
        """Its Python.

        Raises
        ------
        FerError
            if it was not made.
        """
        python = self._folder / "bin" / "python"
        if not python.exists():
            raise FerError("the peers are missing: run `make peers`, or leave them out: --no-peers")
        return python

    def versions(self) -> dict[str, str]:
        """Return the versions of the peers that are compared with."""
        sites = [str(path) for path in self._folder.glob("lib/python3.*/site-packages")]
        found = metadata.distributions(path=sites)
        named = {one.metadata["Name"].lower(): one.version for one in found}
        return {name: named[name] for name in PEERS if name in named}


class Brian2:
    """A network in Brian2, in a process of its own; to be used in a `with` statement.

    Parameters
    ----------
    case : what `brian2_peer` asks for.
    runs : numbers of steps of which a C++ program is made, the only ones that can be simulated
        then, each from the beginning; none to simulate in Python.

    Attributes
    ----------
    spikes : of the input and of the output layer so far.
    loop_us : CPU time of a step in the main loop of the last call alone, microseconds.
    """

    def __init__(
        self, environment: PeerEnvironment, case: Mapping[str, Any], runs: Sequence[int] = ()
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fer-bench-")
        case_file = Path(self._folder.name, "case.npz")
        np.savez(case_file, **case)
        name = "brian2_standalone.py" if runs else "brian2_peer.py"
        program = Path(__file__).with_name(name)
        python = environment.python
        environment.cache.mkdir(exist_ok=True)
        # One thread, as the command has it, and none of the libraries of ROS.
        variables = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
        self._errors = Path(self._folder.name, "errors")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [python, "-I", program, case_file, environment.cache, *map(str, runs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=variables,
                text=True,
            )
        self.spikes = np.zeros(2, dtype=np.int64)
        self.loop_us = 0.0

    def __enter__(self) -> Brian2:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._folder.cleanup()

    def step_us(self, steps: int) -> float:
        """Simulate steps in one call of `run` and return the CPU time of one, microseconds.

        Raises
        ------
        FerError
            if the process ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(steps, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            said = self._errors.read_text(encoding="utf-8", errors="replace")
            raise FerError(f"Brian2 ended: {last_line(said)}")
        answer = json.loads(line)
        self.spikes = np.array(answer["spikes"])
        self.loop_us = float(answer["loop_s"]) / steps * 1e6
        return float(answer["call_s"]) / steps * 1e6


def last_line(text: str) -> str:
    """Return the last line of what a program wrote."""
    return (text.strip() or "it left no message").splitlines()[-1]
