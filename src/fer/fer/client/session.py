"""A short-lived ROS node for a command."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
from collections.abc import Iterator

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fer.bringup.environment import graph_environment
from fer.bringup.installed import config_folder


@contextlib.contextmanager
def spinning_node(name: str) -> Iterator[Node]:
    """Yield a node of a context of its own, whose callbacks run in a thread of their own.

    Signals are left to the caller. An error in a callback reaches the main thread as SIGTERM, and
    is raised at the end of the block.
    """
    os.environ.update(graph_environment(os.environ, config_folder()))
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = Node(name, context=context, start_parameter_services=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    failures: list[BaseException] = []
    closing = threading.Event()

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            pass
        except BaseException as error:
            # What was about to be worked on when the executor was shut down is gone.
            if not closing.is_set():
                failures.append(error)
                _thread.interrupt_main(signal.SIGTERM)

    thread = threading.Thread(target=spin, name=name, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        closing.set()
        executor.shutdown()
        thread.join()
        node.destroy_node()
        context.try_shutdown()
        # Said even if the SIGTERM has ended the block by an exception.
        if failures:
            raise failures[0]
