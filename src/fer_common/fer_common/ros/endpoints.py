"""The other nodes on a topic, and the messages that got lost on the way from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rclpy.node import Node

#: Name that the ROS graph gives to a node of which only an endpoint was discovered so far.
_UNKNOWN_NAME = "_NODE_NAME_UNKNOWN_"


def publisher_names(node: Node, topic: str) -> str:
    """Return the names of the nodes that publish a topic (resolved name), as text."""
    return node_names(node.get_publishers_info_by_topic(topic))


def node_names(endpoints: Iterable[Any]) -> str:
    """Return the names of the nodes that endpoints belong to, as text."""
    found = {endpoint.node_name for endpoint in endpoints}
    if _UNKNOWN_NAME in found:
        found = found - {_UNKNOWN_NAME} | {"a node whose name is not known yet"}
    return ", ".join(sorted(found)) or "nobody"


class LossCounter:
    """Counts messages that were sent but never reached the callback.

    A keep-last history drops messages silently when the executor is late. Publishers number their
    messages, so a gap in the numbers shows the loss.
    """

    def __init__(self) -> None:
        self._publisher: object = None
        self._number = 0

    def lost_before(self, info: Mapping[str, Any]) -> int:
        """Return how many messages were lost before the one with this message info.

        0 for the first message of a publisher, and where the middleware does not number messages.
        """
        number, publisher = info.get("publication_sequence_number"), info.get("publisher_gid")
        if number is None or publisher is None:
            return 0
        before = self._number if publisher == self._publisher else number - 1
        self._publisher, self._number = publisher, number
        return max(number - before - 1, 0)
