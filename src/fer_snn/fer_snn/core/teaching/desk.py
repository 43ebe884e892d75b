"""Takes the requests for one network, keeps what was before them, and reports what came of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.teaching import requests
from fer_snn.core.teaching.history import History
from fer_snn.core.teaching.report import ProjectionMoved, fields_moved, projections_moved
from fer_snn.core.teaching.tutor import Tutor


@dataclass(frozen=True)
class Report:
    """What was learnt since the weights were loaded or put back.

    Attributes
    ----------
    lessons, rehearsed : faces that were learnt, and learnt again, by label.
    fields : how far the receptive field of each label has moved, as `report.fields_moved`.
    projections : how far each projection has moved.
    """

    lessons: Counter[str]
    rehearsed: Counter[str]
    fields: dict[str, float]
    projections: list[ProjectionMoved]


@dataclass(frozen=True)
class _Snapshot:
    """The weights, those that the report compares them with, and the counts."""

    model: Model
    loaded: Model
    lessons: Counter[str]
    rehearsed: Counter[str]


class Desk:
    """Requests are done whole or refused by FerError. To be called between two frames.

    Parameters
    ----------
    tutor : whose recogniser the requests are about.
    folder : where weights are saved.
    undo_depth : how many earlier weights are kept.
    """

    def __init__(self, tutor: Tutor, folder: Path, undo_depth: int) -> None:
        self._tutor = tutor
        self._recogniser = tutor.recogniser
        self._folder = folder
        self._first = self._loaded = self._recogniser.network.model.copy()
        self.history: History[_Snapshot] = History(undo_depth)

    def teach(self, label: str, new_label: bool, face_id: int, duration: float) -> str:
        """Begin to learn a label, as `requests.teach`."""
        before = self._snapshot()
        said = requests.teach(self._recogniser, label, new_label, face_id, duration)
        self.history.push(f"lesson '{label}'", before)
        return said

    def save(self, name: str) -> str:
        """Save the present weights, as `requests.save`."""
        return requests.save(self._recogniser, name, self._folder)

    def load(self, name: str) -> str:
        """Take weights by name, as `requests.load`."""
        before = self._snapshot()
        said = requests.load(self._recogniser, name, self._folder)
        self.history.push(f"load '{name}'", before)
        self._begin_anew()
        return said

    def reset_state(self) -> str:
        """Put potentials, traces and answers back."""
        self._recogniser.reset_state()
        return "potentials, traces and answers are put back"

    def reset_weights(self) -> str:
        """Put the weights back to those that the node started with, and the state too."""
        self.history.push("reset", self._snapshot())
        self._recogniser.load(self._first)
        self._begin_anew()
        return "weights, potentials, traces and answers are as at the start"

    def remember(self, reason: str) -> None:
        """Keep the present weights, so that what comes can be taken back."""
        self.history.push(reason, self._snapshot())

    def undo(self, steps: int) -> str:
        """Bring back the weights from before the last so many changes.

        Raises
        ------
        NothingToUndoError
            if so many are not kept.
        """
        undone = self.history.reasons[: max(steps, 0)]
        snapshot = self.history.pop(steps)
        self._recogniser.load(snapshot.model)
        self._loaded = snapshot.loaded
        self._tutor.lessons, self._tutor.rehearsed = snapshot.lessons, snapshot.rehearsed
        return f"taken back: {', '.join(undone)}"

    def report(self) -> Report:
        """Say what was learnt since the weights were loaded or put back."""
        network = self._recogniser.network
        before = Network(self._loaded, network.parameters)
        return Report(
            self._tutor.lessons,
            self._tutor.rehearsed,
            fields_moved(before, network),
            projections_moved(self._loaded, network.model),
        )

    def _begin_anew(self) -> None:
        self._loaded = self._recogniser.network.model.copy()
        self._tutor.begin_anew()

    def _snapshot(self) -> _Snapshot:
        tutor = self._tutor
        model = self._recogniser.network.model.copy()
        return _Snapshot(model, self._loaded, tutor.lessons.copy(), tutor.rehearsed.copy())
