"""Hands messages over between the nodes of one process, without middleware and without a copy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rclpy.publisher import Publisher
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.subscription import Subscription

from fer_common.ros.messages import sendable

#: Takes a message and its message info.
Take: TypeAlias = Callable[[Any, Mapping[str, Any]], None]


@dataclass(frozen=True)
class SharedProcess:
    """What a node needs in a process that it shares with others.

    Attributes
    ----------
    arguments : its own command line, in place of that of the process.
    """

    arguments: tuple[str, ...]
    exchange: Exchange


class Exchange:
    """Who publishes and who listens in this process. Thread-safe.

    The endpoints of the middleware stay, so the ROS graph looks as if each node had a process of
    its own. A message that the middleware delivers within the process was handed over before: it
    is an echo, to be dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._takers: dict[str, dict[Subscription[Any], Take]] = {}
        self._gids: dict[str, dict[Publisher[Any], bytes]] = {}
        #: Counts the changes.
        self.version = 0

    def subscribe(self, subscription: Subscription[Any], take: Take) -> None:
        """Hand what is published within the process to `take`, in the thread of the publisher."""
        with self._lock:
            self._takers.setdefault(subscription.topic_name, {})[subscription] = take
            self.version += 1

    def announce(self, publisher: Publisher[Any], gid: bytes) -> None:
        """Know the messages of a publisher by its id in the middleware."""
        with self._lock:
            self._gids.setdefault(publisher.topic_name, {})[publisher] = gid

    def forget(self, endpoint: Publisher[Any] | Subscription[Any]) -> None:
        """Remove an endpoint that is to be destroyed."""
        with self._lock:
            if isinstance(endpoint, Publisher):
                for gids in self._gids.values():
                    gids.pop(endpoint, None)
            else:
                for takers in self._takers.values():
                    takers.pop(endpoint, None)
            self.version += 1

    def takers(self, topic: str, offered: QoSProfile) -> tuple[Take, ...]:
        """Return who is to get a message, by the rules of the middleware."""
        with self._lock:
            return tuple(
                take
                for subscription, take in self._takers.get(topic, {}).items()
                if qos_check_compatible(offered, subscription.qos_profile)[0]
                != QoSCompatibility.ERROR
            )

    def is_echo(self, topic: str, info: Mapping[str, Any]) -> bool:
        """Return whether a message of the middleware comes from this process."""
        gids = self._gids.get(topic)
        if not gids:
            return False
        # Where rclpy does not tell the publisher (Jazzy), any other one is not heard meanwhile.
        gid = info.get("publisher_gid")
        return gid is None or bytes(gid["data"]) in gids.values()


# Without type arguments, which rclpy of Jazzy refuses.
class NodePublisher(Publisher):
    """Hands messages to the nodes of the process, and sends them if anybody else listens.

    Nobody may change a message after it was published.
    """

    _exchange: Exchange | None = None
    _topic = ""
    _version = -1
    _takers: tuple[Take, ...] = ()
    _number = 0

    def join(self, exchange: Exchange) -> None:
        """Hand messages over from now on."""
        self._exchange, self._topic = exchange, self.topic_name

    def publish(self, msg: Any) -> None:
        """Publish a message; see `fer_common.ros.messages.image_view` for images."""
        exchange = self._exchange
        if exchange is None:
            super().publish(sendable(msg))
            return
        if self._version != exchange.version:
            self._version = exchange.version
            self._takers = exchange.takers(self._topic, self.qos_profile)
        self._number += 1
        info = {"publication_sequence_number": self._number, "publisher_gid": self}
        for take in self._takers:
            take(msg, info)
        if self.get_subscription_count() > len(self._takers):
            super().publish(sendable(msg))
