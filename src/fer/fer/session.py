"""A short-lived ROS node for a command."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fer.environment import graph_environment
from fer.installed import config_folder


@contextlib.contextmanager
def spinning_node(name: str) -> Iterator[Node]:
    """Yield a node of a context of its own, whose callbacks run in a thread of their own.

    Signals are left to the caller.
    """
    os.environ.update(graph_environment(os.environ, config_folder()))
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node(name, context=context, start_parameter_services=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        with contextlib.suppress(ExternalShutdownException):
            executor.spin()

    thread = threading.Thread(target=spin, name=name, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        executor.shutdown()
        thread.join()
        node.destroy_node()
        context.try_shutdown()
