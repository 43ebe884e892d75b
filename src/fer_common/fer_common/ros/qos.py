"""QoS profiles of all topics, and warnings about incompatible ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
    qos_policy_name_from_kind,
)

from fer_common.ros.endpoints import node_names

#: Images and features. Reliable, because best effort loses frames above about 500 kB in shared
#: memory; depth 2, so that nobody works on old frames.
STREAM = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=2, reliability=ReliabilityPolicy.RELIABLE
)
#: Small results. Deep enough for a recorder or a plot that is late.
RESULT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)
#: Weights and descriptions. Late subscribers get the last message at once.
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
#: Replays in which every frame counts.
EVERY_FRAME = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1000, reliability=ReliabilityPolicy.RELIABLE
)

_PUBLISHER, _SUBSCRIPTION = "publisher", "subscription"


class QosMonitor:
    """Logs each incompatible QoS once, and lists those that persist.

    Parameters
    ----------
    node : owner of the publishers and subscriptions; may still be under construction.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        #: Incompatible policy, by our end ("publisher" or "subscription") and topic.
        self._policies: dict[tuple[str, str], str] = {}

    def publisher_callbacks(self, topic: str) -> PublisherEventCallbacks:
        """Return the event callbacks for a new publisher."""
        return PublisherEventCallbacks(incompatible_qos=self._callback(_PUBLISHER, topic))

    def subscription_callbacks(self, topic: str) -> SubscriptionEventCallbacks:
        """Return the event callbacks for a new subscription."""
        return SubscriptionEventCallbacks(incompatible_qos=self._callback(_SUBSCRIPTION, topic))

    def mismatches(self) -> list[str]:
        """Return a sentence for each mismatch whose other node is still there."""
        sentences = {key: self._sentence(*key) for key in self._policies}
        for key in [key for key, sentence in sentences.items() if not sentence]:
            # When the other node comes back, the mismatch is logged again.
            del self._policies[key]
        return [sentence for sentence in sentences.values() if sentence]

    def _callback(self, end: str, topic: str) -> Callable[[Any], None]:
        def on_event(event: Any) -> None:
            key = end, self._node.resolve_topic_name(topic)
            new = key not in self._policies
            policy = self._policies[key] = qos_policy_name_from_kind(event.last_policy_kind)
            if new:
                unnamed = f"{key[1]}: another node's {policy} is incompatible with this {end}"
                self._node.get_logger().warning(self._sentence(*key) or unnamed)

        return on_event

    def _sentence(self, end: str, topic: str) -> str:
        """Name the incompatible nodes; empty when none is left."""
        others = self._incompatible(end, topic)
        if not others:
            return ""
        policy = self._policies[end, topic]
        verb = "requests" if end == _PUBLISHER else "offers"
        lost = "receives nothing from it" if end == _PUBLISHER else "is not received"
        parameter = f"qos_overrides.{topic}.{end}.{policy.lower()}"
        return (
            f"{topic}: {node_names(others)} {verb} another {policy} than this node's {end} and "
            f"{lost}: change it there, or here by the parameter {parameter}"
        )

    def _incompatible(self, end: str, topic: str) -> list[Any]:
        """Return the endpoints of other nodes that are incompatible with ours."""
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        if end == _PUBLISHER:
            ours = [p.qos_profile for p in publishers if self._is_ours(p)]
            return [s for s in subscriptions if not all(_fit(p, s.qos_profile) for p in ours)]
        ours = [s.qos_profile for s in subscriptions if self._is_ours(s)]
        return [p for p in publishers if not all(_fit(p.qos_profile, s) for s in ours)]

    def _is_ours(self, endpoint: Any) -> bool:
        # Profiles are comparable only as the graph reports them, not as they were requested.
        name = endpoint.node_name, endpoint.node_namespace
        return name == (self._node.get_name(), self._node.get_namespace())


def _fit(offered: QoSProfile, requested: QoSProfile) -> bool:
    compatibility, _ = qos_check_compatible(offered, requested)
    return bool(compatibility != QoSCompatibility.ERROR)
