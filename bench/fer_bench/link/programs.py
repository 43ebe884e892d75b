"""Programs that run on the two hosts: `python programs.py crowd|probe|stream ARGUMENT ...`."""

from __future__ import annotations

import contextlib
import copy
import importlib
import signal
import sys
import time
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CompressedImage

from fer.bringup.graph import NODES
from fer_common.core.network_links import CongestionWindow
from fer_common.core.stamps import split_ns, to_ns
from fer_common.ros import qos
from fer_common.ros.node import all_acknowledged

STREAM_TOPIC, STREAM_KIND = "/stream", "sensor_msgs/CompressedImage"
STREAM_HZ = 30.0
READY = "all nodes run"
_DEEP = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE
)


def command(program: str, *arguments: object) -> list[str]:
    """Return the command that runs one of the programs."""
    return [sys.executable, __file__, program, *map(str, arguments)]


def crowd(graphs: str, name: str) -> None:
    """Run the nodes of several graphs that send nothing, so that their only cost is discovery.

    Each node is a participant of its own, as in a process of its own, with the services, parameters
    and topics of a lifecycle node.
    """
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    members = []
    for k in range(int(graphs)):
        for node in NODES:
            context = Context()
            rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
            member = LifecycleNode(node.name, namespace=f"/{name}{k}", context=context)
            member.create_publisher(DiagnosticArray, "/diagnostics", 10)
            members.append((member, context))
    print(READY, flush=True)
    signal.sigwait(signals)
    for member, context in members:
        member.destroy_node()
        context.try_shutdown()


def probe(topic: str, kind: str) -> None:
    """Print stamp and arrival, ns of the wall clock, of every message of a topic."""
    package, name = kind.split("/")
    message_type = getattr(importlib.import_module(f"{package}.msg"), name)

    def heard(message: Any) -> None:
        print(to_ns(message.header.stamp), time.time_ns(), flush=True)

    node = _node("probe")
    node.create_subscription(message_type, topic, heard, _DEEP)
    _spin(node)


def stream(size_bytes: str, paced: str) -> None:
    """Send a stream that may be paced by its listeners, to compare transports."""
    node = _node("stream")
    publisher = node.create_publisher(CompressedImage, STREAM_TOPIC, copy.copy(qos.STREAM))
    window = CongestionWindow(lambda: all_acknowledged(publisher))
    message = CompressedImage()
    message.data.frombytes(bytes(int(size_bytes)))

    def send() -> None:
        if paced == "False" or window.may_send(time.monotonic()):
            stamp = message.header.stamp
            stamp.sec, stamp.nanosec = split_ns(time.time_ns())
            publisher.publish(message)

    node.create_timer(1 / STREAM_HZ, send)
    _spin(node)


def _node(name: str) -> Node:
    rclpy.init()
    return rclpy.create_node(name, start_parameter_services=False)


def _spin(node: Node) -> None:
    """Run until a signal."""
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    {"crowd": crowd, "probe": probe, "stream": stream}[sys.argv[1]](*sys.argv[2:])
