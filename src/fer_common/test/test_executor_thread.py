"""The thread of a client's callbacks: it ends at once, without an error, and tells what failed."""

from __future__ import annotations

import threading

from rclpy.node import Node

from fer_common.ros.executor_thread import ExecutorThread
from fer_testing.ros import Graph, wait_for


def test_it_ends_between_callbacks_without_an_error(graph: Graph) -> None:
    """Closing destroyed what the running executor still used: a traceback about one end in five."""
    for k in range(30):
        failures: list[BaseException] = []
        node = Node(f"client_{k}", context=graph.context)
        ran = threading.Event()
        node.create_timer(0.001, ran.set)
        thread = ExecutorThread(node, failures.append)
        wait_for(ran.is_set, "a callback")
        thread.close()
        node.destroy_node()
        assert not failures


def test_it_tells_what_a_callback_raises(graph: Graph) -> None:
    failures: list[BaseException] = []
    node = Node("client", context=graph.context)

    def fail() -> None:
        raise LookupError("nothing there")

    node.create_timer(0.001, fail)
    thread = ExecutorThread(node, failures.append)
    wait_for(lambda: failures, "the failure")
    thread.close()
    assert isinstance(failures[0], LookupError)
