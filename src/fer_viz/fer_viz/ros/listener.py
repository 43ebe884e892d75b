"""Listens to the whole graph and keeps `Live` up to date: for the overlay, and for any window."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from fer_common.core import stamps
from fer_common.core.errors import FerError
from fer_common.ros import qos
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
from fer_viz.core.live import Live, Shot, Topics
from fer_viz.core.plots import LAYER


def topics(node: Node, compressed: bool) -> Topics:
    """Return the full names of what is listened to."""
    names = (node.resolve_topic_name(name) for name in ("image_raw", "features", "expressions"))
    image, features, expressions = names
    return Topics(image + ("/compressed" if compressed else ""), features, expressions)


class GraphListener:
    """Subscriptions of a node, in two parts: what is latched, and the streams.

    Parameters
    ----------
    node : whose subscriptions they are.
    live : what everything goes into.
    compressed : take compressed images.
    offer : called in the executor's thread with every image that can be drawn.
    dropped : called with the topic and the reason when a message cannot be used.
    heard : called with the topic and every other message that was used; may raise FerError.
    """

    def __init__(
        self,
        node: Node,
        live: Live[AnyImage],
        compressed: bool,
        offer: Callable[[Shot[AnyImage]], None],
        dropped: Callable[[str, FerError], None],
        heard: Callable[[str, Any], None] = lambda topic, message: None,
    ) -> None:
        self._node = node
        self._live = live
        self._compressed = compressed
        self._offer = offer
        self._dropped = dropped
        self._heard = heard
        self._latched: list[Subscription[Any]] = []
        self._streams: list[Subscription[Any]] = []
        self._source: ImageSubscription | None = None

    @property
    def streaming(self) -> bool:
        """Whether the streams are open."""
        return self._source is not None

    def open_latched(self) -> None:
        """Subscribe to what comes seldom: weights and the description of the network."""
        self._latched = [
            self._subscribe(Weights, "weights", qos.LATCHED, self._on_weights),
            self._subscribe(NetworkInfo, "network", qos.LATCHED, self._on_network),
        ]

    def open_streams(self) -> None:
        """Subscribe to what comes with every image; history begins anew."""
        self._live.restart(time.monotonic())
        # Executors serve ready subscriptions in this order, so a picture has its spikes and
        # potentials when its answers complete it.
        self._streams = [
            self._subscribe(Spikes, "spikes", qos.RESULT, self._on_spikes),
            self._subscribe(Potentials, "potentials", qos.RESULT, self._on_potentials),
            self._subscribe(FaceFeaturesArray, "features", qos.STREAM, self._on_features),
        ]
        profile = copy.copy(qos.STREAM)
        self._source = ImageSubscription(self._node, self._compressed, profile, self._on_image)
        self._streams.append(
            self._subscribe(ExpressionArray, "expressions", qos.RESULT, self._on_expressions)
        )

    def close_streams(self) -> None:
        """Unsubscribe from the streams."""
        for subscription in self._streams:
            self._node.destroy_subscription(subscription)
        self._streams = []
        if self._source is not None:
            self._source.close()
        self._source = None

    def close(self) -> None:
        """Unsubscribe from everything."""
        self.close_streams()
        for subscription in self._latched:
            self._node.destroy_subscription(subscription)
        self._latched = []

    def _subscribe(
        self, kind: type[Any], topic: str, profile: QoSProfile, take: Callable[[Any], None]
    ) -> Subscription[Any]:
        def received(message: Any) -> None:
            try:
                take(message)
                self._heard(topic, message)
            except FerError as error:
                self._dropped(topic, error)

        return self._node.create_subscription(
            kind,
            topic,
            received,
            # A copy, because qos_overrides are written into the profile.
            copy.copy(profile),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )

    def _on_image(self, message: AnyImage) -> None:
        try:
            stamp_ns = stamps.checked_ns(message.header.stamp)
        except FerError as error:
            self._dropped("image_raw", error)
            return
        self._pass_on(self._live.add_image(stamp_ns, message, time.monotonic()))

    def _on_features(self, message: FaceFeaturesArray) -> None:
        sightings = messages.sightings(message)
        self._pass_on(self._live.add_sightings(sightings, time.monotonic()))

    def _on_expressions(self, message: ExpressionArray) -> None:
        answers = messages.answers(message)
        latency_ns = self._node.get_clock().now().nanoseconds - answers.stamp_ns
        latency_s = latency_ns / stamps.NANOSECONDS
        self._pass_on(self._live.add_answers(answers, time.monotonic(), latency_s))

    def _on_spikes(self, message: Spikes) -> None:
        self._live.add_spikes(messages.spikes(message, LAYER))

    def _on_potentials(self, message: Potentials) -> None:
        self._live.add_potentials(messages.potentials(message, LAYER))

    def _on_weights(self, message: Weights) -> None:
        self._live.set_fields(messages.receptive_fields(message))

    def _on_network(self, message: NetworkInfo) -> None:
        self._live.set_network(messages.network(message))

    def _pass_on(self, shot: Shot[AnyImage] | None) -> None:
        if shot is not None:
            self._offer(shot)
