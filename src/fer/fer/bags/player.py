"""Plays a bag into a graph, and waits for the graph where that cannot keep up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from fer.bags.errors import BagError
from fer.bags.flow import Flow, stamp_ns
from fer.bags.listeners import Control, GraphView
from fer.bags.pace import Pace
from fer.bags.profiles import to_hear, to_replay
from fer.bags.reading import Bag, RecordedMessage
from fer.bags.recorder import message_type
from fer.bags.selection import Selection

NODE_NAME = "fer_bag_play"
_NS_PER_S = 1_000_000_000
_TURN_S = 0.05
_STEADY_S = 0.5
_CLOCK = "/clock"


@dataclass(frozen=True)
class PlayOptions:
    """How to play.

    Attributes
    ----------
    selection : which topics.
    rate : seconds of the bag per second.
    loop : begin again at the end.
    start_s : leave out so much at the beginning.
    clock_hz : how often to publish /clock, 0: never.
    remap : other names for topics.
    wait_s : how long to wait for a graph that answers.
    expected : nodes that answer and must be there before it begins; empty: those that are found.
    recorded : topics that must be recorded before it begins.
    window : most frames on their way through the graph.
    patience_s : a frame without an answer is given up after so long.
    """

    selection: Selection
    rate: float = 1.0
    loop: bool = False
    start_s: float = 0.0
    clock_hz: float = 0.0
    remap: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 3.0
    expected: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    window: int = 1
    patience_s: float = 20.0


@dataclass(frozen=True)
class Outcome:
    """What was played: messages, answers that were heard, frames that were given up."""

    messages: int
    answers: int
    lost: int


class Player:
    """Plays one bag. Its methods are called in one thread while the node spins in another.

    Parameters
    ----------
    node : to publish with.
    bag : what to play.
    options : how.
    log : called with what a user should know.
    stopped : whether to end.
    """

    def __init__(
        self,
        node: Node,
        bag: Bag,
        options: PlayOptions,
        log: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._node = node
        self._bag = bag
        self._options = options
        self._log = log
        self._stopped = stopped
        self._view = GraphView(node, options.selection.namespace)
        self._publishers: dict[str, Any] = {}
        self._clock: Any = None
        self._next_clock_s = 0.0
        self._control: Control | None = None
        self._flow = Flow(options.window, options.patience_s)
        self._played = 0

    def run(self) -> Outcome:
        """Play the bag to its end, or until it is stopped.

        Raises
        ------
        BagError
            if there is nothing to play.
        """
        self._find_graph()
        self._publish_topics(self._topics())
        self._join()
        for _ in count() if self._options.loop else range(1):
            self._play_once()
            self._flow.drain(self._stopped)
            if self._stopped():
                break
        return Outcome(self._played, self._flow.answers, self._flow.lost)

    def _find_graph(self) -> None:
        """Wait for nodes that answer, and until no more of them appear."""
        options, view = self._options, self._view
        expected = set(options.expected)

        def complete() -> bool:
            found = view.answerers()
            return bool(found) and expected <= found and view.steady_s() > _STEADY_S

        found = self._wait(complete, options.wait_s)
        if expected and not found and not self._stopped():
            missing = ", ".join(sorted(expected - view.answerers()))
            raise BagError(f"{missing} did not come up within {options.wait_s:g} s: see its log")

    def _topics(self) -> dict[str, str]:
        """Return the topics to play, by their names in the bag, with the names to play them by."""
        selection, chosen, left_out = self._options.selection, {}, []
        for name, topic in self._bag.topics.items():
            to = self._options.remap.get(name, name)
            if not topic.messages or not selection.plays(name):
                continue
            if name == _CLOCK and self._options.clock_hz:
                continue
            if not selection.names(name) and self._view.published_by_others(to):
                left_out.append(to)
                continue
            chosen[name] = to
        if left_out:
            self._log(f"left out, because nodes publish them: {', '.join(left_out)}")
        if not chosen:
            raise BagError(f"bag {self._bag.path} has none of these topics: see `fer bag info`")
        return chosen

    def _publish_topics(self, topics: Mapping[str, str]) -> None:
        for name, to in topics.items():
            topic = self._bag.topics[name]
            try:
                kind = message_type(topic.kind)
            except BagError as error:
                self._log(f"{name} is not played: {error}")
                continue
            self._publishers[name] = self._node.create_publisher(kind, to, to_replay(topic.qos))
        if self._options.clock_hz:
            self._clock = self._node.create_publisher(Clock, _CLOCK, 10)

    def _join(self) -> None:
        """Wait until the nodes that answer hear us, and we them."""
        names = {publisher.topic_name for publisher in self._publishers.values()}
        if self._view.answerers():
            self._wait(lambda: self._view.control(names) is not None, self._options.wait_s)
        self._control = control = self._view.control(names)
        if control is None:
            self._log("nobody answers frames here: they are played at the rate alone")
            return
        offers = self._node.get_publishers_info_by_topic(control.answers)
        self._node.create_subscription(
            message_type(offers[0].topic_type),
            control.answers,
            lambda data: self._flow.answered(stamp_ns(data)),
            to_hear([offer.qos_profile for offer in offers]),
            raw=True,
        )
        if not self._wait(
            lambda: (
                self._heard(control.frames)
                and self._view.recorded(self._options.recorded)
                and self._view.settled(control, names)
            ),
            max(self._options.wait_s, 10.0),
        ):
            self._log("not every listener was found in time: some may miss the beginning")

    def _heard(self, topic: str) -> bool:
        listeners = self._node.count_subscribers(topic)
        publishers = [p for p in self._publishers.values() if p.topic_name == topic]
        return all(p.get_subscription_count() == listeners for p in publishers)

    def _play_once(self) -> None:
        first_ns = self._bag.start_ns + round(self._options.start_s * _NS_PER_S)
        for message in self._latched_before(first_ns):
            self._publishers[message.topic].publish(message.data)
        pace = Pace(self._options.rate, first_ns, time.monotonic())
        for message in self._bag.messages(self._publishers, first_ns):
            self._wait_for_its_time(pace, message.received_ns)
            publisher = self._publishers[message.topic]
            if self._control is not None and publisher.topic_name == self._control.frames:
                pace.held_up(self._flow.send(stamp_ns(message.data), self._stopped))
            if self._stopped():
                return
            publisher.publish(message.data)
            self._played += 1

    def _latched_before(self, first_ns: int) -> Iterator[RecordedMessage]:
        """Yield the last message before the start of each topic that late joiners get."""
        latched = {
            name
            for name in self._publishers
            if to_replay(self._bag.topics[name].qos).durability.name == "TRANSIENT_LOCAL"
        }
        last: dict[str, RecordedMessage] = {}
        if latched and self._options.start_s:
            for message in self._bag.messages(latched):
                if message.received_ns >= first_ns:
                    break
                last[message.topic] = message
        yield from last.values()

    def _wait_for_its_time(self, pace: Pace, time_ns: int) -> None:
        while not self._stopped():
            now_s = time.monotonic()
            remaining_s = pace.due_s(time_ns) - now_s
            self._tell_time(min(pace.time_ns(now_s), time_ns), now_s)
            if remaining_s <= 0:
                return
            turn_s = self._next_clock_s - now_s if self._clock is not None else _TURN_S
            time.sleep(max(min(remaining_s, turn_s, _TURN_S), 0.0))

    def _tell_time(self, time_ns: int, now_s: float) -> None:
        if self._clock is None or now_s < self._next_clock_s:
            return
        self._next_clock_s = now_s + 1 / self._options.clock_hz
        message = Clock()
        message.clock.sec, message.clock.nanosec = divmod(time_ns, _NS_PER_S)
        self._clock.publish(message)

    def _wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        deadline_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline_s or self._stopped():
                return False
            time.sleep(_TURN_S)
        return True
