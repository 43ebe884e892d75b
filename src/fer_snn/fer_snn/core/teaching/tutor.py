"""Teaching on a stream: lessons, what is shown again after them, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from fer_snn.core.clock import NS_PER_S
from fer_snn.core.presentation import present, steps_of
from fer_snn.core.recogniser import FaceInput, FaceResult, FrameResult, Recogniser
from fer_snn.core.synapses.learning import teach
from fer_snn.core.teaching.rehearsal import Memory

SURE = 0.7
"""A face counts as what the network says when it is as sure as this."""

KEEP_EVERY_S = 0.5
"""Faces of a stream are kept so often: neighbours in time look the same."""


class Tutor:
    """Runs a recogniser on a stream, and sees to what it learns from labels.

    The same stream and requests give the same weights.

    Attributes
    ----------
    recogniser : what it runs.
    rehearsals : faces of other labels that are learnt again after each lesson.
    lessons, rehearsed : faces that were learnt, and learnt again, by label.
    """

    def __init__(self, recogniser: Recogniser, rehearsals: int = 1) -> None:
        """Start with nothing kept."""
        self.recogniser = recogniser
        self.rehearsals = rehearsals
        self.lessons: Counter[str] = Counter()
        self.rehearsed: Counter[str] = Counter()
        self._memory = Memory()
        self._kept_ns: int | None = None

    def begin_anew(self) -> None:
        """Forget the counts: other weights stand now."""
        self.lessons.clear()
        self.rehearsed.clear()

    def process(
        self,
        stamp_ns: int,
        faces: Sequence[FaceInput],
        spikes_of: Collection[str] = (),
        potentials_of: Collection[str] = (),
        most_steps: int | None = None,
    ) -> FrameResult:
        """Advance the network by a frame, as `Recogniser.process`, and learn what is due."""
        result = self.recogniser.process(stamp_ns, faces, spikes_of, potentials_of, most_steps)
        inputs = {face.id: face for face in faces}
        for face in result.faces:
            if face.learnt is not None:
                self._after_lesson(inputs[face.id], self._name(face.learnt))
        if not self.recogniser.teaching:
            self._keep(stamp_ns, inputs, result.faces)
        return result

    def _after_lesson(self, face: FaceInput, label: str) -> None:
        self.lessons[label] += 1
        self._memory.forget_like(face.features, label)
        for _ in range(self.rehearsals):
            self._rehearse(label)
        self._memory.keep(label, face.features)

    def _rehearse(self, taught: str) -> None:
        """Learn a kept face of another label again, at rest, as in training."""
        kept = self._memory.next_besides(taught)
        network, rule = self.recogniser.network, self.recogniser.parameters.supervised
        if kept is None or kept[0] not in network.model.labels:
            return
        label, features = kept
        n_steps = steps_of(rule.presentation, network.parameters.dt)
        counts = present(network, features, n_steps)
        teach(network, counts, network.model.labels.index(label), rule)
        network.normalise()
        self.rehearsed[label] += 1

    def _keep(
        self, stamp_ns: int, inputs: dict[int, FaceInput], results: Sequence[FaceResult]
    ) -> None:
        """Keep the faces that the network is sure of, now and then."""
        since_ns = stamp_ns - (self._kept_ns or 0)
        # A stamp before the last one belongs to a recording that began again.
        if self._kept_ns is not None and 0 <= since_ns < KEEP_EVERY_S * NS_PER_S:
            return
        self._kept_ns = stamp_ns
        for face in results:
            if face.answer.decided and face.answer.confidence >= SURE:
                self._memory.keep(self._name(face.answer.best), inputs[face.id].features)

    def _name(self, label: int) -> str:
        return self.recogniser.network.model.labels[label]
