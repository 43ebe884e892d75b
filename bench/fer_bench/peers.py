"""The environment of the peers: packages that fer itself never needs, apart from its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from functools import cached_property
from importlib import metadata
from pathlib import Path

from fer_common.core.errors import FerError

REQUIREMENTS = "requirements-bench.txt"
PEERS = ("brian2", "cython")
_STAMP = "requirements.sha256"
_KEPT_VARIABLES = (
    "PATH", "HOME", "TMPDIR", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


class PeerEnvironment:
    """A virtual environment with `requirements-bench.txt`, made when it is first asked for.

    Parameters
    ----------
    root : of the repository.
    """

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
        stamp = self._folder / _STAMP
        key = hashlib.sha256(self._requirements.read_bytes() + sys.version.encode()).hexdigest()
        if not (stamp.is_file() and stamp.read_text(encoding="ascii") == key and python.exists()):
            print("bench: setting up the peers (once)", file=sys.stderr)
            venv.create(self._folder, clear=True, with_pip=True)
            self._install(python)
            stamp.write_text(key, encoding="ascii")
        return python

    @property
    def profiler(self) -> Path:
        """The sampling profiler py-spy."""
        return self.python.with_name("py-spy")

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

    def _install(self, python: Path) -> None:
        command = [str(python), "-m", "pip", "install", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--quiet", "-r", str(self._requirements)],
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise FerError(
                f"{self._requirements.name} cannot be installed ({reason}): "
                "check the network, or leave the peers out with --no-peers"
            )
