"""The steps of the set-up, with their progress on the terminal and their output in a log file."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

POLL_S = 0.2
PLAIN_INTERVAL_S = 15.0
KILL_AFTER_S = 3.0
TAIL_BYTES = 1000


class SetupError(Exception):
    """A set-up that cannot go on; the message is one line that says what to do."""


class Runner:
    """Runs commands one after the other and shows for how long and which one.

    On a terminal one line is redrawn; elsewhere a line is written every 15 s.

    Parameters
    ----------
    inherited : files that commands keep open.
    """

    def __init__(self, log_path: Path, header: str, inherited: Sequence[int] = ()) -> None:
        self._inherited = inherited
        self.log_path = log_path
        self._header = header
        self._stream = sys.stderr
        self._live = self._stream.isatty()
        self._start_s = self._shown_s = time.monotonic()
        self._title = ""
        log_path.parent.mkdir(exist_ok=True)
        log_path.write_text("", encoding="utf-8")

    @property
    def elapsed(self) -> str:
        """The time since the start as minutes:seconds."""
        seconds = int(time.monotonic() - self._start_s)
        return f"{seconds // 60}:{seconds % 60:02}"

    def begin(self, title: str) -> None:
        """Start a step, which is shown when it runs its first command: not if it is refused."""
        self._title, self._shown_s = title, -math.inf

    def note(self, message: str) -> None:
        """Write a line that stays."""
        self._write(f"fer: {message}", end="\n")

    def run(
        self, command: Sequence[str | os.PathLike[str]], env: Mapping[str, str], cwd: Path
    ) -> tuple[int, str]:
        """Run a command and return its exit code and output.

        The command gets a process group of its own, ended as a whole when the set-up is
        interrupted.
        """
        if self._header:
            self.note(self._header)
            self._header = ""
        if math.isinf(self._shown_s):
            self._show()
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
                    pass_fds=self._inherited,
                )
            except OSError as error:
                raise SetupError(f"cannot run {command[0]}: {error.strerror}") from error
        try:
            while process.poll() is None:
                self._follow(start)
        except BaseException:
            end_group(process)
            raise
        with self.log_path.open("rb") as log:
            log.seek(start)
            return process.returncode, log.read().decode(errors="replace")

    def _follow(self, start: int) -> None:
        """Show the last line of the log from time to time."""
        time.sleep(POLL_S)
        if self._live or time.monotonic() - self._shown_s > PLAIN_INTERVAL_S:
            with self.log_path.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(start, end - TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
            self._show(next((line.strip() for line in reversed(lines[:-1]) if line.strip()), ""))

    def _show(self, detail: str = "") -> None:
        self._shown_s = time.monotonic()
        text = f"fer: [{self.elapsed:>5}] {self._title}" + (f": {detail}" if detail else "")
        width = shutil.get_terminal_size().columns - 1
        self._write(text[:width], end="" if self._live else "\n")

    def _write(self, text: str, end: str) -> None:
        self._stream.write(("\r\x1b[K" if self._live else "") + text + end)
        self._stream.flush()


class Step(NamedTuple):
    """Something that is still to be done."""

    title: str
    run: Callable[[Runner], None]


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: ask, then kill."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=KILL_AFTER_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
