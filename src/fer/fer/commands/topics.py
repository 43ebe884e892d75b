"""`fer topics`, `fer echo TOPIC` and `fer hz TOPIC`, for machines without ros2cli."""

from __future__ import annotations

import argparse
import itertools
import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml

from fer.commands.bag import bag_libraries
from fer.commands.options import add_namespace, positive_integer, run_verb
from fer_common.core.errors import FerError

if TYPE_CHECKING:
    from fer_common.ros.graph_client import GraphClient

#: Topics are listed when no other has been found for this long.
_LOOK_S = 1.0
#: Every node has these, ours too.
_OWN = {"/parameter_events", "/rosout"}
_REPORT_S = 1.0
#: Longest part of an array that is shown.
_SHOWN = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command that the parser is for."""
    name = parser.prog.rpartition(" ")[2]
    add_namespace(parser)
    parser.set_defaults(verb={"topics": _topics, "echo": _echo, "hz": _hz}[name])
    if name == "topics":
        return
    parser.add_argument("topic", metavar="TOPIC", help="absolute, or below the namespace")
    text = {"echo": "end after so many messages", "hz": "end after so many seconds"}[name]
    parser.add_argument("-n", type=positive_integer, metavar="N", help=f"{text} (default: Ctrl-C)")
    if name == "echo":
        parser.add_argument("--full", action="store_true", help="show long arrays whole")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    with bag_libraries():
        return run_verb(arguments)


def _topics(arguments: argparse.Namespace) -> int:
    from fer.client import connect
    from fer_common.ros.graph_client import DISCOVERY_TIMEOUT_S

    with connect(arguments.namespace) as client:
        names = client.node.get_topic_names_and_types
        client.wait(lambda: {name for name, _ in names()} > _OWN, DISCOVERY_TIMEOUT_S)
        known = 0
        while len(names()) > known:
            known = len(names())
            client.wait(lambda: False, _LOOK_S)
        for name, types in names():
            publishers = client.node.count_publishers(name)
            subscribers = client.node.count_subscribers(name)
            print(f"{name} [{', '.join(types)}] {publishers} to {subscribers}")
    return 0


def _echo(arguments: argparse.Namespace) -> int:
    from fer.client import connect

    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    limit = None if arguments.full else _SHOWN
    with connect(arguments.namespace) as client:
        _subscribe(client, arguments.topic, messages.put)
        for _ in itertools.repeat(None, arguments.n) if arguments.n else itertools.count():
            text = yaml.safe_dump(_plain(messages.get(), limit), sort_keys=False)
            print(f"{text}---", flush=True)
    return 0


def _hz(arguments: argparse.Namespace) -> int:
    from fer.client import connect

    arrivals_s: list[float] = []
    with connect(arguments.namespace) as client:
        _subscribe(client, arguments.topic, lambda message: arrivals_s.append(time.monotonic()))
        for _ in itertools.repeat(None, arguments.n) if arguments.n else itertools.count():
            begin, begin_s = len(arrivals_s), time.monotonic()
            client.wait(lambda: False, _REPORT_S)
            count, now_s = len(arrivals_s) - begin, time.monotonic()
            last = arrivals_s[max(begin - 1, 0) :]
            longest_s = max((b - a for a, b in itertools.pairwise(last)), default=0.0)
            print(f"{count / (now_s - begin_s):.1f} Hz, longest gap {longest_s:.3f} s", flush=True)
    return 0


def _subscribe(client: GraphClient, topic: str, callback: Callable[[Any], None]) -> None:
    """Call back with each message, in the thread of the client.

    Raises
    ------
    FerError
        if nobody publishes the topic, or its type is not installed.
    """
    from fer.bags.recorder import message_type
    from fer.bags.topics import subscription_qos
    from fer_common.ros.graph_client import DISCOVERY_TIMEOUT_S
    from fer_common.ros.messages import MessageChecker

    name = client.resolve(topic)
    offers: list[Any] = []

    def found() -> bool:
        offers[:] = client.node.get_publishers_info_by_topic(name)
        return bool(offers)

    try:
        is_there = client.wait(found, DISCOVERY_TIMEOUT_S)
    except ValueError as error:
        raise FerError(f"'{topic}' cannot be the name of a topic: {error}") from error
    if not is_there:
        raise FerError(f"nobody publishes {name}: `fer topics` lists what there is")
    kind = message_type(offers[0].topic_type)
    on_bytes = MessageChecker(client.node).callback(kind, name, callback)
    profile = subscription_qos([offer.qos_profile for offer in offers])
    client.node.create_subscription(kind, name, on_bytes, profile, raw=True)


def _plain(value: Any, limit: int | None) -> Any:
    """Return a message as YAML can write it, with at most `limit` elements of each array."""
    if hasattr(value, "get_fields_and_field_types"):
        names = value.get_fields_and_field_types()
        return {name: _plain(getattr(value, name), limit) for name in names}
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, bytes):
        return list(value[:limit])
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return value.item()
    shown = [_plain(each, limit) for each in value[:limit]]
    return shown if len(shown) == len(value) else [*shown, f"... {len(value)} in all"]
