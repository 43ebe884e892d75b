"""For tests and benchmarks: pictures to draw into, and a graph that is played."""

from __future__ import annotations

import array
import inspect
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, RegionOfInterest

from fer_common.core import images
from fer_common.ros import qos
from fer_interfaces.msg import (
    Expression,
    ExpressionArray,
    FaceFeatures,
    FaceFeaturesArray,
    MembraneTrace,
    NetworkInfo,
    Potentials,
    Projection,
    Spikes,
    SpikeTrain,
    Weights,
)

Picture = npt.NDArray[np.uint8]

LABELS = ("neutral", "smile", "surprised")
STEPS = 33
#: Of the only face: x, y, width, height, px.
BOX = (214, 110, 210, 210)
DT_S, REST_V, RESET_V, THRESHOLD_V = 1e-3, -0.070, -0.075, -0.050
TOPICS: dict[str, tuple[type[Any], Any]] = {
    "features": (FaceFeaturesArray, qos.STREAM),
    "spikes": (Spikes, qos.RESULT),
    "potentials": (Potentials, qos.RESULT),
    "expressions": (ExpressionArray, qos.RESULT),
    "weights": (Weights, qos.LATCHED),
    "network": (NetworkInfo, qos.LATCHED),
}
_SPIKE_RATE_HZ = 20.0
_WAVELENGTHS_PX, _ORIENTATIONS, _CELLS = (4, 6, 9), 8, 12
_FEATURE_NEURONS = 48


def grey(height: int = 480, width: int = 640) -> Picture:
    """Return a plain picture, (height, width, 3)."""
    return np.full((height, width, 3), 90, np.uint8)


def share_of(picture: Picture, colour: tuple[int, int, int], within: int = 0) -> float:
    """Return the share of pixels with this colour, give or take `within`."""
    difference = np.abs(picture.astype(int) - np.array(colour))
    return float((difference <= within).all(axis=-1).mean())


class Loopback:
    """Replaces a node in namespace /fer; its publishers call its own subscriptions directly."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[Any], None]]] = {}

    def create_publisher(self, kind: type, topic: str, profile: Any) -> Any:
        """Return an object with a method `publish`."""

        def publish(message: Any) -> None:
            for callback in self._callbacks.get(self.resolve_topic_name(topic), []):
                callback(message)

        return SimpleNamespace(publish=publish)

    def create_subscription(
        self, kind: type, topic: str, callback: Callable[..., None], *_: Any, **__: Any
    ) -> None:
        """Call back with every message of a topic."""
        # Some callbacks also take the information of the message, which is empty here.
        more: list[Any] = [{}] * (len(inspect.signature(callback).parameters) - 1)
        callbacks = self._callbacks.setdefault(self.resolve_topic_name(topic), [])
        callbacks.append(lambda message: callback(message, *more))

    def resolve_topic_name(self, name: str) -> str:
        """Return the full name of a topic."""
        return name if name.startswith("/") else "/fer/" + name

    def get_clock(self) -> Any:
        """Return the system clock."""
        return SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=time.time_ns()))


class PlayedGraph:
    """Publishes what a graph would, with random activity that is always the same.

    Parameters
    ----------
    node : owner of the publishers, in the namespace of the graph.
    labels : of the network.
    neurons : of the expression layer, shared equally among the labels; 0 for one each.
    compressed : whether images are sent as JPEG.
    """

    def __init__(
        self, node: Node, labels: Sequence[str] = LABELS, neurons: int = 0, compressed: bool = False
    ) -> None:
        self.set_labels(labels, neurons)
        self.image_topic = "image_raw/compressed" if compressed else "image_raw"
        self._compressed = compressed
        self._node = node
        self._random = np.random.default_rng(1)
        topics = {
            **TOPICS,
            self.image_topic: (CompressedImage if compressed else Image, qos.STREAM),
        }
        self.publishers = {
            topic: node.create_publisher(kind, topic, profile)
            for topic, (kind, profile) in topics.items()
        }

    def set_labels(self, labels: Sequence[str], neurons: int = 0) -> None:
        """Continue as a network with other labels and neurons."""
        self.labels, self.neurons = tuple(labels), neurons or len(labels)

    def subscribed(self) -> bool:
        """Return whether every topic has a subscriber."""
        return all(publisher.get_subscription_count() for publisher in self.publishers.values())

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self.publishers.values():
            self._node.destroy_publisher(publisher)

    def publish_network(self, learning: str = "off", fields: int | None = None) -> None:
        """Publish weights and description; with a wrong number of receptive fields on demand."""
        channels = [
            f"{side} {wavelength}px {180 * k / _ORIENTATIONS:g}deg"
            for side in ("ON", "OFF")
            for wavelength in _WAVELENGTHS_PX
            for k in range(_ORIENTATIONS)
        ]
        count = len(self.labels)
        size = count if fields is None else fields
        projection = Projection(
            size=size,
            channels=len(channels),
            rows=_CELLS,
            cols=_CELLS,
            channel_names=channels,
            weights=self._floats(size * len(channels) * _CELLS**2),
        )
        self.publishers["weights"].publish(
            Weights(
                version=1,
                labels=self.labels,
                neuron_label=[k * count // self.neurons for k in range(self.neurons)],
                receptive_fields=projection,
            )
        )
        network = NetworkInfo(model="played", labels=self.labels, learning=learning)
        self.publishers["network"].publish(network)

    def publish_frame(
        self,
        picture: Picture,
        predicted: int = 0,
        boxes: Sequence[tuple[int, int, int, int]] = (BOX,),
        layers: Sequence[str] = (),
    ) -> Image | CompressedImage:
        """Publish an image and its results; return the message of the image.

        Parameters
        ----------
        picture : (height, width, 3) BGR, or (height, width) grey.
        predicted : index of the predicted label of every face.
        boxes : x, y, width, height of the faces 1, 2, ...
        layers : layers whose spikes are published besides those of the expression layer.
        """
        image = self.publish_picture(picture)
        self.publish_results(image, predicted, boxes, layers)
        return image

    def publish_picture(self, picture: Picture) -> Image | CompressedImage:
        """Publish an image, (height, width, 3) BGR or (height, width) grey; return its message."""
        image = CompressedImage() if self._compressed else Image()
        image.header.frame_id = "camera_optical"
        stamp = image.header.stamp
        stamp.sec, stamp.nanosec = divmod(time.time_ns(), 10**9)
        if self._compressed:
            images.fill_compressed(image, picture, 95)
        else:
            images.fill(image, picture, "bgr8" if picture.shape[2:] else "mono8")
        self.publishers[self.image_topic].publish(image)
        return image

    def publish_results(
        self,
        image: Image | CompressedImage,
        predicted: int = 0,
        boxes: Sequence[tuple[int, int, int, int]] = (BOX,),
        layers: Sequence[str] = (),
    ) -> None:
        """Publish the results of an image, as `publish_frame`."""
        rois = [RegionOfInterest(x_offset=x, y_offset=y, width=w, height=h) for x, y, w, h in boxes]
        count, header = len(self.labels), image.header
        channels = len(_WAVELENGTHS_PX) * _ORIENTATIONS
        scores = [0.8 if k == predicted else 0.2 / max(count - 1, 1) for k in range(count)]
        features, spikes, potentials, expressions = [], [], [], []
        for face, roi in enumerate(rois, 1):
            values = self._floats(channels * _CELLS**2)
            features.append(FaceFeatures(id=face, roi=roi, features=values))
            spikes += self._spikes(face, layers)
            potentials.append(self._potentials(face))
            expressions.append(
                Expression(
                    face_id=face,
                    roi=roi,
                    label=self.labels[predicted],
                    confidence=0.9,
                    labels=self.labels,
                    scores=scores,
                    rates_hz=[50 * score for score in scores],
                )
            )
        spec, steps = f"gabor-2;o={_ORIENTATIONS}", {"header": header, "dt": DT_S, "steps": STEPS}
        shape = {"channels": channels, "rows": _CELLS, "cols": _CELLS}
        rest = {"v_rest": REST_V, "v_reset": RESET_V}
        for topic, message in (
            (
                "features",
                FaceFeaturesArray(header=header, feature_spec=spec, faces=features, **shape),
            ),
            ("spikes", Spikes(trains=spikes, **steps)),
            ("potentials", Potentials(traces=potentials, **steps, **rest)),
            ("expressions", ExpressionArray(header=header, expressions=expressions)),
        ):
            self.publishers[topic].publish(message)

    def _floats(self, count: int) -> array.array[float]:
        return array.array("f", self._random.random(count, np.float32))

    def _spikes(self, face: int, layers: Sequence[str]) -> list[SpikeTrain]:
        trains = []
        sizes = {"expression": self.neurons, **dict.fromkeys(layers, _FEATURE_NEURONS)}
        for layer, size in sizes.items():
            fired = self._random.random((STEPS, size)) < _SPIKE_RATE_HZ * DT_S
            step, neuron = (indices.tolist() for indices in np.nonzero(fired))
            trains.append(
                SpikeTrain(face_id=face, layer=layer, size=size, neuron=neuron, step=step)
            )
        return trains

    def _potentials(self, face: int) -> MembraneTrace:
        values = self._random.uniform(RESET_V, THRESHOLD_V, STEPS * self.neurons)
        return MembraneTrace(
            face_id=face,
            layer="expression",
            size=self.neurons,
            potential=array.array("f", values.astype("f4")),
            threshold=array.array("f", [THRESHOLD_V] * self.neurons),
        )
