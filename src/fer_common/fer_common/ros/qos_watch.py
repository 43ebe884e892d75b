"""Notices nodes that are kept from hearing each other by their qualities of service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    QoSCompatibility,
    QoSProfile,
    qos_check_compatible,
    qos_policy_name_from_kind,
)

from fer_common.ros.peers import names

_PUBLISHER, _SUBSCRIPTION = "publisher", "subscription"


class QosWatch:
    """Logs each mismatch once, and tells those that are still there.

    Parameters
    ----------
    node : whose publishers and subscriptions are watched; used only once it is made.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        #: Policy that does not fit, by the kind of our end and the topic.
        self._policies: dict[tuple[str, str], str] = {}

    def of_publisher(self, topic: str) -> PublisherEventCallbacks:
        """Return the callbacks to create a publisher with."""
        return PublisherEventCallbacks(incompatible_qos=self._noting(_PUBLISHER, topic))

    def of_subscription(self, topic: str) -> SubscriptionEventCallbacks:
        """Return the callbacks to create a subscription with."""
        return SubscriptionEventCallbacks(incompatible_qos=self._noting(_SUBSCRIPTION, topic))

    def present(self) -> list[str]:
        """Return a sentence for each mismatch whose other node is still there."""
        sentences = {key: self._sentence(*key) for key in self._policies}
        for key in [key for key, sentence in sentences.items() if not sentence]:
            # Noted anew, and logged, when the other node comes back.
            del self._policies[key]
        return [sentence for sentence in sentences.values() if sentence]

    def _noting(self, end: str, topic: str) -> Callable[[Any], None]:
        def note(event: Any) -> None:
            key = end, self._node.resolve_topic_name(topic)
            new = key not in self._policies
            self._policies[key] = qos_policy_name_from_kind(event.last_policy_kind)
            if new:
                self._node.get_logger().warning(self._sentence(*key) or self._plain(*key))

        return note

    def _plain(self, end: str, topic: str) -> str:
        return f"{topic}: another node's {self._policies[end, topic]} does not fit this {end}"

    def _sentence(self, end: str, topic: str) -> str:
        """Say who does not fit; empty when nobody is left who doesn't."""
        others = self._misfits(end, topic)
        if not others:
            return ""
        policy = self._policies[end, topic]
        lost = "hears nothing from it" if end == _PUBLISHER else "is not heard"
        wants = "asks for" if end == _PUBLISHER else "offers"
        here = f"qos_overrides.{topic}.{end}.{policy.lower()}"
        return (
            f"{topic}: {names(others)} {wants} another {policy} than this node's {end} and {lost}: "
            f"change it there, or here by the parameter {here}"
        )

    def _misfits(self, end: str, topic: str) -> list[Any]:
        """Return the endpoints of other nodes that do not fit ours."""
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        if end == _PUBLISHER:
            ours = [p.qos_profile for p in publishers if self._is_ours(p)]
            return [s for s in subscriptions if not all(_fit(p, s.qos_profile) for p in ours)]
        ours = [s.qos_profile for s in subscriptions if self._is_ours(s)]
        return [p for p in publishers if not all(_fit(p.qos_profile, s) for s in ours)]

    def _is_ours(self, endpoint: Any) -> bool:
        # As the graph tells them, unlike as they were asked for, profiles can be compared.
        name = endpoint.node_name, endpoint.node_namespace
        return name == (self._node.get_name(), self._node.get_namespace())


def _fit(offered: QoSProfile, asked: QoSProfile) -> bool:
    compatibility, _ = qos_check_compatible(offered, asked)
    return bool(compatibility != QoSCompatibility.ERROR)
