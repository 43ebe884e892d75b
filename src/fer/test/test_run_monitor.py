"""What `fer up` hears of a graph, and when it begins to count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import Parameter

from fer.client.run_monitor import RunMonitor
from fer.report.summary import RunRecord
from fer_interfaces.msg import ExpressionArray, FrameInfo
from fer_testing.ros import Graph, graph, ros_domain, wait_for

__all__ = ["graph", "ros_domain"]


def active(request: GetState.Request, response: GetState.Response) -> GetState.Response:
    response.current_state.id = State.PRIMARY_STATE_ACTIVE
    return response


@pytest.fixture
def monitor(graph: Graph, node: str) -> Iterator[RunMonitor]:
    graph.node.create_service(GetState, f"/fer/{node}/get_state", active)
    monitor = RunMonitor("fer", [node], RunRecord())
    wait_for(lambda: not monitor.not_active, "the node is active")
    yield monitor
    monitor.close()


def sent_until(publisher: Any, message: Any, condition: Any, what: str) -> None:
    """Send a message again and again, each with a later stamp, until a condition holds."""

    def holds() -> bool:
        message.header.stamp.sec += 1
        publisher.publish(message)
        return bool(condition())

    wait_for(holds, what)


@pytest.mark.parametrize(("node", "is_ours"), [("camera", True), ("snn", False)])
def test_counting_waits_for_the_camera_if_it_is_ours(
    graph: Graph, monitor: RunMonitor, is_ours: bool
) -> None:
    answers = graph.node.create_publisher(ExpressionArray, "/fer/expressions", 10)
    frames = graph.node.create_publisher(FrameInfo, "/fer/frame_info", 10)
    sent_until(
        answers, ExpressionArray(), lambda: monitor.status().age_s < 1, "an answer was heard"
    )
    assert (monitor.first_stamp_ns is None) == is_ours
    sent_until(frames, FrameInfo(source="demo"), lambda: monitor.source, "a frame was heard")
    sent_until(answers, ExpressionArray(), lambda: monitor.first_stamp_ns, "counting has begun")
    assert monitor.source == "demo"


@pytest.mark.parametrize("node", ["snn"])
def test_the_labels_that_may_be_answered_are_asked_for(graph: Graph, monitor: RunMonitor) -> None:
    given = [Parameter("labels", value=["happiness", "sad"]).get_parameter_value()]

    def answer(request: Any, response: GetParameters.Response) -> GetParameters.Response:
        response.values = given
        return response

    graph.node.create_service(GetParameters, "/fer/snn/get_parameters", answer)
    assert monitor.allowed_labels() == {"smile", "sad"}
    given[0] = Parameter("labels", value=["all"]).get_parameter_value()
    assert monitor.allowed_labels() == frozenset()
