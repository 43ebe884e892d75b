"""Records topics: serialized messages as they come, straight to disk."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fer.bags.definitions import definition
from fer.bags.errors import BagError
from fer.bags.profiles import as_recorded, to_hear
from fer.bags.selection import Selection
from fer.bags.storage import Topic
from fer.bags.writer import BagWriter

#: A kill loses what came since the last flush, and a chunk that was being written: 1 s at most.
FLUSH_PERIOD_S = 0.4
_LOOK_PERIOD_S = 0.2
NODE_NAME = "fer_bag_record"


class Recorder:
    """Subscribes to every topic of a selection as it appears, and writes what it hears.

    Parameters
    ----------
    node : to subscribe with.
    writer : where to.
    selection : which topics.
    warn : called with what cannot be recorded.
    """

    def __init__(
        self, node: Node, writer: BagWriter, selection: Selection, warn: Callable[[str], None]
    ) -> None:
        self._node = node
        self._writer = writer
        self._selection = selection
        self._warn = warn
        self._known: set[str] = set()
        self.failure: BagError | None = None
        self.first_s: float | None = None
        """When the first message came, by the monotonic clock."""
        self.last_s = 0.0
        """When the last one came."""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_LOOK_PERIOD_S, self._look, clock=steady)
        node.create_timer(FLUSH_PERIOD_S, self._flush, clock=steady)

    @property
    def topics(self) -> int:
        """Number of topics that are recorded."""
        return len(self._known)

    def _look(self) -> None:
        for name, kinds in self._node.get_topic_names_and_types():
            if name in self._known or not self._selection.records(name):
                continue
            offers = self._node.get_publishers_info_by_topic(name)
            if offers:
                self._known.add(name)
                self._subscribe(name, kinds[0], offers)

    def _subscribe(self, name: str, kind: str, offers: list[Any]) -> None:
        profiles = [offer.qos_profile for offer in offers]
        qos = tuple(dict.fromkeys(map(as_recorded, profiles)))
        try:
            message_class = message_type(kind)
            topic = Topic(name, kind, definition(kind), type_hash(offers[0]), qos)
        except BagError as error:
            self._warn(f"{name} is not recorded: {error}")
            return
        self._try(lambda: self._writer.add_topic(topic))

        def heard(data: bytes, info: Mapping[str, int]) -> None:
            self._write(name, data, info)

        self._node.create_subscription(message_class, name, heard, to_hear(profiles), raw=True)

    def _write(self, name: str, data: bytes, info: Mapping[str, int]) -> None:
        now_ns = time.time_ns()
        self.last_s = time.monotonic()
        if self.first_s is None:
            self.first_s = self.last_s
        received_ns = info.get("received_timestamp") or now_ns
        self._try(
            lambda: self._writer.write(
                name, received_ns, info.get("source_timestamp") or received_ns, data
            )
        )

    def _flush(self) -> None:
        self._try(self._writer.flush)

    def _try(self, work: Callable[[], None]) -> None:
        if self.failure is None:
            try:
                work()
            except BagError as error:
                self.failure = error


def message_type(kind: str) -> Any:
    """Return the class of a message type, such as "sensor_msgs/msg/Image".

    Raises
    ------
    BagError
        if it is not installed.
    """
    package, _, name = kind.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise BagError(f"{kind} is not installed here: source the workspace that has it") from error


def type_hash(offer: Any) -> str:
    """Return the hash of an endpoint's type, as "RIHS01_..."; empty where it is not known."""
    found = getattr(offer, "topic_type_hash", None)
    return "" if found is None else str(found)
