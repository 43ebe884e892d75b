"""What was learnt is saved while it is learnt, and taken up again after a kill.

Beside the file `autosave.npz` stands a mark as long as somebody saves there. Whoever ends in order
takes the mark away; a mark that nobody holds was left by a process that was killed, and what it had
learnt is to be taken up by the one that starts in its place.
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
from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models

AUTOSAVE = "autosave"
MARK = ".autosave.open"
CHECK_S = 0.5
"""How often to ask whether it is time."""
NEVER = -1


def interrupted(folder: Path, weights: str) -> Path | None:
    """Return the file of a process that was killed while it learnt, None where there is none.

    Parameters
    ----------
    folder : where it saved.
    weights : what the process that starts shall begin with; one that began with others is not
        continued.
    """
    path = models.path_to_save(AUTOSAVE, folder)
    with contextlib.suppress(OSError), (folder / MARK).open("rb") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if mark.read().decode(errors="replace") == weights and path.is_file():
            return path
    return None


class Autosave:
    """Saves models, in a thread of its own: nobody waits for a disk.

    Parameters
    ----------
    recogniser : whose weights; not to be changed by others while a method runs.
    folder : where to save.
    weights : what the process began with.
    refused : called in the thread with what could not be written; it is tried again when due.
    failed : called in the thread with an error that nobody foresaw.
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
        # One that was left is ours now: to be taken away even if nothing more is learnt.
        self._mark = self._make_mark() if (folder / MARK).exists() else None
        self._worker: Worker[Model] = Worker(self._save, failed, AUTOSAVE)

    def when_due(self, period_s: float) -> None:
        """Have saved what is new, if the last time was `period_s` seconds ago."""
        if time.monotonic() - self._saved_s >= period_s and (learnt := self._learnt()):
            self._worker.queue.put(learnt)

    def finish(self, wanted: bool) -> None:
        """Save what is new, if that is wanted, and take the mark away."""
        self._worker.stop()
        if wanted and (learnt := self._learnt()):
            self._save(learnt, 0)
        if self._mark is not None:
            with contextlib.suppress(OSError):
                (self._folder / MARK).unlink()
            self._mark.close()
        self._mark = None

    def _learnt(self) -> Model | None:
        """Return a copy of what was learnt since the last time, None if that is nothing."""
        version = self._recogniser.network.version
        if version == self._saved_version:
            return None
        self._saved_s, self._saved_version = time.monotonic(), version
        return self._recogniser.network.model.copy()

    def _save(self, model: Model, skipped: int) -> None:
        try:
            path = models.path_to_save(AUTOSAVE, self._folder)
            weights_file.save(replace(model, name=AUTOSAVE), path)
        except FerError as error:
            # Due again, whether or not anything is learnt until then.
            self._saved_version = NEVER
            self._refused(error)
            return
        # After the first save: a mark without a file would promise what is not there.
        if self._mark is None:
            self._mark = self._make_mark()

    def _make_mark(self) -> IO[bytes] | None:
        """Return the mark, held; None where another process holds it or there is no room."""
        with contextlib.suppress(OSError):
            mark = (self._folder / MARK).open("ab")
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mark.truncate(0)
                mark.write(self._weights.encode())
                mark.flush()
                return mark
            except OSError:
                mark.close()
        return None
