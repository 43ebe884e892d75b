"""What the dashboard shows, collected from messages. Neither Qt nor ROS.

The thread that receives messages adds to it, the thread that draws asks for views. Only the newest
is kept, and a bounded history.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fer_common.core.stamps import to_ns
from fer_viz.core import messages
from fer_viz.core.history import FaceLog, SpikeFrame, raster
from fer_viz.core.live import Live, Shot, Topics
from fer_viz.core.maps import FeatureMap, WeightMaps, feature_maps, weight_maps
from fer_viz.core.messages import Answers
from fer_viz.core.scene import Raster, Scene
from fer_viz.core.trends import SimulationLag, Trend, Trends

Image = TypeVar("Image")

FEATURE_LAYER = "feature"
#: Potentials and spikes are remembered for at most this long.
MAX_SPAN_S = 5.0
#: Without images for so long, answers are shown without.
IMAGE_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class View(Generic[Image]):
    """What is shown at one moment.

    Attributes
    ----------
    image : newest picture, None before the first and while answers come without.
    scene : everything that goes with it.
    features : of the face that is followed.
    feature_raster : spikes of the feature layer, None unless they are published.
    lag_s : time of the stamps that was not simulated in the last seconds.
    """

    image: Image | None
    scene: Scene
    features: FeatureMap | None
    feature_raster: Raster | None
    lag_s: float


class State(Generic[Image]):
    """Joins what `Live` knows with features, trends and the feature layer.

    Parameters
    ----------
    topics : full names, for hints.
    now_s : present time.
    """

    def __init__(self, topics: Topics, now_s: float) -> None:
        self.live: Live[Image] = Live(topics, now_s)
        self._lock = threading.Lock()
        self._span_s, self._wanted = 1.0, 0
        self._shot: Shot[Image] | None = None
        self._shot_s = now_s
        self._answers: Answers | None = None
        self._answers_s = now_s
        self._features: dict[int, FeatureMap] = {}
        self._weights: WeightMaps | None = None
        self._trends = Trends()
        self._lag = SimulationLag()
        self._feature_spikes: dict[int, FaceLog] = {}
        self._configure()

    # What is wanted

    @property
    def span_s(self) -> float:
        """How far back potentials and spikes are shown, seconds."""
        return self._span_s

    @span_s.setter
    def span_s(self, span_s: float) -> None:
        self._span_s = min(span_s, MAX_SPAN_S)
        self._configure()

    @property
    def wanted_face(self) -> int:
        """Id of the face that is followed; 0 follows the largest."""
        return self._wanted

    @wanted_face.setter
    def wanted_face(self, face_id: int) -> None:
        self._wanted = face_id
        self._configure()

    def _configure(self) -> None:
        self.live.configure(self._span_s, IMAGE_TIMEOUT_S, self._wanted)

    # What arrives, in the thread that receives

    def offer(self, shot: Shot[Image], now_s: float) -> None:
        """Take a picture; it replaces the one before."""
        with self._lock:
            self._shot, self._shot_s = shot, now_s

    def take(self, topic: str, message: Any, now_s: float) -> None:
        """Take a message of one of the topics that `GraphListener` listens to.

        Raises
        ------
        MessageError
            if its parts do not go together.
        """
        with self._lock:
            if topic == "features":
                self._features = feature_maps(message)
            elif topic == "expressions":
                self._answers, self._answers_s = messages.answers(message), now_s
                self._trends.add(self._answers.stamp_ns, self._answers.faces)
            elif topic == "weights":
                self._weights = weight_maps(message)
            elif topic == "spikes":
                self._take_spikes(message)

    def _take_spikes(self, message: Any) -> None:
        stamp_ns = to_ns(message.header.stamp)
        self._lag.add(stamp_ns, message.steps * message.dt)
        frames = messages.spikes(message, FEATURE_LAYER)
        # Only faces in view, and nothing once the layer is published no more.
        self._feature_spikes = {
            face_id: self._feature_log(face_id, frame) for face_id, frame in frames.items()
        }

    def _feature_log(self, face_id: int, frame: SpikeFrame) -> FaceLog:
        log = self._feature_spikes.get(face_id) or FaceLog(self._span_s)
        log.set_span(self._span_s)
        log.spikes.add(frame)
        return log

    # What is shown, in the thread that draws

    @property
    def weights(self) -> WeightMaps | None:
        """Newest weights, None before the first."""
        return self._weights

    def view(self, now_s: float) -> View[Image]:
        """Return what is to be seen now."""
        with self._lock:
            shot, answers = self._shot, self._answers
            blind = shot is None or now_s - self._shot_s > IMAGE_TIMEOUT_S
            answered = answers is not None and now_s - self._answers_s <= IMAGE_TIMEOUT_S
            shown: Shot[Any]
            if blind and answered and answers is not None:
                shown = Shot(answers.stamp_ns, None, answers)
            elif shot is None or blind:
                # What was said of the last picture is said no more; the picture stays.
                shown = Shot(0, None if shot is None else shot.image, None)
            else:
                shown = shot
        scene = self.live.scene(shown, now_s)
        with self._lock:
            return self._view(shown.image, scene)

    def trend(self, face_id: int) -> Trend | None:
        """Return scores and rates of a face over the last half minute."""
        with self._lock:
            return self._trends.of(face_id)

    def _view(self, image: Image | None, scene: Scene) -> View[Image]:
        focus = scene.focus
        features = spikes = None
        if focus is not None:
            features = self._features.get(focus.id)
            log = self._feature_spikes.get(focus.id)
            newest = None if log is None else log.spikes.newest
            if log is not None and newest is not None:
                begin_ns = newest.end_ns - round(self._span_s * 1e9)
                spikes = raster(log.spikes.between(begin_ns, newest.end_ns), newest.end_ns)
        return View(image, scene, features, spikes, self._lag.lag_s)
