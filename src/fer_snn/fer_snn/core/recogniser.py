"""Recognition on a stream: frames with stamps and faces in, spikes and answers out.

The recogniser combines the clock, the state of every face, the network, learning and the read-out.
The network looks at a face in glances: its neurons start at rest, run for one presentation, and
start again, as after a saccade. So the stream looks to the network like its training, and the first
spikes after an onset, which carry most information (Gollisch and Meister, Science 319, 2008), occur
again and again. Every second glance is at the mirrored face: an expression looks the same in a
mirror, so the mean of both has less noise.

The same model, constants, frames and lessons give the same spikes, weights and answers, whatever
the speed of the stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fer_snn.core import familiarity
from fer_snn.core.clock import NS_PER_S, Clock, FrameSteps
from fer_snn.core.model import Model
from fer_snn.core.network import (
    EXPRESSION,
    NO_RECORDING,
    FrameActivity,
    Network,
    NetworkParameters,
    RecordedLayers,
)
from fer_snn.core.neurons.encoding import mirrored, orientations_in
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import (
    Answer,
    DecisionWindow,
    ReadoutCalibration,
    ReadoutParameters,
    answer,
    counted_spikes,
    label_means,
)
from fer_snn.core.synapses.learning import Learning, PresentationCounts, SupervisedParameters

TOLERANCE_S = 0.001
"""Frames come a step early or late; a glance of two frames must not become one of three."""

MAX_TRACKS = 64
"""Maximum number of faces that are kept. It holds even if the stamps stand still."""


@dataclass(frozen=True)
class RecogniserParameters:
    """Everything that can be changed between two frames. Times in seconds."""

    network: NetworkParameters = field(default_factory=NetworkParameters)
    learning: Learning = Learning.OFF
    supervised: SupervisedParameters = field(default_factory=SupervisedParameters)
    readout: ReadoutParameters = field(default_factory=ReadoutParameters)
    glance: float = 0.06
    mirror: bool = True
    max_catch_up: float = 0.2
    max_faces: int = 8
    forget_after: float = 2.0


@dataclass(frozen=True)
class FaceInput:
    """A face of a frame: track id, area in the image, features (channels, rows, cols)."""

    id: int
    area_px: int
    features: Float32s


@dataclass(frozen=True)
class FeatureFrame:
    """The faces of one image, and what to record while the network looks at them.

    Attributes
    ----------
    stamp_ns : time at which the image was taken.
    faces : the faces; if there are more than `max_faces`, the largest are used.
    recording : layers to record in every step.
    """

    stamp_ns: int
    faces: Sequence[FaceInput]
    recording: RecordedLayers = NO_RECORDING

    def largest_first(self) -> list[FaceInput]:
        """Return the faces in order of decreasing area."""
        return sorted(self.faces, key=lambda face: (-face.area_px, face.id))


@dataclass(frozen=True)
class Lesson:
    """States that a face of a frame shows a label (index into `Model.labels`)."""

    label: int
    face_id: int


@dataclass(frozen=True)
class FaceResult:
    """Result for a face. `learnt` is the label of a lesson that ended in this frame, or None."""

    id: int
    answer: Answer
    activity: FrameActivity
    learnt: int | None = None


@dataclass(frozen=True)
class FrameResult:
    """Result for a frame; the faces in order of their ids."""

    frame: FeatureFrame
    timing: FrameSteps
    faces: tuple[FaceResult, ...]


class _Track:
    """What is kept of a face between frames."""

    def __init__(self, network: Network) -> None:
        self.rest(network)
        self.mirrored = False
        self.window = DecisionWindow()
        self.fit = math.inf
        self.taught = PresentationCounts()
        self.seen_ns = 0

    def rest(self, network: Network) -> None:
        """Put the neurons to rest, to start a glance."""
        self.state = network.new_face()
        self.glance_steps = 0


class Recogniser:
    """Recognises the faces of one stream. Not thread-safe.

    Attributes
    ----------
    network : the network. It copies what it changes of a model; do not change the model.
    """

    def __init__(self, model: Model, parameters: RecogniserParameters | None = None) -> None:
        """Start with no face seen.

        Raises
        ------
        ParameterError
            if the answers are restricted to labels that the model does not know.
        """
        self._parameters = parameters or RecogniserParameters()
        self._parameters.readout.check(model.labels)
        self.network = Network(model, self._parameters.network, guarded=True)
        self._familiarity = familiarity.of_features(model.feature_spec)
        self._clock = Clock(self._parameters.network.dt, self._parameters.max_catch_up)
        self._tracks: dict[int, _Track] = {}

    @property
    def parameters(self) -> RecogniserParameters:
        """The present constants. Set new ones between two frames; the state is kept."""
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: RecogniserParameters) -> None:
        self._clock.configure(parameters.network.dt, parameters.max_catch_up)
        self.network.parameters = parameters.network
        self._parameters = parameters

    @property
    def calibration(self) -> ReadoutCalibration:
        """The calibration of the answers."""
        model = self.network.model
        # Glances are presentations of still faces; a stream without glances is not.
        return model.calibration if self._parameters.glance > 0 else model.live_calibration

    def load(self, model: Model) -> None:
        """Take another model and forget all faces.

        Raises
        ------
        ParameterError
            as the constructor; nothing is changed then.
        """
        self._parameters.readout.check(model.labels)
        self.network.load(model)
        self._familiarity = familiarity.of_features(model.feature_spec)
        self.reset_state()

    def reset_state(self) -> None:
        """Reset potentials, traces and answers of all faces; keep the weights."""
        self._tracks.clear()
        self._clock.reset()

    def sees(self, face_id: int) -> bool:
        """Return whether the state of this face is kept."""
        return face_id in self._tracks

    def process(
        self, frame: FeatureFrame, max_steps: int | None = None, lesson: Lesson | None = None
    ) -> FrameResult:
        """Advance the network by a frame.

        Parameters
        ----------
        frame : the next frame of the stream.
        max_steps : as in `Clock.tick`.
        lesson : what the supervised rule learns from this frame. It learns at the end of each
            presentation, which may take several frames with the same lesson.
        """
        timing = self._clock.tick(frame.stamp_ns, max_steps)
        if not timing.continuous:
            self._tracks.clear()
        chosen = frame.largest_first()[: self._parameters.max_faces]
        faces = sorted(chosen, key=lambda face: face.id)
        # What is learnt at the end of a presentation changes the answers for the next faces.
        groups = [faces] if lesson is None else [[face] for face in faces]
        results = [
            result for group in groups for result in self._advance(frame, timing, group, lesson)
        ]
        self._forget(frame.stamp_ns)
        return FrameResult(frame, timing, tuple(results))

    def _advance(
        self,
        frame: FeatureFrame,
        timing: FrameSteps,
        faces: Sequence[FaceInput],
        lesson: Lesson | None,
    ) -> list[FaceResult]:
        tracks = [self._track(face, frame.stamp_ns, timing.steps) for face in faces]
        taught = lesson.face_id if lesson is not None else None
        activities = self.network.advance_faces(
            [track.state for track in tracks],
            [
                # A presentation from which the network learns may begin within a glance.
                self._mirrored(face.features)
                if track.mirrored and face.id != taught
                else face.features
                for face, track in zip(faces, tracks, strict=True)
            ],
            timing.steps,
            frame.recording,
            plastic=self._parameters.learning is Learning.UNSUPERVISED,
        )
        return [
            self._result(track, face, activity, lesson if face.id == taught else None)
            for face, track, activity in zip(faces, tracks, activities, strict=True)
        ]

    def _result(
        self, track: _Track, face: FaceInput, activity: FrameActivity, lesson: Lesson | None
    ) -> FaceResult:
        learnt = None
        if lesson is not None:
            track.taught.add(activity)
            if track.taught.learn(self.network, lesson.label, self._parameters.supervised):
                learnt = lesson.label
        self._look_whether_it_fits(track, face, activity.steps)
        return FaceResult(face.id, self._answer(track, activity), activity, learnt)

    def _track(self, face: FaceInput, stamp_ns: int, steps: int) -> _Track:
        track = self._tracks.pop(face.id, None) or _Track(self.network)
        # The dictionary keeps the faces in the order in which they were last seen.
        self._tracks[face.id] = track
        track.seen_ns = stamp_ns
        self._begin_glance(track, steps)
        return track

    def _look_whether_it_fits(self, track: _Track, face: FaceInput, steps: int) -> None:
        """Average the fit of the features over about a decision window."""
        if self._familiarity is None:
            return
        now = float(self._familiarity.fits(face.features[None])[0])
        elapsed = steps * self.network.parameters.dt / self._parameters.readout.decision_window
        is_first = math.isinf(track.fit)
        track.fit = now if is_first else now + (track.fit - now) * math.exp(-elapsed)

    def _mirrored(self, features: Float32s) -> Float32s:
        spec, (channels, _, _) = self.network.model.feature_spec, features.shape
        orientations = orientations_in(spec, channels)
        return mirrored(features, orientations) if orientations else features

    def _begin_glance(self, track: _Track, steps: int) -> None:
        """Put the neurons to rest if the last glance is over."""
        glance = self._parameters.glance
        if 0 < glance <= track.glance_steps * self.network.parameters.dt + TOLERANCE_S:
            track.rest(self.network)
            track.mirrored = self._parameters.mirror and not track.mirrored
        track.glance_steps += steps

    def _answer(self, track: _Track, activity: FrameActivity) -> Answer:
        model, readout = self.network.model, self._parameters.readout
        duration, counts = track.window.add(
            activity.steps * self.network.parameters.dt,
            activity.layers[EXPRESSION].counts,
            readout.decision_window,
        )
        names, n_labels = model.neuron_label, len(model.labels)
        means = label_means(np.stack((counts, track.state.layers[-1].v)), names, n_labels)
        rates_hz, potentials = means[0] / (duration or 1.0), means[1]
        allowed = readout.allowed(model.labels)
        spikes = int(counted_spikes(counts, names, allowed))
        return answer(rates_hz, potentials, spikes, self.calibration, readout, allowed, track.fit)

    def _forget(self, stamp_ns: int) -> None:
        limit = stamp_ns - round(self._parameters.forget_after * NS_PER_S)
        surplus = list(self._tracks)[:-MAX_TRACKS]
        late = [k for k, track in self._tracks.items() if track.seen_ns < limit]
        for face_id in {*surplus, *late}:
            del self._tracks[face_id]
