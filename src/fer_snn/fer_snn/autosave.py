"""What was learnt is saved while it is learnt, and taken up again after a kill.

Beside the file `autosave.npz` stands a mark as long as somebody saves there. Whoever ends in order
takes the mark away; a mark that nobody holds was left by a process that was killed, and what it had
learnt is to be taken up by the one that starts in its place.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO

from fer_common.errors import FerError
from fer_common.worker import Worker
from fer_snn import models, weights_file
from fer_snn.model import Model

AUTOSAVE = "autosave"
MARK = ".autosave.open"


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
    folder : where to save.
    weights : what the process began with.
    refused : called in the thread with what could not be written; the next model is tried again.
    failed : called in the thread with an error that nobody foresaw.
    """

    def __init__(
        self,
        folder: Path,
        weights: str,
        refused: Callable[[FerError], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._folder = folder
        self._weights = weights
        self._refused = refused
        # One that was left is ours now: to be taken away even if nothing more is learnt.
        self._mark = self._make_mark() if (folder / MARK).exists() else None
        self._worker: Worker[Model] = Worker(self._save, failed, AUTOSAVE)

    def offer(self, model: Model) -> None:
        """Have a model saved that nobody changes any more."""
        self._worker.mailbox.put(model)

    def finish(self, model: Model | None) -> None:
        """Save a last model, if there is one, and take the mark away."""
        self._worker.stop()
        if model is not None:
            self._save(model, 0)
        if self._mark is not None:
            with contextlib.suppress(OSError):
                (self._folder / MARK).unlink()
            self._mark.close()
        self._mark = None

    def _save(self, model: Model, skipped: int) -> None:
        try:
            path = models.path_to_save(AUTOSAVE, self._folder)
            weights_file.save(replace(model, name=AUTOSAVE), path)
        except FerError as error:
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
