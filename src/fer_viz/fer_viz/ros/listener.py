"""Subscriptions to the whole graph, for the viz node and for the dashboard."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from fer_common.core import stamps
from fer_common.core.errors import FerError
from fer_common.ros import qos
from fer_common.ros.clock import age_s
from fer_common.ros.image_subscription import AnyImage, ImageSubscription
from fer_interfaces.msg import (
    ExpressionArray,
    FaceFeaturesArray,
    NetworkInfo,
    Potentials,
    Spikes,
    Weights,
)
from fer_viz.core import messages
from fer_viz.core.messages import ImageFaces
from fer_viz.core.scene import EXPRESSION_LAYER
from fer_viz.core.scene_builder import AnnotatedImage, GraphTopics, SceneBuilder

Annotated: TypeAlias = AnnotatedImage[AnyImage]


def graph_topics(node: Node, compressed: bool) -> GraphTopics:
    """Return the full names of the subscribed topics."""
    names = (node.resolve_topic_name(name) for name in ("image_raw", "features", "expressions"))
    image, features, expressions = names
    return GraphTopics(image + ("/compressed" if compressed else ""), features, expressions)


class GraphListener:
    """Subscriptions of a node, in two parts: latched topics and streams.

    Parameters
    ----------
    builder : receives everything.
    on_image : called in the executor's thread with every image that can be drawn.
    on_error : called with the topic and the reason when a message cannot be used.
    on_data : called with the topic and the data read from a message; may raise FerError.
    """

    def __init__(
        self,
        node: Node,
        builder: SceneBuilder[AnyImage],
        compressed: bool,
        on_image: Callable[[Annotated], None],
        on_error: Callable[[str, FerError], None],
        on_data: Callable[[str, Any], None] = lambda topic, data: None,
    ) -> None:
        self._node = node
        self._builder = builder
        self._compressed = compressed
        self._on_image, self._on_error, self._on_data = on_image, on_error, on_data
        self._latched: list[Subscription[Any]] = []
        self._streams: list[Subscription[Any]] = []
        self._source: ImageSubscription | None = None

    @property
    def streaming(self) -> bool:
        """Whether the streams are open."""
        return self._source is not None

    def open_latched(self) -> None:
        """Subscribe to weights and the description of the network."""
        read, builder = messages, self._builder
        self._latched = [
            self._subscribe(
                Weights, "weights", qos.LATCHED, read.receptive_fields, builder.set_fields
            ),
            self._subscribe(NetworkInfo, "network", qos.LATCHED, read.network, builder.set_network),
        ]

    def open_streams(self) -> None:
        """Subscribe to what comes with every image, and restart the history."""
        builder = self._builder
        builder.restart(time.monotonic())
        # Executors serve ready subscriptions in this order, so the spikes and potentials of an
        # image are there when its results complete it.
        self._streams = [
            self._subscribe(
                Spikes,
                "spikes",
                qos.RESULT,
                lambda message: messages.spikes(message, EXPRESSION_LAYER),
                builder.add_spikes,
            ),
            self._subscribe(
                Potentials,
                "potentials",
                qos.RESULT,
                lambda message: messages.potentials(message, EXPRESSION_LAYER),
                builder.add_potentials,
            ),
            self._subscribe(
                FaceFeaturesArray,
                "features",
                qos.STREAM,
                messages.detections,
                lambda found: self._draw(builder.add_detections(found, time.monotonic())),
            ),
        ]
        profile = copy.copy(qos.STREAM)
        self._source = ImageSubscription(self._node, self._compressed, profile, self._receive_image)
        self._streams.append(
            self._subscribe(
                ExpressionArray, "expressions", qos.RESULT, messages.results, self._take_results
            )
        )

    def close_streams(self) -> None:
        """Unsubscribe from the streams."""
        while self._streams:
            self._node.destroy_subscription(self._streams.pop())
        if self._source is not None:
            self._source.close()
        self._source = None

    def close(self) -> None:
        """Unsubscribe from everything."""
        self.close_streams()
        while self._latched:
            self._node.destroy_subscription(self._latched.pop())

    def _subscribe(
        self,
        kind: type[Any],
        topic: str,
        profile: QoSProfile,
        read: Callable[[Any], Any],
        take: Callable[[Any], None],
    ) -> Subscription[Any]:
        def received(message: Any) -> None:
            try:
                data = read(message)
                take(data)
                self._builder.add_message(topic, message)
                self._on_data(topic, data)
            except FerError as error:
                self._on_error(topic, error)

        return self._node.create_subscription(
            kind,
            topic,
            received,
            # A copy: qos_overrides are written into the profile.
            copy.copy(profile),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _receive_image(self, message: AnyImage) -> None:
        try:
            stamp_ns = stamps.checked_ns(message.header.stamp)
        except FerError as error:
            self._on_error("image_raw", error)
            return
        self._draw(self._builder.add_image(stamp_ns, message, time.monotonic()))

    def _take_results(self, results: ImageFaces) -> None:
        latency_s = age_s(self._node, results.stamp_ns)
        self._draw(self._builder.add_results(results, time.monotonic(), latency_s))

    def _draw(self, image: Annotated | None) -> None:
        if image is not None:
            self._on_image(image)
