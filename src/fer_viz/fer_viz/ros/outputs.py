"""What the viz node puts out, only while somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Float64MultiArray, Header, MultiArrayDimension

from fer_common.ros import qos
from fer_common.ros.node import FerNode, subscription_count
from fer_viz.core.parameters import PictureOptions
from fer_viz.core.scene import ReceptiveFields, Scene, selected_face
from fer_viz.core.synchroniser import RateLimiter

if TYPE_CHECKING:
    from fer_common.core.images import Pixels
    from fer_viz.core.drawing.renderer import Renderer
    from fer_viz.web.server import PageServer

#: Topics of pictures, and whether they show the whole dashboard.
PICTURES = {"overlay": False, "dashboard": True}
NUMBERS = ("scores", "rates", "label_potentials")
#: Highest rate of the pictures on the web page.
WEB_RATE_HZ = 15.0


class PictureOutput:
    """Pictures of one kind, each drawn once: for a topic, raw and compressed, and for a web page.

    Parameters
    ----------
    topic : one of `PICTURES`.
    """

    def __init__(self, node: FerNode, topic: str) -> None:
        self._whole = PICTURES[topic]
        self._renderer: Renderer | None = None
        self._raw = node.add_publisher(Image, topic, qos.STREAM)
        self._compressed = node.add_publisher(CompressedImage, f"{topic}/compressed", qos.STREAM)
        self._message = Image()
        self._pixels: Pixels = np.empty((0, 0, 3), np.uint8)
        self._page_limiter = RateLimiter(WEB_RATE_HZ)
        self.publishers: Sequence[Publisher[Any]] = (self._raw, self._compressed)
        #: The page that shows the pictures too, if any, and the same while it is due one.
        self.page: PageServer | None = None
        self._due_page: PageServer | None = None

    @property
    def listeners(self) -> int:
        """Number of subscribers and browsers."""
        page = self.page
        return subscription_count(*self.publishers) + (page.viewers if page else 0)

    def wants(self, now_s: float) -> bool:
        """Return whether somebody is due a picture."""
        page = self.page
        due = page is not None and page.viewers and self._page_limiter.due(now_s)
        self._due_page = page if due else None
        return bool(due or subscription_count(*self.publishers))

    def publish(
        self, header: Header, image: Pixels, scene: Scene, options: PictureOptions, quality: int
    ) -> None:
        """Draw a picture for those who want it, as `wants` has found."""
        # Here, because most graphs draw nothing and need not load the libraries that draw.
        from fer_common.core import images
        from fer_viz.core.drawing.renderer import Renderer

        raw, compressed = map(subscription_count, self.publishers)
        page = self._due_page
        options = replace(options, whole=self._whole)
        if self._renderer is None or self._renderer.options != options:
            self._renderer = Renderer(options)
        canvas = self._canvas(self._renderer.shape(image))
        self._renderer.draw(image, scene, canvas)
        if raw:
            self._message.header = header
            self._raw.publish(self._message)
        if not (compressed or page):
            return
        small = CompressedImage(header=header)
        images.fill_compressed(small, canvas, quality)
        if compressed:
            self._compressed.publish(small)
        if page:
            faces = [
                {"id": face.id, "label": face.label, "confidence": face.confidence}
                for face in scene.faces
            ]
            page.show(small.data.tobytes(), {"faces": faces, "hint": scene.status.hint})

    def _canvas(self, shape: tuple[int, int, int]) -> Pixels:
        """Return the pixels of the message to be published, so that nothing is copied."""
        from fer_common.core import images

        if self._pixels.shape != shape:
            self._message = Image()
            images.fill(self._message, np.zeros(shape, np.uint8), "bgr8")
            self._pixels = np.frombuffer(self._message.data, np.uint8).reshape(shape)
        return self._pixels


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
