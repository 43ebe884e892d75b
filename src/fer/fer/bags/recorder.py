"""Records topics: serialized messages as they come, straight to disk."""

from __future__ import annotations

import importlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rich import filesize

from fer.bags.guardian import guarded
from fer.bags.selection import Selection
from fer.bags.topics import BagError, Topic, as_recorded, definition, subscription_qos
from fer.bags.writer import BagWriter, Layout
from fer.client import connect

#: A kill loses what came since the last flush, and a chunk that was being written: 1 s at most.
FLUSH_PERIOD_S = 0.4
_LOOK_PERIOD_S = 0.2
NODE_NAME = "fer_bag_record"
_TURN_S = 0.05
#: At its end a recorder goes on until it has heard nothing for `_SILENCE_S`, or for `_LET_IN_S`.
_SILENCE_S, _LET_IN_S = 0.2, 0.5
#: How often the state is shown on a terminal and elsewhere.
_TERMINAL_PERIOD_S, _LOG_PERIOD_S = 1.0, 10.0
_MB = 1e6


class Recorder:
    """Subscribes to every topic of a selection as it appears, and writes what it hears."""

    def __init__(
        self, node: Node, writer: BagWriter, selection: Selection, warn: Callable[[str], None]
    ) -> None:
        self._node = node
        self._writer = writer
        self._selection = selection
        self._warn = warn
        self._known: set[str] = set()
        self.messages: Counter[str] = Counter()
        """Number of messages that were heard, by topic; every topic that is subscribed to has one.
        """
        self.failure: BagError | None = None
        self.first_s: float | None = None
        """When the first message came, by the monotonic clock."""
        self.last_s = 0.0
        """When the last one came."""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_LOOK_PERIOD_S, self._look, clock=steady)
        node.create_timer(FLUSH_PERIOD_S, lambda: self._try(writer.flush), clock=steady)

    def unheard(self) -> list[str]:
        """Return the topics that were asked for or found, and of which no message came."""
        found = dict(self.messages)
        asked = [*filter(None, map(self._selection.literal, self._selection.topics))]
        return sorted(name for name in {*asked, *found} if not found.get(name))

    def _look(self) -> None:
        for name, types in self._node.get_topic_names_and_types():
            if name in self._known or not self._selection.records(name):
                continue
            offers = self._node.get_publishers_info_by_topic(name)
            if offers:
                self._known.add(name)
                self._subscribe(name, types[0], offers)

    def _subscribe(self, name: str, type_name: str, offers: list[Any]) -> None:
        profiles = [offer.qos_profile for offer in offers]
        qos = tuple(dict.fromkeys(map(as_recorded, profiles)))
        try:
            message_class = message_type(type_name)
            topic = Topic(name, type_name, definition(type_name), type_hash(offers[0]), qos)
        except BagError as error:
            self._warn(f"{name} is not recorded: {error}")
            return
        self._try(lambda: self._writer.add_topic(topic))
        self.messages[name] = 0

        def heard(data: bytes, info: Mapping[str, int]) -> None:
            self._write(name, data, info)

        self._node.create_subscription(
            message_class, name, heard, subscription_qos(profiles), raw=True
        )

    def _write(self, name: str, data: bytes, info: Mapping[str, int]) -> None:
        now_ns = time.time_ns()
        self.last_s = time.monotonic()
        if self.first_s is None:
            self.first_s = self.last_s
        self.messages[name] += 1
        received_ns = info.get("received_timestamp") or now_ns
        self._try(
            lambda: self._writer.write(
                name, received_ns, info.get("source_timestamp") or received_ns, data
            )
        )

    def _try(self, work: Callable[[], None]) -> None:
        if self.failure is None:
            try:
                work()
            except BagError as error:
                self.failure = error


def record(
    folder: Path,
    layout: Layout,
    selection: Selection,
    duration_s: float | None,
    stopped: Callable[[], bool],
) -> bool:
    """Record to a new folder, show the state meanwhile, and return whether anything was heard.

    Parameters
    ----------
    duration_s : end so long after the first message, or after the begin where none comes.

    Raises
    ------
    BagError
        if the bag cannot be written.
    """
    with ExitStack() as stack:
        # The guardian comes after the folder: it must not touch one that was there before.
        writer = BagWriter(folder, layout)
        stack.enter_context(guarded(folder))
        stack.callback(writer.close)
        with connect(selection.namespace, NODE_NAME) as client:
            recorder = Recorder(client.node, writer, selection, _say)
            state = _State(writer, recorder)
            _say(f"recording to {folder}; Ctrl-C ends it")
            begun_s = time.monotonic()
            while not stopped() and recorder.failure is None:
                first_s = recorder.first_s or begun_s
                if duration_s is not None and time.monotonic() >= first_s + duration_s:
                    break
                state.show()
                time.sleep(_TURN_S)
            # What was sent before the end was asked for is still on its way.
            client.wait(
                lambda: recorder.failure or time.monotonic() - recorder.last_s > _SILENCE_S,
                _LET_IN_S,
            )
        if recorder.failure is not None:
            raise recorder.failure
        writer.close()
        heard = sum(map(bool, recorder.messages.values()))
        state.show(f"{heard} topics in {folder}")
        return heard > 0


class _State:
    """Shows how a recording goes: on a terminal in one line, elsewhere in a line each time."""

    def __init__(self, writer: BagWriter, recorder: Recorder) -> None:
        self._writer, self._recorder = writer, recorder
        self._is_terminal = sys.stderr.isatty()
        self._period_s = _TERMINAL_PERIOD_S if self._is_terminal else _LOG_PERIOD_S
        self._last_s, self._last_bytes = time.monotonic(), 0

    def show(self, end: str = "") -> None:
        """Show size, rate, messages and what is not heard, when it is time for it or at the end."""
        writer, now_s = self._writer, time.monotonic()
        if not end and now_s < self._last_s + self._period_s:
            return
        size, unheard = writer.size, self._recorder.unheard()
        rate = (size - self._last_bytes) / (now_s - self._last_s)
        self._last_s, self._last_bytes = now_s, size
        text = end or f"{rate / _MB:.2f} MB/s"
        text = f"{filesize.decimal(size)}, {writer.messages} messages, {text}"
        if unheard:
            text += f"; not heard: {', '.join(unheard)}"
        elif not writer.messages:
            text += "; nothing is heard: see `fer doctor`"
        start, stop = ("\r\x1b[K", end and "\n") if self._is_terminal else ("", "\n")
        print(start + text, end=stop, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def message_type(name: str) -> Any:
    """Return the class of a message type, such as "sensor_msgs/msg/Image".

    Raises
    ------
    BagError
        if it is not installed.
    """
    try:
        package, _, short = name.split("/")
        return getattr(importlib.import_module(f"{package}.msg"), short)
    except (ImportError, AttributeError, ValueError) as error:
        raise BagError(f"{name} is not installed here: source the workspace that has it") from error


def type_hash(offer: Any) -> str:
    """Return the hash of an endpoint's type, as "RIHS01_..."; empty where it is not known."""
    found = getattr(offer, "topic_type_hash", None)
    return "" if found is None else str(found)
