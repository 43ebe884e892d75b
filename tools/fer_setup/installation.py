"""The way fer runs on this machine, and the order in which it is set up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from fer_setup import machine
from fer_setup.distribution import Distribution
from fer_setup.environment import SETUP_MARK, add_defaults, prepend
from fer_setup.errors import SetupError
from fer_setup.progress import Progress, Runner
from fer_setup.stamps import OWNER_STAGE, Stamps
from fer_setup.wheels import WheelEnvironment
from fer_setup.workspace import Workspace

KERNELS_S = 20.0


class Base(Protocol):
    """What the workspace is built on: a ROS installation, or ROS from wheels in `.venv`."""

    python: str
    cmake_arguments: list[str]

    def provides_fer(self, stamps: Stamps) -> bool:
        """Tell whether fer is built elsewhere."""

    def build_key(self) -> str:
        """Hash what binaries depend on."""

    def is_fresh(self, stamps: Stamps, tests: bool) -> bool:
        """Tell whether `set_up` has nothing to do."""

    def weight(self, stamps: Stamps, tests: bool) -> float:
        """Return the seconds that `set_up` is expected to take."""

    def set_up(self, stamps: Stamps, tests: bool, runner: Runner, progress: Progress) -> None:
        """Make or check the base."""

    def has_window(self, stamps: Stamps) -> bool:
        """Tell whether `set_up_window` has nothing to do."""

    def window_weight(self, stamps: Stamps) -> float:
        """Return the seconds that `set_up_window` is expected to take."""

    def set_up_window(self, stamps: Stamps, runner: Runner, progress: Progress) -> None:
        """Add what the dashboard's window needs."""

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a command."""

    def build_environment(self) -> dict[str, str]:
        """Return the environment of a step of the set-up."""


class Installation:
    """A base and the workspace built on it, for one clone."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._state = root / ".fer"
        self._base: Base = (
            Distribution(root) if os.environ.get("ROS_DISTRO") else WheelEnvironment(root)
        )
        self._workspace = Workspace(root, self._base.build_key())
        self._stamps = Stamps(self._state / "setup.json")
        self.python = self._base.python

    def ensure(self, tests: bool = False, window: bool = False, force: bool = False) -> None:
        """Set up what is missing; of several calls at the same time, one works and others wait.

        Parameters
        ----------
        tests, window : also what the tests and the dashboard's window need.
        force : from the beginning.
        """
        fresh = self._is_fresh(tests, window)
        if self._base.provides_fer(self._stamps) or (fresh and not force):
            return
        machine.check_path(self._root)
        with self._locked():
            self._stamps = Stamps(self._state / "setup.json")
            if force:
                self._stamps.clear()
                self._stamps.put(OWNER_STAGE, ours=True)
            elif self._is_fresh(tests, window):
                return
            end_orphans(self._root)
            os.environ[SETUP_MARK] = str(self._root)
            self._set_up(tests, window)
            del os.environ[SETUP_MARK]

    def environment(self) -> dict[str, str]:
        """Return the environment of a command."""
        env = self._base.environment(os.environ)
        if not self._base.provides_fer(self._stamps):
            prepend(env, self._workspace.prefixes(self._stamps))
        add_defaults(env, self._state)
        return env

    def _is_fresh(self, tests: bool, window: bool) -> bool:
        base, stamps = self._base, self._stamps
        return (
            base.is_fresh(stamps, tests)
            and self._workspace.is_fresh(stamps)
            and (base.has_window(stamps) or not window)
        )

    def _set_up(self, tests: bool, window: bool) -> None:
        stamps, base, workspace = self._stamps, self._base, self._workspace
        total = base.weight(stamps, tests)
        if not workspace.is_fresh(stamps):
            total += workspace.weight(stamps) + KERNELS_S
        if window:
            total += base.window_weight(stamps)
        log_path = self._state / "setup.log"
        title = f"setting up in {self._root} (once; details in {log_path})"
        progress = Progress(title, total)
        runner = Runner(log_path, progress)
        if not base.is_fresh(stamps, tests):
            base.set_up(stamps, tests, runner, progress)
        if not workspace.is_fresh(stamps):
            workspace.set_up(
                stamps,
                self.python,
                base.build_environment(),
                base.cmake_arguments,
                runner,
                progress,
            )
            self._compile_kernels(runner, progress)
        if window and not base.has_window(stamps):
            base.set_up_window(stamps, runner, progress)
        progress.note(f"set up in {progress.elapsed}")

    def _compile_kernels(self, runner: Runner, progress: Progress) -> None:
        """Let the first start of the graph find modules and the network's kernels compiled."""
        progress.begin("compiling the network", KERNELS_S)
        env = self.environment()
        runner.run([self.python, "-m", "compileall", "-q", "src"], env, self._root)
        code, _ = runner.run([self.python, "-m", "fer.cli", "warm-up"], env, self._root)
        if code:
            raise SetupError(f"the network's kernels did not compile: see {runner.log_path}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._state.mkdir(exist_ok=True)
        with (self._state / "setup.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("fer: waiting for another set-up of this clone to end", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def end_orphans(root: Path) -> None:
    """Kill what a set-up of this clone left running when it was killed itself.

    Called under the lock, so every process with the mark of a set-up is such an orphan.
    """
    mark = f"{SETUP_MARK}={root}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
