"""`fer merge`: one network that learns from several robots."""

from __future__ import annotations

import argparse
import time
from functools import partial

from fer.client import connect
from fer.client.feature_merger import FaceIds, FeatureMerger
from fer.processes.signals import StopRequests
from fer_common.core.errors import FerError
from fer_common.core.graph_names import absolute

_POLL_S = 0.1
_FEWEST = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    text = "namespaces of their graphs, such as robot1 robot2; the first one sets the pace"
    parser.add_argument("robots", nargs="+", metavar="ROBOT", help=text)
    text = "namespace of the graph that learns from all (default: %(default)s)"
    parser.add_argument("--into", default="shared", metavar="NAMESPACE", help=text)


def run(arguments: argparse.Namespace) -> int:
    """Merge the robots' features until a signal.

    Raises
    ------
    FerError
        if there is nothing to merge, or the output would be one of the inputs.
    """
    robots = [absolute(robot).rstrip("/") for robot in arguments.robots]
    into = absolute(arguments.into).rstrip("/")
    if len(set(robots)) < _FEWEST or len(set(robots)) < len(robots):
        raise FerError("name two robots or more, each once")
    if into in robots:
        raise FerError(f"{into} is one of the robots: name another namespace with --into")
    with StopRequests() as stop:
        _merge(robots, into, stop)
    return 0


def _merge(robots: list[str], into: str, stop: StopRequests) -> None:
    merger = FeatureMerger(robots, FaceIds(_announce))
    with connect(into, "fer_merge") as client:
        from fer_common.ros import qos
        from fer_interfaces.msg import FaceFeaturesArray

        node = client.node
        publisher = node.create_publisher(FaceFeaturesArray, "features", qos.STREAM)

        def received(robot: str, message: FaceFeaturesArray) -> None:
            unlike = merger.unlike
            merged = merger.add(robot, message, time.monotonic())
            if merged is not None:
                publisher.publish(merged)
            if merger.unlike > unlike:
                node.get_logger().warning(
                    "the robots' features are of different kinds and only those of the first are "
                    "used: give all features nodes the same parameters",
                    throttle_duration_sec=5.0,
                )

        for robot in robots:
            node.create_subscription(
                FaceFeaturesArray, f"{robot}/features", partial(received, robot), qos.STREAM
            )
        while not stop.count:
            time.sleep(_POLL_S)


def _announce(new_id: int, robot: str, face_id: int) -> None:
    print(f"face {new_id} is face {face_id} of {robot}", flush=True)
