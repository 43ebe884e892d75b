"""Recognition of a stream: frames with their stamps and faces in, spikes and answers out.

It joins what the other modules do one by one: the clock, the state of every face, the network,
learning, and the answer. The network looks at a face in glances: its neurons begin at rest, work
for one presentation, and begin anew, as after a saccade. So a stream is to the network what its
training was, and the first spikes after an onset, which say most (Gollisch and Meister, Science
319, 2008), come again and again.

The same model, constants, frames and requests give the same spikes, weights and answers, whatever
the speed of the stream.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from fer_snn.core.clock import NS_PER_S, Clock, Tick
from fer_snn.core.model import Model
from fer_snn.core.network import EXPRESSION, FrameActivity, Network, NetworkParameters
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import (
    Answer,
    Calibration,
    DecisionWindow,
    ReadoutParameters,
    answer,
    label_means,
)
from fer_snn.core.synapses.learning import Learning, Lesson, SupervisedParameters

TOLERANCE_S = 0.001
"""Frames come a step early or late; a glance of two frames shall not become one of three."""

MAX_KEPT = 64
"""So many faces are kept at most, whatever the stamps say: a clock that stands forgets nobody."""

LARGEST = 0
"""Stands for the id of the largest face."""


@dataclass(frozen=True)
class RecogniserParameters:
    """Everything that can be changed while it runs, from the next frame on. Times in seconds."""

    network: NetworkParameters = field(default_factory=NetworkParameters)
    learning: Learning = Learning.OFF
    supervised: SupervisedParameters = field(default_factory=SupervisedParameters)
    readout: ReadoutParameters = field(default_factory=ReadoutParameters)
    glance: float = 0.06
    max_catch_up: float = 0.2
    max_faces: int = 8
    forget_after: float = 2.0


@dataclass(frozen=True)
class FaceInput:
    """A face of a frame: its track, its size in the image, its features (channels, rows, cols)."""

    id: int
    area_px: int
    features: Float32s


@dataclass(frozen=True)
class FaceResult:
    """What became of a face; `learnt` is the label that a lesson ended with, None without one."""

    id: int
    answer: Answer
    activity: FrameActivity
    learnt: int | None = None


@dataclass(frozen=True)
class FrameResult:
    """What became of a frame; faces in the order of their ids."""

    tick: Tick
    faces: tuple[FaceResult, ...]


class _Face:
    """What is kept of a face between frames."""

    def __init__(self, network: Network) -> None:
        self.rest(network)
        self.window = DecisionWindow()
        self.lesson = Lesson()
        self.seen_ns = 0

    def rest(self, network: Network) -> None:
        """Put the neurons to rest, to begin a glance."""
        self.state = network.new_face()
        self.glance_steps = 0


@dataclass(frozen=True)
class _Teaching:
    """A request to learn, as long as it holds."""

    label: int
    face_id: int
    begun_ns: int
    until_ns: int


class Recogniser:
    """Recognises the faces of one stream. Not to be used from several threads at once."""

    def __init__(self, model: Model, parameters: RecogniserParameters) -> None:
        """Start with no face seen."""
        self.network = Network(model, parameters.network)
        self._clock = Clock(parameters.network.dt, parameters.max_catch_up)
        self._faces: dict[int, _Face] = {}
        self._teaching: _Teaching | None = None
        self._requested: tuple[int, int, float] | None = None
        self._parameters = parameters

    @property
    def parameters(self) -> RecogniserParameters:
        """What is set now; set anew between two frames. No state is lost."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: RecogniserParameters) -> None:
        self._clock.configure(parameters.network.dt, parameters.max_catch_up)
        self.network.parameters = parameters.network
        if parameters.learning is not Learning.SUPERVISED:
            self._teaching = self._requested = None
        self._parameters = parameters

    def load(self, model: Model) -> None:
        """Take another model; what is known of the faces is dropped."""
        self.network.load(model)
        self.network.parameters = self._parameters.network
        self._teaching = self._requested = None
        self.reset_state()

    def reset_state(self) -> None:
        """Put potentials, traces and answers of all faces back; keep the weights."""
        self._faces.clear()
        self._clock.reset()

    def sees(self, face_id: int) -> bool:
        """Whether something is kept of that face."""
        return face_id in self._faces

    @property
    def teaching(self) -> bool:
        """Whether a lesson goes on, or is about to begin."""
        return self._teaching is not None or self._requested is not None

    def teach(self, label: int, face_id: int, duration: float) -> None:
        """Learn for `duration` seconds of the stamps that a face (or `LARGEST`) shows a label."""
        self._requested = (label, face_id, duration)

    def process(
        self,
        stamp_ns: int,
        faces: Sequence[FaceInput],
        spikes_of: Collection[str] = (),
        potentials_of: Collection[str] = (),
        most_steps: int | None = None,
    ) -> FrameResult:
        """Advance the network by a frame.

        Parameters
        ----------
        stamp_ns:
            When the frame was taken.
        faces:
            Its faces; of more than `max_faces` the largest are looked at.
        spikes_of, potentials_of:
            As for `Network.advance`.
        most_steps:
            As for `Clock.tick`.
        """
        tick = self._clock.tick(stamp_ns, most_steps)
        if not tick.joined:
            self._faces.clear()
        largest_first = sorted(faces, key=lambda face: (-face.area_px, face.id))
        chosen = sorted(largest_first[: self._parameters.max_faces], key=lambda face: face.id)
        pupil = self._pupil(stamp_ns, largest_first)
        results = tuple(
            self._advance(stamp_ns, tick, face, pupil, spikes_of, potentials_of) for face in chosen
        )
        self._forget(stamp_ns)
        return FrameResult(tick, results)

    def _advance(
        self,
        stamp_ns: int,
        tick: Tick,
        face: FaceInput,
        pupil: int | None,
        spikes_of: Collection[str],
        potentials_of: Collection[str],
    ) -> FaceResult:
        parameters = self._parameters
        kept = self._faces.pop(face.id, None) or _Face(self.network)
        # In the order in which they were last seen.
        self._faces[face.id] = kept
        kept.seen_ns = stamp_ns
        self._begin_glance(kept, tick.steps)
        taught = self._teaching is not None and face.id == pupil
        activity = self.network.advance(
            kept.state,
            face.features,
            tick.steps,
            spikes_of,
            potentials_of,
            plastic=parameters.learning is Learning.UNSUPERVISED,
        )
        learnt = None
        if self._teaching is not None and taught:
            kept.lesson.add(activity)
            if kept.lesson.learn(self.network, self._teaching.label, parameters.supervised):
                learnt = self._teaching.label
        return FaceResult(face.id, self._answer(kept, activity), activity, learnt)

    def _begin_glance(self, face: _Face, steps: int) -> None:
        """Put a face's neurons to rest where the last glance is over."""
        glance = self._parameters.glance
        if 0 < glance <= face.glance_steps * self.network.parameters.dt + TOLERANCE_S:
            face.rest(self.network)
        face.glance_steps += steps

    def _answer(self, face: _Face, activity: FrameActivity) -> Answer:
        model, readout = self.network.model, self._parameters.readout
        duration, counts = face.window.add(
            activity.steps * self.network.parameters.dt,
            activity.layers[EXPRESSION].counts,
            readout.decision_window,
        )
        names, n_labels = model.neuron_label, len(model.labels)
        rates_hz = label_means(counts, names, n_labels) / (duration or 1.0)
        potentials = label_means(face.state.layers[-1].v, names, n_labels)
        return answer(rates_hz, potentials, int(counts.sum()), self._calibration, readout)

    @property
    def _calibration(self) -> Calibration:
        """What spikes are worth: glances are presentations, a stream without them is not."""
        model = self.network.model
        return model.calibration if self._parameters.glance > 0 else model.live_calibration

    def _pupil(self, stamp_ns: int, largest_first: Sequence[FaceInput]) -> int | None:
        """Return the id of the face to learn from in this frame, None for none."""
        if self._requested is not None:
            label, face_id, duration = self._requested
            until_ns = stamp_ns + round(duration * NS_PER_S)
            self._teaching = _Teaching(label, face_id, stamp_ns, until_ns)
            self._requested = None
        if self._teaching is None:
            return None
        # A clock that is set back would make it as much longer.
        if not self._teaching.begun_ns <= stamp_ns <= self._teaching.until_ns:
            self._teaching = None
            return None
        if self._teaching.face_id != LARGEST:
            return self._teaching.face_id
        return largest_first[0].id if largest_first else None

    def _forget(self, stamp_ns: int) -> None:
        limit = stamp_ns - round(self._parameters.forget_after * NS_PER_S)
        surplus = list(self._faces)[:-MAX_KEPT]
        late = [k for k, face in self._faces.items() if face.seen_ns < limit]
        for face_id in {*surplus, *late}:
            del self._faces[face_id]
