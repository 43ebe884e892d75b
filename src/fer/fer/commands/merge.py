"""`fer merge`: one network that learns from several robots."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from typing import Any

from fer.bringup.graph import absolute
from fer.merging import FaceIds, Merger
from fer.processes.signals import StopRequests
from fer_common.core.errors import FerError

_SHARED = "shared"
_TURN_S = 0.1
_FEWEST = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "robots",
        nargs="+",
        metavar="ROBOT",
        help="namespaces of their graphs, such as robot1 robot2; the first one sets the pace",
    )
    parser.add_argument(
        "--into",
        default=_SHARED,
        metavar="NAMESPACE",
        help="namespace of the graph that learns from all (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Pass features on until a signal.

    Raises
    ------
    FerError
        if there is nothing to merge, or it would go round in a circle.
    """
    robots = [absolute(robot).rstrip("/") for robot in arguments.robots]
    into = absolute(arguments.into).rstrip("/")
    if len(set(robots)) < _FEWEST or len(set(robots)) < len(robots):
        raise FerError("name two robots or more, each once")
    if into in robots:
        raise FerError(f"{into} is one of the robots: name another namespace with --into")
    from fer.client.session import spinning_node

    with StopRequests() as stop, spinning_node("fer_merge") as node:
        _connect(node, robots, into)
        while not stop.count:
            time.sleep(_TURN_S)
    return 0


def _connect(node: Any, robots: list[str], into: str) -> None:
    from fer_common.ros import qos
    from fer_interfaces.msg import FaceFeaturesArray

    merger = Merger(robots, FaceIds(_tell))
    publisher = node.create_publisher(FaceFeaturesArray, f"{into}/features", qos.STREAM)

    def received(robot: str, message: FaceFeaturesArray) -> None:
        unlike = merger.unlike
        merged = merger.add(robot, message, time.monotonic())
        if merged is not None:
            publisher.publish(merged)
        if merger.unlike > unlike:
            node.get_logger().warning(
                "the robots' features are not of one kind, those of the first go on: give all "
                "features nodes the same parameters",
                throttle_duration_sec=5.0,
            )

    for robot in robots:
        topic = f"{robot}/features"
        node.create_subscription(FaceFeaturesArray, topic, partial(received, robot), qos.STREAM)


def _tell(new_id: int, robot: str, face_id: int) -> None:
    print(f"face {new_id} is face {face_id} of {robot}", file=sys.stdout, flush=True)
