"""The subscription to a camera's images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from fer_common.ros.endpoints import LossCounter, node_names, publisher_names

AnyImage: TypeAlias = Image | CompressedImage

TOPIC = "image_raw"
_COMPRESSED = "/compressed"


class ImageSubscription:
    """Subscribes reliably, so that no large image is lost; best effort where only that is offered.

    Parameters
    ----------
    node : its topic `image_raw` is subscribed to.
    profile : initial QoS, overridable by `qos_overrides`.
    """

    def __init__(
        self,
        node: Node,
        compressed: bool,
        profile: QoSProfile,
        received: Callable[[AnyImage], None],
    ):
        self._node = node
        self._kind = CompressedImage if compressed else Image
        # Resolve first, so that the compressed topic follows a remapping of image_raw. It may also
        # be remapped by itself.
        base = node.resolve_topic_name(TOPIC)
        topics = [base, node.resolve_topic_name(base + _COMPRESSED)]
        self.topic = topics[compressed]
        self._other_topic = topics[not compressed]
        self._profile = profile
        self._received = received
        self.losses = LossCounter(lambda: node.count_publishers(self.topic))
        self.mismatch = ""
        """What is wrong with the QoS of a publisher; empty if nothing."""
        self.missed = 0
        """Number of images that were lost just before the last one."""
        self._timer: Timer | None = None
        self._subscription: Subscription[AnyImage] | None = None
        self._subscribe(QoSOverridingOptions.with_default_policies())

    def close(self) -> None:
        """Unsubscribe."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._timer = self._subscription = None

    def publishers(self) -> str:
        """Return the names of the nodes that publish the images."""
        return publisher_names(self._node, self.topic)

    def cause_of_silence(self) -> str:
        """Return why no image may arrive, and what to do."""
        if self.mismatch:
            return self.mismatch
        others = self._node.get_publishers_info_by_topic(self._other_topic)
        if others and not self._node.get_publishers_info_by_topic(self.topic):
            transport = "raw" if self._kind is CompressedImage else "compressed"
            return (
                f"{node_names(others)} publishes {self._other_topic} only: "
                f"set image_transport to {transport}"
            )
        return "is the camera running, and is this the name of its topic?"

    def _subscribe(self, overriding: QoSOverridingOptions | None) -> None:
        self._subscription = self._node.create_subscription(
            self._kind,
            self.topic,
            self._on_image,
            # A copy, because rclpy writes qos_overrides into the profile.
            copy.copy(self._profile),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_mismatch),
            qos_overriding_options=overriding,
        )

    def _on_image(self, message: AnyImage, info: Mapping[str, Any]) -> None:
        self.missed = self.losses.lost_before(info)
        self._received(message)

    def _on_mismatch(self, event: QoSRequestedIncompatibleQoSInfo) -> None:
        if self.mismatch:
            return
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        reliability = event.last_policy_kind == QoSPolicyKind.RELIABILITY
        consequence = (
            "images are received best effort, and large ones may get lost"
            if reliability
            else "none of its images arrive; change it there, or here by qos_overrides"
        )
        self.mismatch = (
            f"{self.publishers()} offers {self.topic} with another {policy} than requested: "
            f"{consequence}"
        )
        self._node.get_logger().warning(self.mismatch)
        if reliability:
            self._profile.reliability = ReliabilityPolicy.BEST_EFFORT
            # A subscription must not be destroyed within its own callback.
            self._timer = self._node.create_timer(0.0, self._resubscribe)

    def _resubscribe(self) -> None:
        self.close()
        self._subscribe(None)
