"""Builds scenes from what is known of the running graph, without ROS.

The thread that receives messages adds to it; the thread that draws asks for scenes. All `now_s` are
times of one monotonic clock.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

from fer_common.core.stamps import to_ns
from fer_common.core.statistics import StreamStatistics
from fer_viz.core import messages
from fer_viz.core.history import (
    FaceHistories,
    PotentialFrame,
    ScoreFrame,
    SimulationLag,
    SpikeFrame,
)
from fer_viz.core.messages import ImageFaces
from fer_viz.core.scene import (
    FEATURE_LAYER,
    Face,
    FeatureMap,
    NetworkSummary,
    ReceptiveFields,
    Scene,
    SceneStatus,
    selected_face,
)
from fer_viz.core.synchroniser import StampBuffer, Synchroniser

Image = TypeVar("Image")

#: Images that wait for their results: half a second at 30 Hz, many times the latency of the graph.
WAITING_IMAGES = 16
#: The focus stays on its face until another one is this much larger, so that it does not flicker.
FOCUS_MARGIN = 1.25
#: Larger latencies are those of a recording that is played, and mean nothing.
_RECORDED_MS = 60_000.0


class GraphTopics(NamedTuple):
    """Full names of the subscribed topics, for hints."""

    image: str
    features: str
    expressions: str


@dataclass(frozen=True)
class AnnotatedImage(Generic[Image]):
    """An image to draw with its results; None where none came in time."""

    stamp_ns: int
    image: Image
    results: ImageFaces | None


class SceneBuilder(Generic[Image]):
    """Matches images with results, remembers the last moments, and tells what is missing.

    Attributes
    ----------
    span_s, timeout_s : as for `configure`.
    """

    def __init__(self, topics: GraphTopics, now_s: float) -> None:
        self._lock = threading.Lock()
        self._topics = topics
        self.span_s = 1.0
        self.timeout_s = 0.5
        self._synchroniser: Synchroniser[Image, ImageFaces] = Synchroniser(WAITING_IMAGES)
        self._detections: StampBuffer[ImageFaces] = StampBuffer(WAITING_IMAGES)
        self._histories = FaceHistories(self.span_s)
        self._fields: ReceptiveFields | None = None
        self._network: NetworkSummary | None = None
        self._focus_id = 0
        self._wanted_id = 0
        self._skipped = 0
        self._shown: AnnotatedImage[Image] | None = None
        self._shown_s = now_s
        self.restart(now_s)

    def restart(self, now_s: float) -> None:
        """Forget images and history, keep weights and network."""
        with self._lock:
            self._newest: AnnotatedImage[Image] | None = None
            self._synchroniser.clear()
            self._detections.clear()
            self._histories.clear()
            self._statistics = StreamStatistics()
            self._lag = SimulationLag()
            self._features: dict[int, FeatureMap] = {}
            self._results: ImageFaces | None = None
            self._image_s = self._detections_s = self._results_s = self._matched_s = now_s

    def configure(self, span_s: float, timeout_s: float, wanted_face: int) -> None:
        """Apply settings.

        Parameters
        ----------
        span_s : how far back potentials and spikes are shown, seconds.
        timeout_s : without results for this long, images are shown without.
        wanted_face : id of the face to show in detail; 0 for the largest.
        """
        with self._lock:
            self.span_s, self.timeout_s, self._wanted_id = span_s, timeout_s, wanted_face
            self._histories.set_span(span_s)

    # Messages

    def add_image(self, stamp_ns: int, image: Image, now_s: float) -> AnnotatedImage[Image] | None:
        """Return what can be drawn now that this image is here."""
        with self._lock:
            self._image_s = now_s
            self._newest = AnnotatedImage(stamp_ns, image, None)
            results = self._synchroniser.add_image(stamp_ns, image)
            if results is not None:
                self._matched_s = now_s
                return AnnotatedImage(stamp_ns, image, results)
            # Without results an image still waits for its detections, as long as those come.
            silent_s = now_s - max(self._matched_s, self._detections_s)
            return self._newest if silent_s > self.timeout_s else None

    def add_detections(self, found: ImageFaces, now_s: float) -> AnnotatedImage[Image] | None:
        """Note where the faces of an image are; return what can be drawn now."""
        with self._lock:
            self._detections_s = now_s
            self._skipped += found.skipped
            self._detections.put(found.stamp_ns, found)
            image = self._synchroniser.image(found.stamp_ns)
            if image is None or now_s - self._matched_s <= self.timeout_s:
                return None
            return AnnotatedImage(found.stamp_ns, image, None)

    def add_results(
        self, results: ImageFaces, now_s: float, latency_s: float
    ) -> AnnotatedImage[Image] | None:
        """Return what can be drawn now that these results are here."""
        with self._lock:
            self._results, self._results_s = results, now_s
            self._statistics.add(now_s, latency_s)
            self._skipped += results.skipped
            for face in results.faces:
                confidence = face.confidence if face.label_index >= 0 else 0.0
                frame = ScoreFrame(
                    results.stamp_ns, face.labels, face.scores, face.rates_hz, confidence
                )
                self._histories.face(face.id).scores.add(frame)
            image = self._synchroniser.add_result(results.stamp_ns, results)
            if image is None:
                return None
            self._matched_s = now_s
            return AnnotatedImage(results.stamp_ns, image, results)

    def add_potentials(self, frames: dict[int, PotentialFrame]) -> None:
        """Remember potentials by face id."""
        with self._lock:
            for face_id, frame in frames.items():
                if len(frame.potential_v):
                    self._histories.face(face_id).potentials.add(frame)

    def add_spikes(self, frames: dict[int, SpikeFrame]) -> None:
        """Remember spikes by face id."""
        with self._lock:
            for face_id, frame in frames.items():
                if frame.steps:
                    self._histories.face(face_id).spikes.add(frame)

    def add_message(self, topic: str, message: Any) -> None:
        """Take from a message what the other methods do not.

        Raises
        ------
        MessageError
            if its fields are inconsistent.
        """
        if topic == "features":
            features = messages.features(message)
            with self._lock:
                self._features = features
        elif topic == "spikes":
            frames = messages.spikes(message, FEATURE_LAYER)
            with self._lock:
                self._lag.add(to_ns(message.header.stamp), message.steps * message.dt)
                for face_id, history in self._histories.items():
                    if face_id not in frames:
                        history.feature_spikes.clear()
                for face_id, frame in frames.items():
                    self._histories.face(face_id).feature_spikes.add(frame)

    def set_fields(self, fields: ReceptiveFields) -> None:
        """Set new weights."""
        with self._lock:
            self._fields = fields

    def set_network(self, network: NetworkSummary) -> None:
        """Set a new description of the network."""
        with self._lock:
            self._network = network

    # Drawing

    def scene(self, shown: AnnotatedImage[Image], now_s: float) -> Scene:
        """Return everything that belongs to an image."""
        with self._lock:
            return self._scene(shown, now_s)

    def show(self, image: AnnotatedImage[Image], now_s: float) -> None:
        """Let `view` show an image from now on."""
        with self._lock:
            self._shown, self._shown_s = image, now_s

    def view(self, now_s: float) -> tuple[Image | None, Scene]:
        """Return the image to show and its scene.

        The image is None before the first one, and while results come without images.
        """
        with self._lock:
            shown = self._current(now_s)
            return shown.image, self._scene(shown, now_s)

    def _current(self, now_s: float) -> AnnotatedImage[Any]:
        if self._shown is not None and now_s - self._shown_s <= self.timeout_s:
            return self._shown
        if self._results is not None and now_s - self._results_s <= self.timeout_s:
            return AnnotatedImage(self._results.stamp_ns, None, self._results)
        # The last image stays, without its results: they are out of date.
        return AnnotatedImage(0, None if self._shown is None else self._shown.image, None)

    def stalled(self, now_s: float) -> AnnotatedImage[Image] | None:
        """Return the newest image if no more come, None while they do and before the first."""
        with self._lock:
            return self._newest if now_s - self._image_s > self.timeout_s else None

    def hint(self, now_s: float) -> str:
        """Return what is missing and what to do, empty when all is well."""
        with self._lock:
            return self._hint(now_s)

    def _scene(self, shown: AnnotatedImage[Image], now_s: float) -> Scene:
        faces = self._faces(shown)
        focus = self._choose_focus(faces)
        history = None if focus is None else self._histories.get(focus.id)
        traces, raster = (None, None) if history is None else history.window(self.span_s)
        features = None if focus is None else self._features.get(focus.id)
        hint = "" if shown.results is not None else self._hint(now_s)
        return Scene(
            faces=faces,
            focus=focus,
            traces=traces,
            raster=raster,
            fields=self._fields,
            network=self._network,
            status=self._status(now_s, hint),
            span_s=self.span_s,
            features=features,
            feature_raster=None if history is None else history.feature_raster(self.span_s),
            scores=None if history is None else history.score_history(),
        )

    def _faces(self, shown: AnnotatedImage[Image]) -> tuple[Face, ...]:
        """Return faces with results and landmarks; as they were detected without results."""
        detections = self._detections.get(shown.stamp_ns)
        detected = () if detections is None else detections.faces
        if shown.results is None:
            return detected
        landmarks = {face.id: face.landmarks_px for face in detected}
        return tuple(
            replace(face, landmarks_px=landmarks[face.id]) if face.id in landmarks else face
            for face in shown.results.faces
        )

    def _choose_focus(self, faces: tuple[Face, ...]) -> Face | None:
        """Return the wanted face, else the last focus unless another face is clearly larger."""
        focus = selected_face(faces, self._wanted_id)
        if focus is not None and focus.id != self._wanted_id:
            largest, last = focus, selected_face(faces, self._focus_id)
            if last is not None and largest.area_px <= FOCUS_MARGIN * last.area_px:
                focus = last
        if focus is not None:
            self._focus_id = focus.id
        return focus

    def _status(self, now_s: float, hint: str) -> SceneStatus:
        latency_ms = self._statistics.latency_ms(0.5)
        if not 0 <= latency_ms <= _RECORDED_MS:
            latency_ms = math.nan
        rate_hz, lag_s = self._statistics.rate_hz(now_s), self._lag.lag_s
        return SceneStatus(rate_hz, latency_ms, self._skipped, hint, lag_s)

    def _hint(self, now_s: float) -> str:
        for received_s, what, topic, node in (
            (self._image_s, "image", self._topics.image, "camera"),
            (self._detections_s, "features", self._topics.features, "features"),
            (self._results_s, "results", self._topics.expressions, "snn"),
        ):
            silent_s = now_s - received_s
            if silent_s > self.timeout_s:
                duration = f"{silent_s:.1f} s" if silent_s < 1 else f"{silent_s:.0f} s"
                return f"no {what} on {topic} for {duration}: is the {node} node up?"
        if now_s - self._matched_s > self.timeout_s:
            return (
                f"results on {self._topics.expressions} are not of images on {self._topics.image}"
            )
        return ""
