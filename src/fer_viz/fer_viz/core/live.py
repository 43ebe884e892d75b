"""All that is known of the running graph at this moment, put together into scenes. No ROS here.

The thread that receives messages adds to it; the thread that draws asks for scenes. `now_s` is any
one monotonic clock.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from fer_common.core.statistics import StreamStatistics
from fer_viz.core.history import History, PotentialFrame, ScoreFrame, SpikeFrame
from fer_viz.core.joiner import Joined, Joiner, StampRing
from fer_viz.core.messages import Answers, Sightings
from fer_viz.core.scene import Face, Network, ReceptiveFields, Scene, Status

Image = TypeVar("Image")

#: Images that wait for their answer: half a second at 30 Hz, many times the latency of the graph.
WAITING_IMAGES = 16
#: The panel stays with its face until another is this much larger, so that it does not flicker
#: between two.
FOCUS_MARGIN = 1.25
#: Latencies above this are those of a recording that is played again, and say nothing.
_RECORDED_MS = 60_000.0


@dataclass(frozen=True)
class Topics:
    """Full names of what is listened to, for hints."""

    image: str
    features: str
    expressions: str


class Shot(NamedTuple, Generic[Image]):
    """An image to draw, with the answers that belong to it; None where none came in time."""

    stamp_ns: int
    image: Image
    answers: Answers | None


class Live(Generic[Image]):
    """Joins images and answers, remembers the last moments, and says what is missing.

    Parameters
    ----------
    topics : names for hints.
    now_s : present time.
    """

    def __init__(self, topics: Topics, now_s: float) -> None:
        self._lock = threading.Lock()
        self._topics = topics
        self._span_s = 1.0
        self._timeout_s = 0.5
        self._joiner: Joiner[Image, Answers] = Joiner(WAITING_IMAGES)
        self._sightings: StampRing[Sightings] = StampRing(WAITING_IMAGES)
        self._history = History(self._span_s)
        self._statistics = StreamStatistics()
        self._fields: ReceptiveFields | None = None
        self._network: Network | None = None
        self._focus: int | None = None
        self._newest: Shot[Image] | None = None
        self._wanted = 0
        self._skipped = 0
        self._restart(now_s)

    def restart(self, now_s: float) -> None:
        """Begin to listen again: forget images and history, keep weights and network."""
        with self._lock:
            self._restart(now_s)

    def configure(self, span_s: float, timeout_s: float, wanted_face: int) -> None:
        """Take over settings.

        Parameters
        ----------
        span_s : how far back potentials and spikes are shown, seconds.
        timeout_s : without answers for so long, images are shown without.
        wanted_face : id of the face that the panel is about; 0 follows the largest.
        """
        with self._lock:
            self._span_s, self._timeout_s, self._wanted = span_s, timeout_s, wanted_face
            self._history.set_span(span_s)

    # What arrives

    def add_image(self, stamp_ns: int, image: Image, now_s: float) -> Shot[Image] | None:
        """Return what can be drawn now that this image is here."""
        with self._lock:
            self._image_s = now_s
            self._newest = Shot(stamp_ns, image, None)
            joined = self._joiner.add_image(stamp_ns, image)
            if joined is not None:
                return self._shot(joined, now_s)
            # Without answers an image still waits for the places of its faces, if those come.
            silent_s = now_s - max(self._joined_s, self._sightings_s)
            return self._newest if silent_s > self._timeout_s else None

    def add_sightings(self, sightings: Sightings, now_s: float) -> Shot[Image] | None:
        """Note where the faces of an image are; return what can be drawn now."""
        with self._lock:
            self._sightings_s = now_s
            self._skipped += sightings.skipped
            self._sightings.put(sightings.stamp_ns, sightings)
            image = self._joiner.image(sightings.stamp_ns)
            late = now_s - self._joined_s > self._timeout_s
            return Shot(sightings.stamp_ns, image, None) if late and image is not None else None

    def add_answers(self, answers: Answers, now_s: float, latency_s: float) -> Shot[Image] | None:
        """Return what can be drawn now that these answers are here."""
        with self._lock:
            self._answers_s = now_s
            self._statistics.add(now_s, latency_s)
            self._skipped += answers.skipped
            for face in answers.faces:
                scores = np.asarray(face.scores, np.float32)
                self._history.face(face.id).scores.add(ScoreFrame(answers.stamp_ns, scores))
            joined = self._joiner.add_result(answers.stamp_ns, answers)
            return None if joined is None else self._shot(joined, now_s)

    def add_potentials(self, frames: dict[int, PotentialFrame]) -> None:
        """Remember potentials by face."""
        with self._lock:
            for face_id, frame in frames.items():
                if len(frame.potential_v):
                    self._history.face(face_id).potentials.add(frame)

    def add_spikes(self, frames: dict[int, SpikeFrame]) -> None:
        """Remember spikes by face."""
        with self._lock:
            for face_id, frame in frames.items():
                if frame.steps:
                    self._history.face(face_id).spikes.add(frame)

    def set_fields(self, fields: ReceptiveFields) -> None:
        """Take over new weights."""
        with self._lock:
            self._fields = fields

    def set_network(self, network: Network) -> None:
        """Take over a new description of the network."""
        with self._lock:
            self._network = network

    # What is shown

    def scene(self, shot: Shot[Image], now_s: float) -> Scene:
        """Return everything that goes with an image."""
        with self._lock:
            faces = self._faces(shot)
            focus = self._follow(faces)
            traces, raster = (
                (None, None) if focus is None else self._history.window(focus.id, self._span_s)
            )
            return Scene(
                faces=faces,
                focus=focus,
                traces=traces,
                raster=raster,
                fields=self._fields,
                network=self._network,
                status=self._status(now_s, "" if shot.answers is not None else self._hint(now_s)),
                span_s=self._span_s,
            )

    def stalled(self, now_s: float) -> Shot[Image] | None:
        """Return the newest image once no more come, None while they do or before the first."""
        with self._lock:
            return self._newest if now_s - self._image_s > self._timeout_s else None

    def hint(self, now_s: float) -> str:
        """Return what is missing and what to do, empty when everything comes."""
        with self._lock:
            return self._hint(now_s)

    def _restart(self, now_s: float) -> None:
        self._newest = None
        self._joiner.clear()
        self._sightings.clear()
        self._history.clear()
        self._statistics = StreamStatistics()
        self._image_s = self._sightings_s = self._answers_s = self._joined_s = now_s

    def _shot(self, joined: Joined[Image, Answers], now_s: float) -> Shot[Image]:
        self._joined_s = now_s
        return Shot(*joined)

    def _faces(self, shot: Shot[Image]) -> tuple[Face, ...]:
        """Faces of the answers with their landmarks; without answers, as they were found."""
        sightings = self._sightings.get(shot.stamp_ns)
        if shot.answers is None:
            return () if sightings is None else sightings.faces
        landmarks = (
            {face.id: face.landmarks_px for face in sightings.faces}
            if sightings is not None
            else {}
        )
        return tuple(
            replace(face, landmarks_px=landmarks[face.id]) if face.id in landmarks else face
            for face in shot.answers.faces
        )

    def _follow(self, faces: tuple[Face, ...]) -> Face | None:
        """Return the wanted face, else the one so far unless another is clearly larger."""
        if not faces:
            return None
        by_id = {face.id: face for face in faces}
        largest = max(faces, key=lambda face: face.area_px)
        followed = by_id.get(self._wanted) or by_id.get(self._focus or 0)
        if followed is None or (
            followed.id != self._wanted and largest.area_px > FOCUS_MARGIN * followed.area_px
        ):
            followed = largest
        self._focus = followed.id
        return followed

    def _status(self, now_s: float, hint: str) -> Status:
        latency_ms = self._statistics.latency_ms(0.5)
        if not 0 <= latency_ms <= _RECORDED_MS:
            latency_ms = math.nan
        return Status(self._statistics.rate_hz(now_s), latency_ms, self._skipped, hint)

    def _hint(self, now_s: float) -> str:
        for heard_s, what, topic, remedy in (
            (self._image_s, "image", self._topics.image, "is the camera node up?"),
            (self._sightings_s, "features", self._topics.features, "is the features node up?"),
            (self._answers_s, "results", self._topics.expressions, "is the snn node up?"),
        ):
            if now_s - heard_s > self._timeout_s:
                return f"no {what} on {topic} for {_seconds(now_s - heard_s)}: {remedy}"
        if now_s - self._joined_s > self._timeout_s:
            return (
                f"results on {self._topics.expressions} are not of images on {self._topics.image}"
            )
        return ""


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.1f} s" if duration_s < 1 else f"{duration_s:.0f} s"
