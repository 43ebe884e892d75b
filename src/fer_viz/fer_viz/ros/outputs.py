"""What the viz node puts out, only while somebody looks: topics, and pictures for the web page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension

from fer_common.core import images
from fer_common.ros import qos
from fer_common.ros.node import FerNode, subscription_count
from fer_viz.core.drawing.renderer import PictureOptions, Renderer
from fer_viz.core.scene import ReceptiveFields, Scene, selected_face
from fer_viz.core.synchroniser import RateLimiter

#: Topics of pictures, and whether they show the whole dashboard.
PICTURES = {"overlay": False, "dashboard": True}
NUMBERS = ("scores", "rates", "label_potentials")
#: Highest rate of the pictures on the web page.
WEB_RATE_HZ = 15.0


class PictureOutput:
    """A topic of pictures, raw and compressed.

    Parameters
    ----------
    node : owner of the topics.
    topic : one of `PICTURES`.
    """

    def __init__(self, node: FerNode, topic: str) -> None:
        self._whole = PICTURES[topic]
        self._renderer = Renderer(PictureOptions())
        self._raw = node.add_publisher(Image, topic, qos.STREAM)
        self._compressed = node.add_publisher(CompressedImage, f"{topic}/compressed", qos.STREAM)
        self._message = Image()
        self._pixels: images.Pixels = np.empty((0, 0, 3), np.uint8)
        self.publishers: Sequence[Publisher[Any]] = (self._raw, self._compressed)

    @property
    def listeners(self) -> int:
        """Number of subscribers."""
        return subscription_count(*self.publishers)

    def wants(self, now_s: float) -> bool:
        """Return whether there are subscribers."""
        return bool(self.listeners)

    def publish(
        self,
        header: Header,
        image: images.Pixels,
        scene: Scene,
        options: PictureOptions,
        quality: int,
    ) -> None:
        """Draw a picture and publish it to the subscribers."""
        self._renderer = self._renderer.with_options(replace(options, whole=self._whole))
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
        if self._pixels.shape != shape:
            self._message = Image()
            images.fill(self._message, np.zeros(shape, np.uint8), "bgr8")
            self._pixels = np.frombuffer(self._message.data, np.uint8).reshape(shape)
        return self._pixels


class PageOutput:
    """The web page, which shows the pictures of the topic `dashboard` and their results in words.

    Parameters
    ----------
    port : where the page is served, on this machine.

    Raises
    ------
    ConfigurationError
        if the port cannot be used.
    """

    def __init__(self, port: int) -> None:
        # Here, because most graphs have no page and need not load the libraries of a server.
        from fer_viz.web.server import PageServer

        self._renderer = Renderer(PictureOptions())
        self._limiter = RateLimiter(WEB_RATE_HZ)
        self._server = PageServer(port)
        self.url = self._server.url

    @property
    def listeners(self) -> int:
        """Number of browsers."""
        return self._server.viewers

    def wants(self, now_s: float) -> bool:
        """Return whether a browser is due a picture."""
        return bool(self.listeners) and self._limiter.due(now_s)

    def publish(
        self,
        header: Header,
        image: images.Pixels,
        scene: Scene,
        options: PictureOptions,
        quality: int,
    ) -> None:
        """Draw a picture and send it to the browsers."""
        self._renderer = self._renderer.with_options(replace(options, whole=True))
        picture = self._renderer.draw(image, scene)
        _, jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
        state = {
            "faces": [
                {"id": face.id, "label": face.label, "confidence": face.confidence}
                for face in scene.faces
            ],
            "hint": scene.status.hint,
        }
        self._server.show(jpeg.tobytes(), state)

    def close(self) -> None:
        """Close the page."""
        self._server.close()


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

    @property
    def listeners(self) -> int:
        """Number of subscribers."""
        return subscription_count(*self.publishers)

    def add(self, topic: str, data: Any) -> None:
        """Publish what `GraphListener` has read from a message."""
        if topic == "weights":
            self._fields = data
        elif not self.listeners:
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
