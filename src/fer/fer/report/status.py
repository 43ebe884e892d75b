"""What `fer up` shows: the nodes' log lines, and one line that is always up to date."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from fer.bringup.graph import NODES

if TYPE_CHECKING:
    from fer.client.graph_monitor import GraphStatus

#: How often the line is renewed on a terminal, and how often it is written where there is none.
LIVE_PERIOD_S = 0.2
PLAIN_PERIOD_S = 5.0
#: Distinguishable with every common kind of colour vision.
_COLOURS = ("cyan", "yellow", "blue", "magenta", "green")


class Screen(Protocol):
    """Where logs and status go."""

    def log(self, name: str, line: str) -> None:
        """Show a line that a node wrote. May be called from any thread."""

    def status(self, text: str) -> None:
        """Show this as the present state."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def status_text(status: GraphStatus) -> str:
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
    """Return the screen that fits where standard output goes."""
    return LiveScreen() if sys.stdout.isatty() else PlainScreen()


class PlainScreen:
    """Lines only, for files and pipes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown_s = -math.inf
        self._width = max(len(node.name) for node in NODES)

    def log(self, name: str, line: str) -> None:
        """Write the line behind the name."""
        self._write(f"{name:>{self._width}} | {line}")

    def status(self, text: str) -> None:
        """Write the state, once in a while."""
        now_s = time.monotonic()
        if now_s - self._shown_s >= PLAIN_PERIOD_S:
            self._shown_s = now_s
            self._write(text)

    def close(self) -> None:
        """Nothing to put back."""

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                print(text, flush=True)
            except BrokenPipeError:
                # Nobody reads any more. The nodes must not come to a halt over it.
                sys.stdout = open("/dev/null", "w", encoding="utf-8")  # noqa: SIM115 (until the process ends)


class LiveScreen:
    """Coloured logs that scroll above one line that stays."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._text = Text
        self._console = Console(highlight=False, soft_wrap=True)
        self._live = Live(Text(""), console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._width = max(len(node.name) for node in NODES)
        self._colours = dict(zip((node.name for node in NODES), _COLOURS, strict=False))

    def log(self, name: str, line: str) -> None:
        """Write the line behind the name, in the node's colour."""
        text = self._text.assemble((f"{name:>{self._width}} │ ", self._colours.get(name, "white")))
        self._console.print(text.append_text(self._text.from_ansi(line)))

    def status(self, text: str) -> None:
        """Renew the line at the bottom."""
        line = self._text(text, style="bold", no_wrap=True, overflow="ellipsis")
        self._live.update(line, refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


def starting_text(not_active: Sequence[str]) -> str:
    """Return the status line while nodes come up."""
    return f"starting: {', '.join(not_active)}" if not_active else "waiting for the first picture"


def _with_trouble(line: str, status: GraphStatus) -> str:
    return f"{line} | {status.trouble}" if status.trouble else line
