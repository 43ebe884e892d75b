"""What `fer up` shows: the log lines of the nodes, and one status line."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fer.bringup.graph import NODES

if TYPE_CHECKING:
    from fer.client.run_monitor import RunStatus

#: Period of the status line on a terminal, and elsewhere.
LIVE_PERIOD_S = 0.2
PLAIN_PERIOD_S = 5.0
#: Distinguishable with every common kind of colour blindness.
_COLOURS = ("cyan", "yellow", "blue", "magenta", "green")


def status_text(status: RunStatus) -> str:
    """Return the status line of a running graph."""
    if math.isinf(status.age_s):
        return _with_trouble("waiting for the first picture", status)
    said = f"{status.label} {status.confidence:.2f}" if status.faces else "no face"
    if status.faces > 1:
        said += f" (+{status.faces - 1})"
    latency = "-" if math.isnan(status.latency_ms) else f"{status.latency_ms:.0f} ms"
    stale = f" | nothing new for {status.age_s:.0f} s" if status.age_s >= 1 else ""
    counts = f"{status.rate_hz:4.1f} fps | latency {latency} | skipped {status.skipped}"
    line = f"{said:<20} | {counts}{stale}"
    return _with_trouble(line, status)


def open_screen() -> Screen:
    """Return the screen for a terminal, or for a file or pipe."""
    return LiveScreen() if sys.stdout.isatty() else Screen()


class Screen:
    """Where logs and status go: lines only, for files and pipes.

    Attributes
    ----------
    failed : whether something could not be written.
    """

    def __init__(self) -> None:
        self.failed = False
        self._lock = threading.Lock()
        self._shown_s = -math.inf
        self._width = max(len(node.name) for node in NODES)

    def log(self, name: str, line: str) -> None:
        """Show a line that a node wrote, after its name. May be called from any thread."""
        self._write(f"{name:>{self._width}} | {line}")

    def status(self, text: str) -> None:
        """Show the status, every `PLAIN_PERIOD_S`."""
        now_s = time.monotonic()
        if now_s - self._shown_s >= PLAIN_PERIOD_S:
            self._shown_s = now_s
            self._write(text)

    def close(self) -> None:
        """Leave the terminal as it was."""

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                print(text, flush=True)
            except OSError as error:
                # Nobody reads any more, or the disk is full. The nodes go on.
                if not isinstance(error, BrokenPipeError):
                    reason = f"standard output cannot be written: {error.strerror}"
                    print(f"error: {reason}: the graph goes on without it", file=sys.stderr)
                    self.failed = True
                sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


class LiveScreen(Screen):
    """Coloured logs above a status line."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._text = Text
        self._console = Console(highlight=False, soft_wrap=True)
        self._live = Live(Text(""), console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._colours = dict(zip((node.name for node in NODES), _COLOURS, strict=False))

    def log(self, name: str, line: str) -> None:
        """Write the line behind the name, in the node's colour."""
        text = self._text.assemble((f"{name:>{self._width}} │ ", self._colours.get(name, "white")))
        self._console.print(text.append_text(self._text.from_ansi(line)))

    def status(self, text: str) -> None:
        """Update the line at the bottom."""
        line = self._text(text, style="bold", no_wrap=True, overflow="ellipsis")
        self._live.update(line, refresh=True)

    def close(self) -> None:
        """Remove the line."""
        self._live.stop()


def starting_text(not_active: Sequence[str]) -> str:
    """Return the status line while nodes come up."""
    return f"starting: {', '.join(not_active)}" if not_active else "waiting for the first picture"


def _with_trouble(line: str, status: RunStatus) -> str:
    return f"{line} | {status.trouble}" if status.trouble else line
