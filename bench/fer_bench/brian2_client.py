"""Talks to the process that runs a network in Brian2."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fer_bench.peers import PeerEnvironment
from fer_common.core.errors import FerError

_PEER = Path(__file__).with_name("brian2_peer.py")


class Brian2:
    """A network in Brian2, in a process of its own; to be used in a `with` statement.

    Parameters
    ----------
    environment : where Brian2 is.
    case : what `brian2_peer` asks for.
    """

    def __init__(self, environment: PeerEnvironment, case: Mapping[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fer-bench-")
        case_file = Path(self._folder.name, "case.npz")
        np.savez(case_file, **case)
        self._errors = Path(self._folder.name, "errors")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [environment.python, "-I", _PEER, case_file, environment.cache],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment.variables(),
                text=True,
            )
        self.spikes = np.zeros(2, dtype=np.int64)
        """Spikes of the input and of the output layer so far."""
        self.loop_us = 0.0
        """CPU time of a step in the main loop of the last call alone, microseconds."""

    def __enter__(self) -> Brian2:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()

    def step_us(self, steps: int) -> float:
        """Make steps in one call of `run` and return the CPU time of one, microseconds.

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
            lines = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise FerError(f"Brian2 ended: {lines[-1] if lines else 'it left no message'}")
        answer = json.loads(line)
        self.spikes = np.array(answer["spikes"])
        self.loop_us = float(answer["loop_s"]) / steps * 1e6
        return float(answer["call_s"]) / steps * 1e6
