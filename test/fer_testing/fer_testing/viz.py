"""For tests and benchmarks: pictures to draw into, and a graph that is played."""

from __future__ import annotations

import array
import inspect
import time
from collections.abc import Callable, Sequence
from functools import partial
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
BOX = (214, 110, 210, 210)
"""Of the only face: x, y, width, height, px."""
DT_S, REST_V, RESET_V, THRESHOLD_V = 1e-3, -0.070, -0.075, -0.050
KINDS: dict[str, tuple[type[Any], Any]] = {
    "features": (FaceFeaturesArray, qos.STREAM),
    "spikes": (Spikes, qos.RESULT),
    "potentials": (Potentials, qos.RESULT),
    "expressions": (ExpressionArray, qos.RESULT),
    "weights": (Weights, qos.LATCHED),
    "network": (NetworkInfo, qos.LATCHED),
}
_SPIKE_RATE_HZ = 20.0
_WAVELENGTHS_PX, _ORIENTATIONS, _CELLS = (4, 6, 9), 8, 12


def grey(height: int = 480, width: int = 640) -> Picture:
    """Return a plain picture, (height, width, 3)."""
    return np.full((height, width, 3), 90, np.uint8)


def share_of(picture: Picture, colour: tuple[int, int, int], within: int = 0) -> float:
    """Share of pixels that have this colour, give or take `within`."""
    difference = np.abs(picture.astype(int) - np.array(colour))
    return float((difference <= within).all(axis=-1).mean())


def _without_info(callback: Callable[..., None], message: Any) -> None:
    callback(message, {})


class Loopback:
    """Stands for a node in namespace /fer whose publishers reach its own subscriptions at once."""

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callable[[Any], None]]] = {}

    def create_publisher(self, kind: type, topic: str, profile: Any) -> Any:
        """Return what has a method `publish`."""

        def publish(message: Any) -> None:
            for callback in self._callbacks.get(self.resolve_topic_name(topic), []):
                callback(message)

        return SimpleNamespace(publish=publish)

    def create_subscription(
        self, kind: type, topic: str, callback: Callable[..., None], *_: Any, **__: Any
    ) -> None:
        """Have a callback called with every message of a topic."""
        if len(inspect.signature(callback).parameters) > 1:
            # It wants to know of the message too; of these there is nothing to tell.
            callback = partial(_without_info, callback)
        self._callbacks.setdefault(self.resolve_topic_name(topic), []).append(callback)

    def resolve_topic_name(self, name: str) -> str:
        """Return the full name of a topic."""
        return name if name.startswith("/") else "/fer/" + name

    def get_clock(self) -> Any:
        """Return the clock of the machine."""
        return SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=time.time_ns()))


class PlayedGraph:
    """Publishes what a graph would, with random activity that is the same every time.

    Parameters
    ----------
    node : whose publishers they are, in the namespace of the graph.
    labels : what the network can say.
    neurons : of the expression layer, shared out among the labels in turn.
    compressed : whether pictures are sent as JPEG.
    """

    def __init__(
        self,
        node: Node,
        labels: Sequence[str] = LABELS,
        neurons: int = 0,
        compressed: bool = False,
    ) -> None:
        self.speak(labels, neurons)
        self.image_topic = "image_raw/compressed" if compressed else "image_raw"
        self._compressed = compressed
        self._node = node
        self._random = np.random.default_rng(1)
        kinds = {**KINDS, self.image_topic: (CompressedImage if compressed else Image, qos.STREAM)}
        self.publishers = {
            topic: node.create_publisher(kind, topic, profile)
            for topic, (kind, profile) in kinds.items()
        }

    def speak(self, labels: Sequence[str], neurons: int = 0) -> None:
        """Go on as a network with other labels, one neuron each unless it is said."""
        self.labels, self.neurons = tuple(labels), neurons or len(labels)

    def heard(self) -> bool:
        """Whether somebody listens to everything."""
        return all(publisher.get_subscription_count() for publisher in self.publishers.values())

    def close(self) -> None:
        """Take the publishers away."""
        for publisher in self.publishers.values():
            self._node.destroy_publisher(publisher)

    def publish_network(self, learning: str = "off", fields: int | None = None) -> None:
        """Publish weights and description; with a wrong number of receptive fields if wanted."""
        channels = [
            f"{side} {wavelength}px {180 * k / _ORIENTATIONS:g}deg"
            for side in ("ON", "OFF")
            for wavelength in _WAVELENGTHS_PX
            for k in range(_ORIENTATIONS)
        ]
        count = len(self.labels)
        seen = count if fields is None else fields
        size = seen * len(channels) * _CELLS**2
        projection = Projection(
            size=seen,
            channels=len(channels),
            rows=_CELLS,
            cols=_CELLS,
            channel_names=channels,
            weights=array.array("f", self._random.random(size, np.float32)),
        )
        self.publishers["weights"].publish(
            Weights(
                version=1,
                labels=self.labels,
                neuron_label=[k * count // self.neurons for k in range(self.neurons)],
                receptive_fields=projection,
            )
        )
        self.publishers["network"].publish(
            NetworkInfo(model="played", labels=self.labels, learning=learning)
        )

    def publish_frame(
        self,
        picture: Picture,
        said: int = 0,
        boxes: Sequence[tuple[int, int, int, int]] = (BOX,),
        layers: Sequence[str] = (),
    ) -> Image | CompressedImage:
        """Publish a picture and what the graph makes of it; return the picture's message.

        Parameters
        ----------
        picture : (height, width, 3) BGR, or (height, width) grey.
        said : index of the label of every face.
        boxes : x, y, width, height of the faces 1, 2, ...
        layers : layers whose spikes are published besides those of the expression layer.
        """
        image = self.publish_picture(picture)
        self.publish_answer(image, said, boxes, layers)
        return image

    def publish_picture(self, picture: Picture) -> Image | CompressedImage:
        """Publish a picture, (height, width, 3) BGR or (height, width) grey; return its message."""
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

    def publish_answer(
        self,
        image: Image | CompressedImage,
        said: int = 0,
        boxes: Sequence[tuple[int, int, int, int]] = (BOX,),
        layers: Sequence[str] = (),
    ) -> None:
        """Publish what the graph makes of a picture, as `publish_frame`."""
        rois = [RegionOfInterest(x_offset=x, y_offset=y, width=w, height=h) for x, y, w, h in boxes]
        send, header = self.publishers, image.header
        send["features"].publish(self._features(header, rois))
        send["spikes"].publish(self._spikes(header, len(rois), layers))
        send["potentials"].publish(self._potentials(header, len(rois)))
        faces = [self._expression(face, roi, said) for face, roi in enumerate(rois, 1)]
        send["expressions"].publish(ExpressionArray(header=header, expressions=faces))

    def _features(self, header: Any, rois: Sequence[Any]) -> FaceFeaturesArray:
        channels = len(_WAVELENGTHS_PX) * _ORIENTATIONS
        faces = [
            FaceFeatures(
                id=face,
                roi=roi,
                features=array.array("f", self._random.random(channels * _CELLS**2, np.float32)),
            )
            for face, roi in enumerate(rois, 1)
        ]
        return FaceFeaturesArray(
            header=header,
            feature_spec=f"gabor-2;o={_ORIENTATIONS}",
            channels=channels,
            rows=_CELLS,
            cols=_CELLS,
            faces=faces,
        )

    def _spikes(self, header: Any, faces: int, layers: Sequence[str]) -> Spikes:
        trains = []
        for face in range(1, faces + 1):
            sizes = {"expression": self.neurons, **dict.fromkeys(layers, 48)}
            for layer, size in sizes.items():
                fired = self._random.random((STEPS, size)) < _SPIKE_RATE_HZ * DT_S
                step, neuron = np.nonzero(fired)
                trains.append(
                    SpikeTrain(
                        face_id=face,
                        layer=layer,
                        size=size,
                        neuron=neuron.tolist(),
                        step=step.tolist(),
                    )
                )
        return Spikes(header=header, dt=DT_S, steps=STEPS, trains=trains)

    def _potentials(self, header: Any, faces: int) -> Potentials:
        traces = [
            MembraneTrace(
                face_id=face,
                layer="expression",
                size=self.neurons,
                potential=array.array(
                    "f",
                    self._random.uniform(RESET_V, THRESHOLD_V, STEPS * self.neurons).astype("f4"),
                ),
                threshold=array.array("f", [THRESHOLD_V] * self.neurons),
            )
            for face in range(1, faces + 1)
        ]
        return Potentials(
            header=header, dt=DT_S, steps=STEPS, v_rest=REST_V, v_reset=RESET_V, traces=traces
        )

    def _expression(self, face: int, roi: Any, said: int) -> Expression:
        count = len(self.labels)
        scores = [0.8 if k == said else 0.2 / max(count - 1, 1) for k in range(count)]
        return Expression(
            face_id=face,
            roi=roi,
            label=self.labels[said],
            confidence=0.9,
            labels=self.labels,
            scores=scores,
            rates_hz=[50 * score for score in scores],
        )
