"""Topics of the viz node: pictures, drawn only for subscribers, and plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension

from fer_common.core import images
from fer_common.ros import qos
from fer_common.ros.node import FerNode, subscription_count
from fer_viz.core.drawing.renderer import PictureOptions, Renderer
from fer_viz.core.scene import ReceptiveFields, Scene, selected_face

#: Topics of pictures, and whether they have the panel.
PICTURES = {"overlay": False, "dashboard": True}
NUMBERS = ("scores", "rates", "label_potentials")


class PictureOutput:
    """A topic of pictures, raw and compressed.

    Parameters
    ----------
    node : owner of the topics.
    topic : one of `PICTURES`.
    """

    def __init__(self, node: FerNode, topic: str) -> None:
        self._with_panel = PICTURES[topic]
        self._renderer = Renderer(PictureOptions())
        self._raw = node.add_publisher(Image, topic, qos.STREAM)
        self._compressed = node.add_publisher(CompressedImage, f"{topic}/compressed", qos.STREAM)
        self._message = Image()
        self.publishers: Sequence[Publisher[Any]] = (self._raw, self._compressed)

    def publish(
        self,
        header: Header,
        image: images.Pixels,
        scene: Scene,
        options: PictureOptions,
        quality: int,
    ) -> None:
        """Draw a picture and publish it to the subscribers."""
        options = replace(options, with_panel=self._with_panel)
        if self._renderer.options != options:
            self._renderer = Renderer(options)
        canvas = self._canvas(self._renderer.shape(image))
        self._renderer.draw(image, scene, canvas)
        if subscription_count(self._raw):
            self._message.header = header
            self._raw.publish(self._message)
        if subscription_count(self._compressed):
            small = CompressedImage(header=header)
            images.fill_compressed(small, canvas, quality)
            self._compressed.publish(small)

    def _canvas(self, shape: tuple[int, int, int]) -> images.Pixels:
        """Return the pixels of the message to be published, so that nothing is copied."""
        if (self._message.height, self._message.width) != shape[:2]:
            self._message = Image()
            images.fill(self._message, np.zeros(shape, np.uint8), "bgr8")
        return np.frombuffer(self._message.data, np.uint8).reshape(shape)


class NumberOutput:
    """Scores, rates and potentials of one face, one number for each label.

    They suit tools that plot any number, such as rqt_plot: `/fer/rates/data[0]`.
    """

    def __init__(self, node: FerNode) -> None:
        self._fields: ReceptiveFields | None = None
        self._face_id = 0
        #: Id of the face that the numbers are about; 0 for the largest.
        self.wanted_face = 0
        self._by_topic = {
            topic: node.add_publisher(Float64MultiArray, topic, qos.RESULT) for topic in NUMBERS
        }
        self.publishers: Sequence[Publisher[Any]] = tuple(self._by_topic.values())

    def add(self, topic: str, data: Any) -> None:
        """Publish what `GraphListener` has read from a message."""
        if topic == "weights":
            self._fields = data
        elif not listeners(self):
            return
        elif topic == "expressions":
            face = selected_face(data.faces, self.wanted_face)
            self._face_id = 0 if face is None else face.id
            if face is not None:
                self._publish("scores", face.labels, face.scores)
                self._publish("rates", face.labels, face.rates_hz)
        elif topic == "potentials" and self._fields is not None and self._face_id in data:
            labels, neuron_label = self._fields.labels, self._fields.neuron_label
            means_v = data[self._face_id].label_means_v(len(labels), neuron_label)
            if means_v is not None:
                self._publish("label_potentials", labels, means_v)

    def _publish(self, topic: str, labels: Sequence[str], values: Sequence[float]) -> None:
        publisher = self._by_topic[topic]
        if not subscription_count(publisher):
            return
        message, size = Float64MultiArray(data=values), len(values)
        names = MultiArrayDimension(label=",".join(labels), size=size, stride=size)
        message.layout.dim = [names]
        publisher.publish(message)


def listeners(*outputs: PictureOutput | NumberOutput) -> int:
    """Return the number of subscribers of outputs."""
    return sum(
        subscription_count(publisher) for output in outputs for publisher in output.publishers
    )
