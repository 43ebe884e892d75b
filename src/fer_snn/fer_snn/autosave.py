"""Saves what was learnt from time to time, and only what is new."""

from __future__ import annotations

import math
import time
from pathlib import Path

from fer_snn import requests
from fer_snn.recogniser import Recogniser

NAME = "autosave"
CHECK_S = 0.5
"""How often to ask whether it is time."""


class Autosave:
    """Saves weights that changed under the name `autosave`.

    Parameters
    ----------
    recogniser : whose weights.
    folder : the weights folder.
    """

    def __init__(self, recogniser: Recogniser, folder: Path) -> None:
        self._recogniser = recogniser
        self._folder = folder
        self._version = recogniser.network.version
        self._saved_s = -math.inf

    def when_due(self, period_s: float) -> None:
        """Save if the last time was `period_s` seconds ago; see `now`."""
        if time.monotonic() - self._saved_s >= period_s:
            self.now()

    def now(self) -> None:
        """Save what has changed since the last time.

        Raises
        ------
        FerError
            if the folder cannot be written; it is tried again when due.
        """
        version = self._recogniser.network.version
        if version != self._version:
            self._saved_s = time.monotonic()
            requests.save(self._recogniser, NAME, self._folder)
            self._version = version
