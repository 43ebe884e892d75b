"""The way fer runs on this machine, and the order in which it is set up."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NoReturn, TextIO

from fer_setup import machine
from fer_setup.distribution import Distribution
from fer_setup.environment import add_defaults, prepend
from fer_setup.stamps import OWNER_STAGE, Stamps
from fer_setup.steps import Runner, SetupError, Step
from fer_setup.wheels import WheelEnvironment
from fer_setup.workspace import Base, Workspace

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


class Installation:
    """A base and the workspace built on it, for one clone."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._state = root / ".fer"
        self._base: Base = (
            Distribution(root) if os.environ.get("ROS_DISTRO") else WheelEnvironment(root)
        )
        self._workspace = Workspace(root, self._base)
        self._stamps = self._read_stamps()
        self.python = self._base.python

    def pending(self, extras: Collection[str] = ()) -> list[Step]:
        """Return what is still to be done."""
        if self._base.provides_fer(self._stamps):
            return []
        steps = self._workspace.pending(self._stamps)
        if steps:
            steps.append(Step("compiling the network", self._compile_kernels))
        return self._base.pending(self._stamps, extras) + steps

    def ensure(self, extras: Collection[str] = (), force: bool = False) -> None:
        """Set up what is missing; of several calls at the same time, one works and others wait."""
        if not (force or self.pending(extras)):
            return
        machine.check_path(self._root)
        # Before, a signal ends this process silently, as there is nothing to be cleaned up.
        old = {number: signal.signal(number, _interrupt) for number in _heeded_signals()}
        with self._locked() as lock:
            self._stamps = self._read_stamps()
            if force:
                self._stamps.clear()
                self._stamps.put(OWNER_STAGE, "")
            if steps := self.pending(extras):
                self._run(steps, lock)
        for number, handler in old.items():
            signal.signal(number, handler)

    def environment(self) -> dict[str, str]:
        """Return the environment of a command."""
        env = self._base.environment(os.environ)
        if not self._base.provides_fer(self._stamps):
            prepend(env, self._workspace.prefixes(self._stamps))
        add_defaults(env)
        return env

    def _read_stamps(self) -> Stamps:
        return Stamps(self._state / "setup.json", self._root)

    def _run(self, steps: list[Step], lock: TextIO) -> None:
        log_path = self._state / "setup.log"
        header = f"setting up in {self._root} (once; details in {log_path})"
        # Commands hold the lock too: if this process is killed, the next one waits for them.
        runner = Runner(log_path, header, [lock.fileno()])
        for number, step in enumerate(steps, 1):
            runner.begin(f"{number}/{len(steps)} {step.title}")
            step.run(runner)
        runner.note(f"set up in {runner.elapsed}")

    def _compile_kernels(self, runner: Runner) -> None:
        """Let the first start of the graph find modules and the network's kernels compiled."""
        env = self.environment()
        runner.run([self.python, "-m", "compileall", "-q", "src"], env, self._root)
        code, _ = runner.run([self.python, "-m", "fer.cli", "warm-up"], env, self._root)
        if code:
            raise SetupError(f"the network's kernels did not compile: see {runner.log_path}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[TextIO]:
        try:
            self._state.mkdir(exist_ok=True)
            lock = (self._state / "setup.lock").open("w")
        except OSError as error:
            if error.errno not in _NOT_WRITABLE:
                raise
            raise SetupError(
                f"{self._root} is not set up for this, and you may not write there: let its owner "
                "run ./fer setup (with --window for the dashboard), or make a clone of your own"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("fer: waiting for another set-up of this clone to end", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _heeded_signals() -> list[signal.Signals]:
    """Return SIGINT and SIGTERM, without those that this process was started to ignore."""
    both = (signal.SIGINT, signal.SIGTERM)
    return [number for number in both if signal.getsignal(number) != signal.SIG_IGN]
