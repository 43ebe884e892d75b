"""Learning from labels on a stream: lessons, rehearsal, and what users ask of a running network.

Each request is carried out completely, or refused with a `FerError` that says why; a refused
request changes nothing. Requests are made between two frames.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fer_common.core.errors import FerError
from fer_snn.core.clock import NS_PER_S
from fer_snn.core.labels import MAX_LABEL_LENGTH, UNDECIDED, canonical, is_label
from fer_snn.core.model import Model
from fer_snn.core.recogniser import (
    FaceInput,
    FaceResult,
    FeatureFrame,
    FrameResult,
    Lesson,
    Recogniser,
    RecogniserParameters,
)
from fer_snn.core.synapses.learning import Learning, teach
from fer_snn.core.teaching.rehearsal import RehearsalMemory
from fer_snn.core.teaching.report import Report, field_changes, weight_changes
from fer_snn.core.weights import weights_file, weights_folder

LARGEST = 0
"""Stands for the id of the largest face."""

MAX_LESSON_S = 60.0

REHEARSAL_CONFIDENCE = 0.7
"""A face is kept for rehearsal under the label that the network answers with this confidence."""

REHEARSAL_PERIOD_S = 0.5
"""Minimum time between faces that are kept, because neighbours in time look the same."""


class RequestError(FerError):
    """A request that is refused."""


class NothingToUndoError(FerError):
    """There are fewer changes than a request wants to undo."""


@dataclass(frozen=True)
class _Change:
    """A change that can be undone, and everything that it may change, as it was before."""

    reason: str
    model: Model
    loaded: Model
    lessons: Counter[str]
    rehearsed: Counter[str]


@dataclass(frozen=True)
class _ScheduledLesson:
    """A lesson, from the request on. It begins with the next frame."""

    label: int
    face_id: int
    duration_ns: int
    begin_ns: int | None = None


class Learner:
    """A recogniser that learns from labels while it runs.

    The same stream and requests give the same weights.

    Parameters
    ----------
    model : weights to start with. They are kept for `reset_weights`; do not change them.
    parameters : constants of the recogniser.
    folder : where weights are saved.
    rehearsals : number of faces of other labels that are learnt again after each lesson.
    undo_depth : number of changes that can be undone.

    Attributes
    ----------
    recogniser : recognises the faces.
    lessons, rehearsed : number of faces that were learnt, and learnt again, by label.
    """

    def __init__(
        self,
        model: Model,
        parameters: RecogniserParameters | None = None,
        folder: Path = weights_folder.NO_FOLDER,
        rehearsals: int = 1,
        undo_depth: int = 10,
    ) -> None:
        self.recogniser = Recogniser(model, parameters)
        self.rehearsals = rehearsals
        self.lessons: Counter[str] = Counter()
        self.rehearsed: Counter[str] = Counter()
        self._folder = folder
        self._first = model
        self._loaded = self._as_loaded(model)
        self._changes: deque[_Change] = deque(maxlen=undo_depth)
        self._scheduled: _ScheduledLesson | None = None
        self._memory = RehearsalMemory()
        self._kept_ns: int | None = None

    @property
    def parameters(self) -> RecogniserParameters:
        """Constants of the recogniser. Set new ones between two frames."""
        return self.recogniser.parameters

    @parameters.setter
    def parameters(self, parameters: RecogniserParameters) -> None:
        version, before = self.recogniser.network.version, self._present("bounds of the weights")
        self.recogniser.parameters = parameters
        if self.recogniser.network.version != version:
            self._changes.append(before)
        if parameters.learning is not Learning.SUPERVISED:
            self._scheduled = None

    @property
    def undo_depth(self) -> int:
        """Number of changes that can be undone. If it is reduced, the oldest are dropped."""
        assert self._changes.maxlen is not None
        return self._changes.maxlen

    @undo_depth.setter
    def undo_depth(self, depth: int) -> None:
        if depth != self.undo_depth:
            self._changes = deque(self._changes, maxlen=depth)

    @property
    def undo_reasons(self) -> tuple[str, ...]:
        """Names of the changes that can be undone, the latest first."""
        return tuple(change.reason for change in reversed(self._changes))

    @property
    def teaching(self) -> bool:
        """Whether a lesson is running or about to begin."""
        return self._scheduled is not None

    # The stream

    def process(self, frame: FeatureFrame, max_steps: int | None = None) -> FrameResult:
        """Advance the network by a frame, as `Recogniser.process`, and learn what is due."""
        result = self.recogniser.process(frame, max_steps, self._lesson_for(frame))
        inputs = {face.id: face for face in frame.faces}
        for face in result.faces:
            if face.learnt is not None:
                self._after_lesson(inputs[face.id], self._name(face.learnt))
        if not self.teaching:
            self._keep(frame.stamp_ns, inputs, result.faces)
        return result

    def _lesson_for(self, frame: FeatureFrame) -> Lesson | None:
        scheduled = self._scheduled
        if scheduled is None:
            return None
        begin_ns = frame.stamp_ns if scheduled.begin_ns is None else scheduled.begin_ns
        # A stamp before the beginning: a clock that is set back must not prolong the lesson.
        if not 0 <= frame.stamp_ns - begin_ns <= scheduled.duration_ns:
            self._scheduled = None
            return None
        self._scheduled = replace(scheduled, begin_ns=begin_ns)
        if scheduled.face_id != LARGEST:
            return Lesson(scheduled.label, scheduled.face_id)
        return Lesson(scheduled.label, frame.largest_first()[0].id) if frame.faces else None

    def _after_lesson(self, face: FaceInput, label: str) -> None:
        self.lessons[label] += 1
        self._memory.forget_like(face.features, label)
        for _ in range(self.rehearsals):
            self._rehearse(label)
        self._memory.keep(label, face.features)

    def _rehearse(self, taught: str) -> None:
        """Learn a kept face of another label again, from rest, as in training."""
        kept = self._memory.next_besides(taught)
        network, rule = self.recogniser.network, self.parameters.supervised
        if kept is None or kept[0] not in network.model.labels:
            return
        label, features = kept
        shown = network.present(features, network.parameters.steps(rule.presentation))
        teach(network, shown.counts, network.model.labels.index(label), rule)
        network.normalise()
        self.rehearsed[label] += 1

    def _keep(
        self, stamp_ns: int, inputs: dict[int, FaceInput], results: Sequence[FaceResult]
    ) -> None:
        """Keep the faces of which the network is sure, from time to time."""
        since_ns = stamp_ns - (self._kept_ns or 0)
        # A stamp before the last one means that a recording started again.
        if self._kept_ns is not None and 0 <= since_ns < REHEARSAL_PERIOD_S * NS_PER_S:
            return
        self._kept_ns = stamp_ns
        for face in results:
            # With the spikes of all labels, even if the answer is restricted to some.
            scores = self.recogniser.calibration.scores(face.answer.rates_hz)
            if face.answer.decided and scores[face.answer.best] >= REHEARSAL_CONFIDENCE:
                self._memory.keep(self._name(face.answer.best), inputs[face.id].features)

    def _name(self, label: int) -> str:
        return self.recogniser.network.model.labels[label]

    # Requests

    def teach(self, label: str, new_label: bool, face_id: int, duration_s: float) -> str:
        """Start to learn that a face shows a label; return what will be learnt.

        Parameters
        ----------
        new_label : whether a label that the network does not know is added to it.
        face_id : id of the face, or `LARGEST`.
        duration_s : duration of the lesson by the stamps.

        Raises
        ------
        RequestError
            if the network does not learn from labels now, or the request makes no sense.
        """
        if self.parameters.learning is not Learning.SUPERVISED:
            raise RequestError(
                f"learning is '{self.parameters.learning.value}': "
                "set the parameter learning to 'supervised' first"
            )
        if not (math.isfinite(duration_s) and 0 < duration_s <= MAX_LESSON_S):
            raise RequestError(
                f"duration is {duration_s:g} s: give more than 0 and at most {MAX_LESSON_S:g} s"
            )
        if face_id != LARGEST and not self.recogniser.sees(face_id):
            raise RequestError(
                f"face {face_id} is not in view: give the id of a face that is, "
                f"or {LARGEST} for the largest"
            )
        name = canonical(label)
        model = self.recogniser.network.model
        is_new = name not in model.labels
        if is_new:
            _check_new_label(label, new_label, model)
        self.remember(f"lesson '{label}'")
        if is_new:
            self.recogniser.load(model.with_label(name))
        index = self.recogniser.network.model.labels.index(name)
        ended = self._scheduled
        self._scheduled = _ScheduledLesson(index, face_id, round(duration_s * NS_PER_S))
        who = "the largest face" if face_id == LARGEST else f"face {face_id}"
        hints = ""
        if ended is not None:
            hints = f"; this ends the lesson '{self._name(ended.label)}'"
        said = self.parameters.readout.labels
        if said and name not in said:
            hints += f"; the parameter labels leaves '{name}' out"
        return f"learning '{name}' from {who} for {duration_s:g} s{hints}"

    def save(self, name: str) -> str:
        """Save the present weights under a name in the weights folder; return the path.

        Raises
        ------
        FerError
            if the name would lead out of the folder, or the folder cannot be written.
        """
        path = weights_folder.path_to_save(name, self._folder)
        weights_file.save(replace(self.recogniser.network.model, name=path.stem), path)
        return str(path)

    def load(self, name: str) -> str:
        """Load the weights of that name; return what was loaded.

        Raises
        ------
        FerError
            if there is no such file, it is damaged, it has other features or labels, or the answers
            are restricted to a label that it does not know.
        """
        path = weights_folder.path_of_name(name, self._folder)
        model = weights_file.load(path)
        _check_fit(model, self.recogniser.network.model, path)
        self._replace(model, f"load '{name}'")
        return f"{path}: {', '.join(model.labels)}"

    def reset_state(self) -> str:
        """Reset potentials, traces and answers."""
        self.recogniser.reset_state()
        return "potentials, traces and answers are reset"

    def reset_weights(self) -> str:
        """Restore the weights that the learner started with, and reset the state."""
        self._replace(self._first, "reset")
        return "weights, potentials, traces and answers are as at the start"

    def remember(self, reason: str) -> None:
        """Keep the present weights, so that the change that follows can be undone."""
        self._changes.append(self._present(reason))

    def _present(self, reason: str) -> _Change:
        model = self.recogniser.network.snapshot()
        return _Change(reason, model, self._loaded, self.lessons.copy(), self.rehearsed.copy())

    def undo(self, steps: int) -> str:
        """Restore the weights from before the last `steps` changes.

        Raises
        ------
        FerError
            if there are fewer changes, or the answers are restricted to a label that is not known
            without them; nothing is undone then.
        """
        kept = len(self._changes)
        if not 1 <= steps <= kept:
            advice = f"give 1 to {kept}" if kept else "nothing was taught, loaded or reset"
            raise NothingToUndoError(f"cannot undo {steps} changes: {advice}")
        before = self._changes[-steps]
        self._load(before.model)
        undone = [self._changes.pop() for _ in range(steps)]
        self._loaded = before.loaded
        self.lessons, self.rehearsed = before.lessons, before.rehearsed
        return f"undone: {', '.join(change.reason for change in undone)}"

    def report(self) -> Report:
        """Return what was learnt since the weights were loaded or restored."""
        now = self.recogniser.network.model
        return Report(
            self.lessons,
            self.rehearsed,
            field_changes(self._loaded, now),
            weight_changes(self._loaded, now),
        )

    def _replace(self, model: Model, reason: str) -> None:
        """Take other weights, and count what is learnt from now on."""
        self.parameters.readout.check(model.labels)
        self.remember(reason)
        self._load(model)
        self._loaded = self._as_loaded(model)
        self.lessons.clear()
        self.rehearsed.clear()

    def _as_loaded(self, model: Model) -> Model:
        """Return a model as the network has loaded it: clipped to the bounds."""
        present = self.recogniser.network.model
        pairs = zip(model.stages, present.stages, strict=True)
        same = all(np.array_equal(mine.weights, its.weights) for mine, its in pairs)
        return model if same else self.recogniser.network.snapshot()

    def _load(self, model: Model) -> None:
        self.recogniser.load(model)
        self._scheduled = None


def _check_new_label(label: str, new_label: bool, model: Model) -> None:
    if not new_label:
        known = ", ".join(model.labels)
        raise RequestError(
            f"'{label}' is not a known label (known: {known}): use one of them, or set new_label"
        )
    if not is_label(canonical(label)):
        raise RequestError(
            f"{label!r} cannot be a label: give 1 to {MAX_LABEL_LENGTH} printable characters, "
            f"and not '{UNDECIDED}'"
        )


def _check_fit(new: Model, present: Model, path: Path) -> None:
    # Labels that were taught are behind the others: those that both have must agree.
    shared = min(len(new.labels), len(present.labels))
    for what, theirs, ours in (
        ("features", new.feature_spec, present.feature_spec),
        ("feature map", new.feature_shape, present.feature_shape),
        ("labels", new.labels[:shared], present.labels[:shared]),
    ):
        if theirs != ours:
            raise RequestError(
                f"weights file {path} has {what} {theirs}, the running network has {ours}: "
                "start the node with these weights instead"
            )
