"""Conditions that a node watches, and messages that its executor leaves alone."""

from __future__ import annotations

import threading

import pytest
from rclpy.node import Node
from std_msgs.msg import String

from fer_common.ros.executor_thread import ExecutorThread, reraise
from fer_common.ros.reader import MessageReader
from fer_common.ros.watch import PERIOD_S, Watcher
from fer_testing.ros import Graph, wait_for


@pytest.fixture
def failures() -> list[BaseException]:
    return []


def test_the_executor_calls_back_while_a_condition_holds(
    graph: Graph, failures: list[BaseException]
) -> None:
    holds, threads = threading.Event(), []
    watcher = Watcher(graph.node, failures.append)
    watch = watcher.add(
        holds.is_set, lambda: threads.append(threading.current_thread().name), PERIOD_S
    )
    wait_for(lambda: watch.due_s > 0, "the watch")
    assert not threads
    holds.set()
    wait_for(lambda: len(threads) > 1, "calls")
    watcher.remove(watch)
    watcher.close()
    assert set(threads) == {graph.node.get_name()}
    assert not failures


def test_a_condition_that_raises_is_told(graph: Graph, failures: list[BaseException]) -> None:
    def broken() -> bool:
        raise LookupError("nothing there")

    watcher = Watcher(graph.node, failures.append)
    watcher.add(broken, lambda: None, PERIOD_S)
    wait_for(lambda: failures, "the failure")
    watcher.close()
    assert isinstance(failures[0], LookupError)


def test_messages_are_taken_in_a_thread_of_their_own(
    graph: Graph, failures: list[BaseException]
) -> None:
    node = Node("listener", context=graph.context)
    executor = ExecutorThread(node, reraise)
    reader, taken = MessageReader(graph.context, failures.append), []
    subscription = node.create_subscription(String, "words", lambda _: None, 10, raw=True)
    reader.add(subscription, lambda data, info: taken.append(threading.current_thread().name))
    publisher = graph.node.create_publisher(String, "words", 10)
    wait_for(publisher.get_subscription_count, "the subscription")
    for number in range(5):
        publisher.publish(String(data=str(number)))
    wait_for(lambda: len(taken) == 5, "the messages")
    reader.remove(subscription)
    node.destroy_subscription(subscription)
    reader.close()
    executor.close()
    node.destroy_node()
    assert set(taken) == {"messages"}
    assert not failures
