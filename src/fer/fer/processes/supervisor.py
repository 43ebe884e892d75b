"""Starts processes together, restarts those that die, and ends them together."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer.processes import guard
from fer_common.core.process import blocked_signals

#: Exit code of a process that refuses its settings.
EXIT_CONFIGURATION = 2
#: Wait before the restart of a process. It doubles up to the maximum, and is reset for a process
#: that stayed up for `STABLE_S`.
FIRST_WAIT_S = 0.2
MAX_WAIT_S = 2.0
STABLE_S = 10.0
_POLL_S = 0.02
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LINES_KEPT = 20

#: Takes the name of a process and a line that it wrote.
OnLine = Callable[[str, str], None]


@dataclass(frozen=True)
class Program:
    """What to run.

    Attributes
    ----------
    name : shown to the user.
    command : the program and its arguments.
    restart : whether to start it again when it dies; otherwise its end is the end of all.
    holds_signals : whether it is started with SIGINT and SIGTERM blocked and unblocks them itself.
        A Python program that is still importing would answer them with a traceback.
    optional : whether its end changes nothing, whatever its exit code is.
    environment : variables in addition to those of the supervisor.
    """

    name: str
    command: tuple[str, ...]
    restart: bool = True
    holds_signals: bool = False
    optional: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The process because of which the others cannot go on.

    Attributes
    ----------
    name : of the process.
    exit_code : its exit code, negative for a signal.
    lines : the last lines that it wrote.
    """

    name: str
    exit_code: int
    lines: tuple[str, ...]

    @property
    def is_configuration(self) -> bool:
        """Whether the process refused its settings."""
        return self.exit_code == EXIT_CONFIGURATION


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    reader: threading.Thread | None = None
    started_s: float = 0.0
    wait_s: float = FIRST_WAIT_S
    due_s: float = 0.0
    restarts: int = 0
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))


class Supervisor:
    """Runs programs, each in a session of its own so that Ctrl-C in the terminal reaches only us.

    All methods are to be called from one thread, which must live as long as the processes: the
    kernel takes the end of that thread for the death of their parent.

    Parameters
    ----------
    programs : what to run.
    on_line : called in other threads with each line that a process writes, and each restart.
    environment : environment of every process, by default ours.
    before_start : called before the first start and before each restart.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        on_line: OnLine,
        environment: Mapping[str, str] | None = None,
        before_start: Callable[[], object] = lambda: None,
    ) -> None:
        self._children = {program.name: _Child(program) for program in programs}
        self._on_line = on_line
        self._before_start = before_start
        self._environment = dict(os.environ if environment is None else environment)

    def start(self) -> None:
        """Start every program."""
        self._before_start()
        for child in self._children.values():
            self._start(child)

    def poll(self) -> Failure | None:
        """Restart processes that died; to be called often.

        Returns
        -------
        The first failure that ends everything: a program that refuses its settings at its first
        start, or the end of a program that is not to be restarted.
        """
        now_s = time.monotonic()
        for child in self._children.values():
            if child.process is not None:
                if child.process.poll() is not None and (failure := self._died(child, now_s)):
                    return failure
            elif now_s >= child.due_s:
                child.restarts += 1
                self._before_start()
                self._start(child)
        return None

    def pids(self) -> dict[str, int]:
        """Process id of every program that runs."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None
        }

    def restarts(self) -> dict[str, int]:
        """Return the number of restarts of every program."""
        return {name: child.restarts for name, child in self._children.items()}

    def stop(
        self, within_s: float = 2.5, interrupted: Callable[[], bool] = lambda: False
    ) -> list[str]:
        """End every process: SIGTERM, then SIGKILL for what still runs after `within_s`.

        Parameters
        ----------
        interrupted : called meanwhile; when it returns true, processes are killed at once.

        Returns
        -------
        Names of the programs that had to be killed.
        """
        running = [child for child in self._children.values() if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.send_signal(signal.SIGTERM)
        deadline_s = time.monotonic() + within_s
        while (
            any(_alive(child) for child in running)
            and time.monotonic() < deadline_s
            and not interrupted()
        ):
            time.sleep(_POLL_S)
        killed = [child.program.name for child in running if _alive(child)]
        for child in running:
            # The whole group, so that nothing that a program has started stays.
            assert child.process is not None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            self._reap(child)
        return killed

    def _start(self, child: _Child) -> None:
        program = child.program
        guarded = (sys.executable, "-I", "-S", str(Path(guard.__file__)), str(os.getpid()))
        with blocked_signals(_STOP_SIGNALS if program.holds_signals else ()):
            child.process = subprocess.Popen(
                guarded + program.command,
                env={**self._environment, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child.started_s = time.monotonic()
        child.reader = threading.Thread(
            target=self._relay, args=(child, child.process), daemon=True
        )
        child.reader.start()

    def _relay(self, child: _Child, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line:
                child.lines.append(line)
                self._on_line(child.program.name, line)

    def _died(self, child: _Child, now_s: float) -> Failure | None:
        exit_code = self._reap(child)
        if child.program.optional:
            child.due_s = math.inf
            if exit_code != 0:
                self._on_line(child.program.name, f"{describe_exit(exit_code)}; the rest goes on")
            return None
        refused = exit_code == EXIT_CONFIGURATION and child.restarts == 0
        if refused or not child.program.restart:
            return Failure(child.program.name, exit_code, tuple(child.lines))
        if now_s - child.started_s >= STABLE_S:
            child.wait_s = FIRST_WAIT_S
        child.due_s = now_s + child.wait_s
        self._on_line(
            child.program.name, f"{describe_exit(exit_code)}; restart in {child.wait_s:g} s"
        )
        child.wait_s = min(2 * child.wait_s, MAX_WAIT_S)
        return None

    def _reap(self, child: _Child) -> int:
        assert child.process is not None and child.reader is not None
        exit_code = child.process.wait()
        # Its last lines often hold the reason. A process that it left behind could keep the pipe
        # open for ever.
        child.reader.join(timeout=0.5)
        child.process = None
        return exit_code


def describe_exit(exit_code: int) -> str:
    """Return in words how a process ended."""
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


def _alive(child: _Child) -> bool:
    return child.process is not None and child.process.poll() is None
