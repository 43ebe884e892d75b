"""Progress on the terminal, and steps that run with their output in a log file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from fer_setup.errors import SetupError

POLL_S = 0.2
PLAIN_INTERVAL_S = 15.0
KILL_AFTER_S = 3.0

Measure = Callable[[str], float]
"""Maps the output of a step so far to the fraction of it that is done."""


class Progress:
    """Shows percent, elapsed time and the phase: one live line on a terminal, else a few lines."""

    def __init__(self, title: str, total_weight: float, stream: TextIO = sys.stderr) -> None:
        self._title = title
        self._total = total_weight
        self._stream = stream
        self._live = stream.isatty()
        self._start_s = time.monotonic()
        self._done = 0.0
        self._weight = 0.0
        self._phase = ""
        self._fraction = 0.0
        self._shown_s = 0.0

    @property
    def elapsed(self) -> str:
        """The time since the start as minutes:seconds."""
        seconds = int(time.monotonic() - self._start_s)
        return f"{seconds // 60}:{seconds % 60:02}"

    def begin(self, phase: str, weight: float) -> None:
        """Start a phase; `weight` is the seconds it is expected to take."""
        if not self._phase:
            self.note(self._title)
        self._done += self._weight
        self._phase, self._weight = phase, weight
        self._fraction = 0.0
        self._show()

    def advance(self, fraction: float) -> None:
        """Show how much of the phase is done, often on a terminal, seldom in a log."""
        self._fraction = max(self._fraction, min(fraction, 1.0))
        if self._live or time.monotonic() - self._shown_s > PLAIN_INTERVAL_S:
            self._show()

    def note(self, message: str) -> None:
        """Write a line that stays, in place of the live one."""
        self._write(f"fer: {message}", end="\n")

    def _show(self) -> None:
        done = self._done + self._weight * self._fraction
        percent = int(100 * min(done / self._total, 0.99))
        self._shown_s = time.monotonic()
        end = "" if self._live else "\n"
        self._write(f"fer: [{percent:3} % {self.elapsed:>5}] {self._phase}", end)

    def _write(self, text: str, end: str) -> None:
        self._stream.write(("\r\x1b[K" if self._live else "") + text + end)
        self._stream.flush()


class Runner:
    """Runs the steps of the set-up one after the other, their output in one log file."""

    def __init__(self, log_path: Path, progress: Progress) -> None:
        self.log_path = log_path
        self._progress = progress
        log_path.parent.mkdir(exist_ok=True)
        log_path.write_text("", encoding="utf-8")

    def run(
        self,
        command: Sequence[str | os.PathLike[str]],
        env: Mapping[str, str],
        cwd: Path,
        measure: Measure | None = None,
    ) -> tuple[int, str]:
        """Run a command and return its exit code and output.

        The command gets a process group of its own, ended as a whole when the set-up is
        interrupted.
        """
        with self.log_path.open("ab") as log:
            log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            start = log.tell()
            try:
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise SetupError(f"cannot run {command[0]}: {error.strerror}") from error
            try:
                self._follow(process, start, measure)
            except BaseException:
                end_group(process)
                raise
        return process.returncode, self._output_since(start)

    def _follow(
        self, process: subprocess.Popen[bytes], start: int, measure: Measure | None
    ) -> None:
        while True:
            try:
                process.wait(timeout=POLL_S)
                return
            except subprocess.TimeoutExpired:
                fraction = measure(self._output_since(start)) if measure else 0.0
                self._progress.advance(fraction)

    def _output_since(self, start: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: ask, then kill."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=KILL_AFTER_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
