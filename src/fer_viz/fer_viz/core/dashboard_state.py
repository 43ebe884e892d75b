"""What the dashboard shows. Neither Qt nor ROS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from fer_common.core.stamps import to_ns
from fer_viz.core import messages
from fer_viz.core.history import SimulationLag
from fer_viz.core.messages import ImageFaces
from fer_viz.core.scene import FeatureMap, Scene
from fer_viz.core.scene_builder import AnnotatedImage, GraphTopics, Image, SceneBuilder

FEATURE_LAYER = "feature"
LEARNING_MODES = ("off", "unsupervised", "supervised")
#: How long a click on a label teaches, seconds of the images' stamps.
TEACH_S = 2.0
#: Longest span of potentials and spikes.
MAX_SPAN_S = 5.0
#: Without images for this long, results are shown without.
IMAGE_TIMEOUT_S = 1.0


class Note(NamedTuple):
    """A sentence for the user: what was done, or why it was not."""

    text: str
    good: bool


class DashboardState(SceneBuilder[Image]):
    """A scene builder that also keeps features, score histories and the feature layer."""

    def __init__(self, topics: GraphTopics, now_s: float) -> None:
        super().__init__(topics, now_s)
        self._shown: AnnotatedImage[Image] | None = None
        self._shown_s = now_s
        self._results: ImageFaces | None = None
        self._features: dict[int, FeatureMap] = {}
        self._lag = SimulationLag()
        self.configure(self._span_s, IMAGE_TIMEOUT_S, self._wanted_id)

    @property
    def span_s(self) -> float:
        """How far back potentials and spikes are shown, seconds."""
        return self._span_s

    @span_s.setter
    def span_s(self, span_s: float) -> None:
        self.configure(min(span_s, MAX_SPAN_S), IMAGE_TIMEOUT_S, self._wanted_id)

    @property
    def wanted_face(self) -> int:
        """Id of the face to show in detail; 0 for the largest."""
        return self._wanted_id

    @wanted_face.setter
    def wanted_face(self, face_id: int) -> None:
        self.configure(self._span_s, IMAGE_TIMEOUT_S, face_id)

    def show(self, image: AnnotatedImage[Image], now_s: float) -> None:
        """Show an image from now on."""
        with self._lock:
            self._shown, self._shown_s = image, now_s

    def add_results(
        self, results: ImageFaces, now_s: float, latency_s: float
    ) -> AnnotatedImage[Image] | None:
        """Return what can be drawn now that these results are here."""
        image = super().add_results(results, now_s, latency_s)
        with self._lock:
            self._results = results
        return image

    def add_message(self, topic: str, message: Any) -> None:
        """Take from a message what the scene builder does not keep.

        Raises
        ------
        MessageError
            if its fields are inconsistent.
        """
        with self._lock:
            if topic == "features":
                self._features = messages.features(message)
            elif topic == "spikes":
                self._lag.add(to_ns(message.header.stamp), message.steps * message.dt)
                frames = messages.spikes(message, FEATURE_LAYER)
                for face_id in self._histories.faces:
                    history = self._histories.get(face_id)
                    if history is not None and face_id not in frames:
                        history.feature_spikes.clear()
                for face_id, frame in frames.items():
                    self._histories.face(face_id).feature_spikes.add(frame)

    def view(self, now_s: float) -> tuple[Image | None, Scene]:
        """Return the image to show and its scene.

        The image is None before the first one, and while results come without images.
        """
        with self._lock:
            shown = self._current(now_s)
            scene = self._scene(shown, now_s)
            features = raster = scores = None
            if scene.focus is not None:
                features = self._features.get(scene.focus.id)
                if history := self._histories.get(scene.focus.id):
                    raster = history.feature_raster(self._span_s)
                    scores = history.score_history()
            status = replace(scene.status, lag_s=self._lag.lag_s)
            return shown.image, replace(
                scene, features=features, feature_raster=raster, scores=scores, status=status
            )

    def _current(self, now_s: float) -> AnnotatedImage[Any]:
        if self._shown is not None and now_s - self._shown_s <= IMAGE_TIMEOUT_S:
            return self._shown
        if self._results is not None and now_s - self._results_s <= IMAGE_TIMEOUT_S:
            return AnnotatedImage(self._results.stamp_ns, None, self._results)
        # The last image stays, without its results: they are out of date.
        return AnnotatedImage(0, None if self._shown is None else self._shown.image, None)
