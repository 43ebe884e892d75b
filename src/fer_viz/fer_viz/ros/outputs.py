"""What the viz node publishes: pictures, drawn only for those who listen, and plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension

from fer_common.core import images
from fer_common.ros import qos
from fer_common.ros.node import FerNode, subscription_count
from fer_viz.core import messages
from fer_viz.core.plots import LAYER
from fer_viz.core.renderer import Renderer, Style
from fer_viz.core.scalars import Numbers, chosen, potentials_of_labels
from fer_viz.core.scene import ReceptiveFields, Scene

#: Topics of pictures, and whether they have the panel.
PICTURES = {"overlay": False, "dashboard": True}
NUMBERS = ("scores", "rates", "label_potentials")


class PictureOutput:
    """A topic of pictures and its compressed twin.

    Parameters
    ----------
    node : whose topics they are.
    topic : one of `PICTURES`.
    """

    def __init__(self, node: FerNode, topic: str) -> None:
        self._with_panel = PICTURES[topic]
        self._renderer = Renderer(Style())
        self._raw = node.add_publisher(Image, topic, qos.STREAM)
        self._compressed = node.add_publisher(CompressedImage, f"{topic}/compressed", qos.STREAM)
        self._message = Image()

    @property
    def publishers(self) -> tuple[Publisher[Any], ...]:
        """Both publishers."""
        return self._raw, self._compressed

    @property
    def listeners(self) -> int:
        """How many hear the pictures."""
        return sum(subscription_count(publisher) for publisher in self.publishers)

    def publish(
        self, header: Header, image: images.Pixels, scene: Scene, style: Style, quality: int
    ) -> None:
        """Draw a picture and publish it to those who listen."""
        style = replace(style, with_panel=self._with_panel)
        if self._renderer.style != style:
            self._renderer = Renderer(style)
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
        """Return the pixels of the message that is published: drawn there, nothing is copied."""
        if (self._message.height, self._message.width) != shape[:2]:
            self._message = Image()
            images.fill(self._message, np.zeros(shape, np.uint8), "bgr8")
        return np.frombuffer(self._message.data, np.uint8).reshape(shape)


class NumberOutput:
    """Scores, rates and potentials of one face, one number for each label.

    Parameters
    ----------
    node : whose topics they are.
    wanted_face : returns the id of the face that they are about, 0 for the largest.
    """

    def __init__(self, node: FerNode, wanted_face: Callable[[], int]) -> None:
        self._wanted_face = wanted_face
        self._fields: ReceptiveFields | None = None
        self._face = 0
        self._by_topic = {
            topic: node.add_publisher(Float64MultiArray, topic, qos.RESULT) for topic in NUMBERS
        }

    @property
    def publishers(self) -> tuple[Publisher[Any], ...]:
        """All publishers."""
        return tuple(self._by_topic.values())

    @property
    def listeners(self) -> int:
        """How many hear the numbers."""
        return sum(subscription_count(publisher) for publisher in self.publishers)

    def take(self, topic: str, message: Any) -> None:
        """Publish what a message of the graph says.

        Raises
        ------
        MessageError
            if its parts do not go together.
        """
        if topic == "weights":
            self._fields = messages.receptive_fields(message)
        elif topic == "expressions" and self.listeners:
            face = chosen(messages.answers(message), self._wanted_face())
            self._face = 0 if face is None else face.id
            if face is not None:
                self._publish("scores", Numbers(face.labels, face.scores))
                self._publish("rates", Numbers(face.labels, face.rates_hz))
        elif topic == "potentials" and self._fields is not None and self.listeners:
            frame = messages.potentials(message, LAYER).get(self._face)
            if frame is not None:
                fields = self._fields
                numbers = potentials_of_labels(frame, fields.labels, fields.neuron_label)
                if numbers is not None:
                    self._publish("label_potentials", numbers)

    def _publish(self, topic: str, numbers: Numbers) -> None:
        publisher = self._by_topic[topic]
        if not subscription_count(publisher):
            return
        message = Float64MultiArray(data=numbers.values)
        size = len(numbers.values)
        names = MultiArrayDimension(label=",".join(numbers.labels), size=size, stride=size)
        message.layout.dim = [names]
        publisher.publish(message)
