"""Plays a bag into a graph, and waits for the graph where that cannot keep up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from rclpy.exceptions import InvalidTopicNameException
from rosgraph_msgs.msg import Clock

from fer.bags.flow import Flow, Pace, stamp_ns
from fer.bags.listeners import Control, GraphView
from fer.bags.reading import Bag, RecordedMessage
from fer.bags.recorder import message_type
from fer.bags.selection import Selection
from fer.bags.topics import BagError, replay_qos, subscription_qos
from fer.bringup.graph import IMAGE_TOPIC
from fer_common.core.stamps import NANOSECONDS, split_ns
from fer_common.ros.graph_client import GraphClient

NODE_NAME = "fer_bag_play"
PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_FEATURES = "fer_interfaces/msg/FaceFeaturesArray"
_TURN_S = 0.05
_STEADY_S = 0.5
_CLOCK = "/clock"
_WITHOUT_CAMERA = "fer up --no-camera (ros2 launch: camera:=false)"


@dataclass(frozen=True)
class PlayOptions:
    """How to play.

    Attributes
    ----------
    rate : seconds of the bag per second.
    start_s : leave out so much at the beginning.
    clock_hz : how often to publish /clock, 0: never.
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

    def played_as(self, topic: str) -> str:
        """Return the absolute name under which a topic of a bag is played."""
        name = self.selection.absolute(topic)
        return self.remap.get(name, name)


@dataclass
class Outcome:
    """What came of playing a bag.

    Attributes
    ----------
    answers, lost : frames that were answered, and that were given up.
    left_out : what could not be played: number of messages and reason, by topic.
    advice : what to do so that frames are answered, empty where they were or there were none.
    """

    messages: int = 0
    answers: int = 0
    lost: int = 0
    left_out: dict[str, tuple[int, str]] = field(default_factory=dict)
    advice: str = ""


def frame_topics(bag: Bag, options: PlayOptions) -> dict[str, str]:
    """Return the types of what may be frames for the graph, by the names they are played as."""
    return {
        options.played_as(name): topic.type
        for name, topic in bag.topics.items()
        if topic.messages
        and topic.type in (*PICTURES, _FEATURES)
        and options.selection.plays(name)
        and not topic.obstacle
    }


def frame_advice(bag: Bag, options: PlayOptions) -> str:
    """Return what is to be done so that the graph takes frames of a bag; empty where it does."""
    frames = frame_topics(bag, options)
    image = options.selection.resolved(IMAGE_TOPIC)
    if image in frames or options.selection.resolved("features") in frames:
        return ""
    raw, compressed = (sorted(k for k, v in frames.items() if v == kind) for kind in PICTURES)
    if raw:
        return f"the graph takes pictures from {image}: add --remap {raw[0]}:={image}"
    if compressed:
        to = f"{image}/compressed"
        remap = "" if to in compressed else f" and add --remap {compressed[0]}:={to}"
        return (
            f"{bag.path} holds only compressed pictures: set `image_transport: compressed` for the "
            f"features node in a file for --params{remap}"
        )
    return f"{bag.path} holds no pictures and no features: name a bag that does"


class Player:
    """Plays one bag."""

    def __init__(
        self,
        client: GraphClient,
        bag: Bag,
        options: PlayOptions,
        log: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._client, self._node = client, client.node
        self._bag = bag
        self._options = options
        self._log = log
        self._stopped = stopped
        self._view = GraphView(client)
        self._publishers: dict[str, Any] = {}
        self._clock: Any = None
        self._next_clock_s = 0.0
        self._control: Control | None = None
        self._flow = Flow(options.window, options.patience_s)
        self._played: Counter[str] = Counter()
        self._left_out: dict[str, tuple[int, str]] = {}
        self._advice = f"start the graph first: {_WITHOUT_CAMERA}"

    def run(self) -> Outcome:
        """Play the bag to its end, or until it is stopped.

        Raises
        ------
        BagError
            if there is nothing to play.
        """
        start_s, duration_s = self._options.start_s, self._bag.duration_s
        if start_s > duration_s:
            raise BagError(f"--start {start_s:g} is past the end: the bag lasts {duration_s:.3f} s")
        self._find_graph()
        self._publish_topics(self._topics())
        self._join()
        for _ in count() if self._options.loop else range(1):
            self._play_once()
            self._flow.drain(self._stopped)
            if self._stopped():
                break
        else:
            self._count_losses()
        return self._outcome()

    def _outcome(self) -> Outcome:
        outcome = Outcome(self._played.total(), self._flow.answers, self._flow.lost, self._left_out)
        asked_for = frame_topics(self._bag, self._options) and self._options.wait_s
        if asked_for and not outcome.answers and not self._stopped():
            outcome.advice = frame_advice(self._bag, self._options) or (
                f"{self._advice}, give --graph to start nodes for this replay, or --wait 0 to play "
                "to whoever listens"
            )
        return outcome

    def _count_losses(self) -> None:
        if self._options.start_s:
            return
        for name in self._publishers:
            if lost := self._bag.topics[name].messages - self._played[name]:
                self._left_out[name] = lost, "they cannot be read"

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
        options, selection = self._options, self._options.selection
        names = {selection.absolute(name) for name in self._bag.topics}
        for old in options.remap:
            if old not in names:
                raise BagError(f"--remap {old}: the bag has no such topic, see `fer bag info`")
        chosen, nodes = {}, {}
        for name, recorded in self._bag.topics.items():
            to = options.played_as(name)
            if not recorded.messages or not selection.plays(name):
                continue
            if to == _CLOCK and options.clock_hz:
                continue
            if recorded.obstacle:
                self._left_out[name] = recorded.messages, recorded.obstacle
            elif (publishers := self._view.publishers(to)) and not selection.names(name):
                nodes[to] = publishers
            else:
                chosen[name] = to
        if nodes:
            text = ", ".join(f"{topic} ({', '.join(names)})" for topic, names in nodes.items())
            self._log(f"left out, because nodes publish them: {text}")
        if source := nodes.get(selection.resolved(IMAGE_TOPIC)):
            self._advice = f"leave out {', '.join(source)}: {_WITHOUT_CAMERA}"
        if not chosen:
            left_out = self._left_out.items()
            reasons = [f"{number} messages of {name}: {why}" for name, (number, why) in left_out]
            reasons += [self._advice] if nodes else ["see `fer bag info`"]
            raise BagError(f"nothing of {self._bag.path} is left to play: {'; '.join(reasons)}")
        return chosen

    def _publish_topics(self, topics: Mapping[str, str]) -> None:
        for name, to in topics.items():
            recorded = self._bag.topics[name]
            try:
                self._publishers[name] = self._node.create_publisher(
                    message_type(recorded.type), to, replay_qos(recorded)
                )
            except (BagError, InvalidTopicNameException) as error:
                reason = str(error).partition(":\n")[0]
                self._left_out[name] = recorded.messages, reason
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
            subscription_qos([offer.qos_profile for offer in offers]),
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
        first_ns = self._bag.start_ns + round(self._options.start_s * NANOSECONDS)
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
            self._played[message.topic] += 1

    def _latched_before(self, first_ns: int) -> Iterator[RecordedMessage]:
        """Yield the last message before the start of each topic that late joiners get."""
        latched = {name for name in self._publishers if self._bag.topics[name].is_latched}
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
        message.clock.sec, message.clock.nanosec = split_ns(time_ns)
        self._clock.publish(message)

    def _wait(self, condition: Callable[[], bool], within_s: float) -> bool:
        return self._client.wait(lambda: self._stopped() or condition(), within_s) and not (
            self._stopped()
        )
