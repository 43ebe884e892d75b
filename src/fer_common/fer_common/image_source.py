"""The subscription to a camera's images, whatever quality of service the camera offers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeAlias

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

AnyImage: TypeAlias = Image | CompressedImage

TOPIC = "image_raw"
#: What the graph calls a node of which only a publisher was discovered so far.
_NOT_KNOWN_YET = "_NODE_NAME_UNKNOWN_"


class ImageSource:
    """Subscribes reliably, so that no large image is lost; best effort where only that is offered.

    Parameters
    ----------
    node : whose topic `image_raw` it is.
    compressed : take `image_raw/compressed` instead.
    profile : quality of service to begin with, overridable by `qos_overrides`.
    received : called with every message.
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
        # Resolved first, so that the compressed topic follows a remapping of image_raw.
        self.topic = node.resolve_topic_name(TOPIC) + ("/compressed" if compressed else "")
        self._profile = profile
        self._received = received
        self.mismatch = ""
        """What was wrong with a publisher's quality of service; empty if nothing."""
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
        found = self._node.get_publishers_info_by_topic(self.topic)
        names = {publisher.node_name for publisher in found}
        if _NOT_KNOWN_YET in names:
            names = names - {_NOT_KNOWN_YET} | {"a node whose name is not known yet"}
        return ", ".join(sorted(names)) or "nobody"

    def _subscribe(self, overriding: QoSOverridingOptions | None) -> None:
        self._subscription = self._node.create_subscription(
            self._kind,
            self.topic,
            self._received,
            # A copy, because qos_overrides are written into the profile.
            copy.copy(self._profile),
            event_callbacks=SubscriptionEventCallbacks(incompatible_qos=self._on_mismatch),
            qos_overriding_options=overriding,
        )

    def _on_mismatch(self, event: QoSRequestedIncompatibleQoSInfo) -> None:
        if self.mismatch:
            return
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        self.mismatch = (
            f"{self.publishers()} offers {self.topic} with another {policy} than was asked for: "
            "images are taken best effort, and large ones may get lost"
        )
        self._node.get_logger().warning(self.mismatch)
        self._profile.reliability = ReliabilityPolicy.BEST_EFFORT
        # Not from within the subscription's own callback.
        self._timer = self._node.create_timer(0.0, self._resubscribe)

    def _resubscribe(self) -> None:
        self.close()
        self._subscribe(None)
