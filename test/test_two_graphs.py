"""Two graphs under one namespace: the second one ends with an error, and doctor tells."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from fer_interfaces.msg import ExpressionArray
from fer_testing.ros import Graph, end, wait_for
from fer_testing.whole_graph import start_fer

pytestmark = pytest.mark.timeout(180)


def test_a_second_graph_is_refused_and_told(graph: Graph, done: Callable[..., str]) -> None:
    answers = graph.collect(ExpressionArray, "/fer/expressions")
    first = start_fer("up", "--source", "demo", "--no-viz", "--no-window", "--compose")
    wait_for(lambda: len(answers) > 30, "the first graph", 60.0)
    second = start_fer("up", "--source", "demo", "--no-viz", "--no-window")
    output, _ = second.communicate(timeout=90)
    assert second.returncode == 2
    assert "another graph runs in namespace /fer" in output and "Traceback" not in output

    camera = graph.start("fer_camera.ros.node", "-r", "__ns:=/fer")
    told = done("doctor", "--wait", "5", code=1)
    assert "more than one node is called camera in /fer" in told
    end(camera)
    code, output = end(first, signal.SIGINT)
    assert code == 0
    assert "frames answered" in output
