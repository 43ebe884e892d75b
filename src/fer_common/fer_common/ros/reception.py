"""Subscriptions that refuse bytes which are no message, see `fer_common.core.cdr`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node

from fer_common.core.errors import MessageError
from fer_common.ros import image_views, peers

_WARNING_PERIOD_S = 5.0


class Reception:
    """Takes bytes, and passes on the messages that they are.

    Parameters
    ----------
    node : whose subscriptions they are.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        #: How many messages were refused.
        self.malformed = 0

    def unpacking(
        self, kind: type[Any], topic: str, callback: Callable[..., None]
    ) -> Callable[[bytes, Mapping[str, Any]], None]:
        """Return a callback for a raw subscription that calls one for messages."""
        with_info = len(inspect.signature(callback).parameters) > 1

        def received(data: bytes, info: Mapping[str, Any]) -> None:
            try:
                message = image_views.unpacked(kind, data)
            except MessageError as error:
                self._refuse(topic, error)
                return
            if with_info:
                callback(message, info)
            else:
                callback(message)

        return received

    def _refuse(self, topic: str, error: MessageError) -> None:
        self.malformed += 1
        name = self._node.resolve_topic_name(topic)
        self._node.get_logger().warning(
            f"message dropped on {name} from {peers.publishers(self._node, name)}: it {error}: "
            "build its publisher with the same definitions of messages",
            throttle_duration_sec=_WARNING_PERIOD_S,
        )
