"""Saves what is learnt while it is learnt, and finds it again after a kill.

While a process saves to `autosave.npz`, a lock file exists beside it. A process that ends in order
removes the lock file. A lock file that no process holds was left by a process that was killed; the
process that starts in its place continues with what that one has saved.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from fer_common.core.errors import FerError
from fer_common.core.worker import Worker
from fer_snn.core.model import Model
from fer_snn.core.recogniser import Recogniser
from fer_snn.core.weights import weights_file, weights_folder

AUTOSAVE = "autosave"
LOCK = ".autosave.open"
"""Name of the lock file."""
CHECK_S = 0.5
"""Period of the check whether a save is due."""
NEVER = -1


def interrupted(folder: Path, weights: str) -> Path | None:
    """Return the file of a process that was killed while it learnt, or None.

    Parameters
    ----------
    folder : weights folder.
    weights : what the process that starts now shall start with. A killed process that started with
        other weights is not continued.
    """
    path = weights_folder.path_to_save(AUTOSAVE, folder)
    with contextlib.suppress(OSError), (folder / LOCK).open("rb") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if lock_file.read().decode(errors="replace") == weights and path.is_file():
            return path
    return None


class Autosave:
    """Saves models in a thread of its own, so that nobody waits for the disk.

    Parameters
    ----------
    recogniser : its weights are saved; nobody else may change them while a method runs.
    folder : weights folder.
    weights : what the process started with.
    refused : called in the thread if a file cannot be written; it is tried again when due.
    failed : called in the thread with an unexpected error.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        folder: Path,
        weights: str,
        refused: Callable[[FerError], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._recogniser = recogniser
        self._saved_version = recogniser.network.version
        self._saved_s = -math.inf
        self._folder = folder
        self._weights = weights
        self._refused = refused
        # A lock file that was left is now ours: it must be removed even if nothing more is learnt.
        self._lock_file = self._lock() if (folder / LOCK).exists() else None
        self._worker: Worker[Model] = Worker(self._save, failed, AUTOSAVE)

    def is_due(self, period_s: float) -> bool:
        """Return whether there is something new, and the last save was `period_s` seconds ago."""
        is_new = self._recogniser.network.version != self._saved_version
        return is_new and time.monotonic() - self._saved_s >= period_s

    def when_due(self, period_s: float) -> None:
        """Start to save what is new, if the last save was `period_s` seconds ago."""
        if self.is_due(period_s) and (learnt := self._learnt()):
            self._worker.queue.put(learnt)

    def finish(self, wanted: bool) -> None:
        """Save what is new if `wanted`, and remove the lock file."""
        self._worker.stop()
        if wanted and (learnt := self._learnt()):
            self._save(learnt, 0)
        if self._lock_file is not None:
            with contextlib.suppress(OSError):
                (self._folder / LOCK).unlink()
            self._lock_file.close()
        self._lock_file = None

    def _learnt(self) -> Model | None:
        """Return the model as it is now, or None if it has not changed since the last save."""
        version = self._recogniser.network.version
        if version == self._saved_version:
            return None
        self._saved_s, self._saved_version = time.monotonic(), version
        return self._recogniser.network.snapshot()

    def _save(self, model: Model, skipped: int) -> None:
        try:
            path = weights_folder.path_to_save(AUTOSAVE, self._folder)
            weights_file.save(replace(model, name=AUTOSAVE), path)
        except FerError as error:
            # Try again when due, whether or not anything is learnt until then.
            self._saved_version = NEVER
            self._refused(error)
            return
        # After the first save: a lock file promises that there is something to continue with.
        if self._lock_file is None:
            self._lock_file = self._lock()

    def _lock(self) -> IO[bytes] | None:
        """Return the locked lock file; None if another process holds it or the disk is full."""
        with contextlib.suppress(OSError):
            lock_file = (self._folder / LOCK).open("ab")
            try:
                fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lock_file.truncate(0)
                lock_file.write(self._weights.encode())
                lock_file.flush()
                return lock_file
            except OSError:
                lock_file.close()
        return None
