"""The other nodes on a topic, and the messages that got lost on the way from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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

    Parameters
    ----------
    publishers : returns how many publishers the topic has. Only where the message info does not
        name the publisher (Jazzy): there, numbers can be compared as long as there is one.
    """

    def __init__(self, publishers: Callable[[], int]) -> None:
        self._publishers = publishers
        self._publisher: object = self
        self._number = 0
        self._unknown = ""

    def lost_before(self, info: Mapping[str, Any]) -> int:
        """Return how many messages were lost before the one with this message info.

        0 for the first message of a publisher, and where `facts` say why.
        """
        number, publisher = info.get("publication_sequence_number"), info.get("publisher_gid")
        self._unknown = ""
        if number is None:
            self._unknown = "the middleware does not number messages"
            return 0
        if publisher is None and (count := self._publishers()) > 1:
            self._unknown = f"this rclpy does not tell {count} publishers apart"
            self._publisher = self
            return 0
        before = self._number if publisher == self._publisher else number - 1
        self._publisher, self._number = publisher, number
        return max(number - before - 1, 0)

    def facts(self) -> Mapping[str, object]:
        """Return why losses cannot be counted at present; nothing if they can."""
        return {"losses_unknown": self._unknown} if self._unknown else {}
