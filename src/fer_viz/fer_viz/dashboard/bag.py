"""Records and plays bags by the command `fer bag`, in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from pyqtgraph.Qt import QtCore

from fer_viz.core.scene import Note


class BagProcess:
    """A `fer bag` that runs until it ends or is stopped.

    Parameters
    ----------
    parent : owner of the process.
    """

    def __init__(self, parent: Any) -> None:
        self._process = QtCore.QProcess(parent)
        self._process.setProcessChannelMode(QtCore.QProcess.ProcessChannelMode.MergedChannels)
        self._process.finished.connect(self._finish)
        self._notes: list[Note] = []
        #: Whether the process runs.
        self.running = False

    def start(self, arguments: Sequence[str]) -> None:
        """Run `fer bag` with arguments."""
        self.running = True
        self._process.start(sys.executable, ["-m", "fer.cli", "bag", *arguments])

    def stop(self) -> None:
        """End the process as Ctrl-C does, so that it completes its files."""
        if pid := int(self._process.processId()):
            os.kill(pid, signal.SIGINT)

    def notes(self) -> list[Note]:
        """Return how processes have ended since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _finish(self, code: int) -> None:
        self.running = False
        text = bytes(self._process.readAll()).decode(errors="replace")
        lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
        good = code in (0, 130)
        self._notes.append(Note(lines[-1] if lines else f"fer bag ended with {code}", good))
