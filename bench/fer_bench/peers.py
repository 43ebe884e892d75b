"""The peers: packages that fer itself never needs, in an environment of their own; and Brian2."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from fer_common.core.errors import FerError

REQUIREMENTS = "requirements-bench.txt"
PEERS = ("brian2", "cython")
_KEPT_VARIABLES = (
    "PATH", "HOME", "TMPDIR", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


class PeerEnvironment:
    """A virtual environment with `requirements-bench.txt`, made when it is first asked for."""

    def __init__(self, root: Path) -> None:
        self._requirements = root / REQUIREMENTS
        self._folder = root / ".fer" / "bench"

    @cached_property
    def python(self) -> Path:
        """Its Python.

        Raises
        ------
        FerError
            if it cannot be made.
        """
        python = self._folder / "bin" / "python"
        stamp = self._folder / "requirements.sha256"
        key = hashlib.sha256(self._requirements.read_bytes() + sys.version.encode()).hexdigest()
        if not (stamp.is_file() and stamp.read_text(encoding="ascii") == key and python.exists()):
            print("bench: setting up the peers (once)", file=sys.stderr)
            venv.create(self._folder, clear=True, with_pip=True)
            pip = [str(python), "-m", "pip", "install", "--no-deps", "--quiet"]
            done = subprocess.run(
                [*pip, "--disable-pip-version-check", "-r", str(self._requirements)],
                env=self.variables(),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise FerError(
                    f"{REQUIREMENTS} cannot be installed ({last_line(done.stderr)}): "
                    "check the network, or leave the peers out with --no-peers"
                )
            stamp.write_text(key, encoding="ascii")
        return python

    @property
    def cache(self) -> Path:
        """Where peers may keep what they compile."""
        return self._folder / "cache"

    def versions(self) -> dict[str, str]:
        """Return the versions of the peers that are compared with."""
        sites = [str(path) for path in self._folder.glob("lib/python3.*/site-packages")]
        found = metadata.distributions(path=sites)
        named = {one.metadata["Name"].lower(): one.version for one in found}
        return {name: named[name] for name in PEERS if name in named}

    def variables(self) -> dict[str, str]:
        """Return the variables of a process of this environment: one thread, nothing of ROS."""
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


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
        # First, because it may make the environment anew.
        python = environment.python
        environment.cache.mkdir(exist_ok=True)
        self._errors = Path(self._folder.name, "errors")
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [python, "-I", program, case_file, environment.cache, *map(str, runs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment.variables(),
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
