"""Who else is on a topic, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rclpy.node import Node

#: What the graph calls a node of which only an endpoint was discovered so far.
_NOT_KNOWN_YET = "_NODE_NAME_UNKNOWN_"


def publishers(node: Node, topic: str) -> str:
    """Return the names of the nodes that publish a topic (resolved name), for people."""
    return names(node.get_publishers_info_by_topic(topic))


def names(endpoints: Iterable[Any]) -> str:
    """Return the names of the nodes that endpoints belong to, for people."""
    found = {endpoint.node_name for endpoint in endpoints}
    if _NOT_KNOWN_YET in found:
        found = found - {_NOT_KNOWN_YET} | {"a node whose name is not known yet"}
    return ", ".join(sorted(found)) or "nobody"


class Arrivals:
    """Counts the messages of a topic that were sent and never reached the callback.

    A history of few messages forgets those that the executor was too late for, without a word.
    Publishers number their messages, so a gap in the numbers tells.
    """

    def __init__(self) -> None:
        self._publisher: object = None
        self._number = 0

    def missed(self, info: Mapping[str, Any]) -> int:
        """Return how many messages are missing before one with this message info.

        0 for the first message of a publisher, and where the middleware does not number them.
        """
        number, publisher = info.get("publication_sequence_number"), info.get("publisher_gid")
        if number is None or publisher is None:
            return 0
        before = self._number if publisher == self._publisher else number - 1
        self._publisher, self._number = publisher, number
        return max(number - before - 1, 0)
