"""Nodes like those of the graph, many times, that send nothing: what they cost is discovery.

Started as a program: `python crowd.py GRAPHS NAME`. Each node is a participant of its own, as in a
process of its own, with the services, parameters and topics of a lifecycle node.
"""

from __future__ import annotations

import signal
import sys

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from rclpy.signals import SignalHandlerOptions

from fer.bringup.graph import NODES


def main(graphs: str, name: str) -> None:
    """Be there until a signal."""
    crowd = []
    for k in range(int(graphs)):
        for node in NODES:
            context = Context()
            rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
            member = LifecycleNode(node.name, namespace=f"/{name}{k}", context=context)
            member.create_publisher(DiagnosticArray, "/diagnostics", 10)
            crowd.append((member, context))
    print("all are there", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    for member, context in crowd:
        member.destroy_node()
        context.try_shutdown()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main(*sys.argv[1:])
