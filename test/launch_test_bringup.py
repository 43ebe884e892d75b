"""The whole graph as `ros2 launch fer bringup.launch.py` starts it: `launch_test FILE`."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from typing import Any

import launch_testing
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest

import launch
from fer.bringup.graph import NODES
from fer_testing.ros import Graph, wait_for
from fer_testing.whole_graph import LATCHED, PICTURES, STREAMS, Listener, check_rate, check_stamps

RATE_HZ = 30.0
BRINGUP = Path(__file__).resolve().parents[1] / "launch" / "bringup.launch.py"


def generate_test_description() -> Any:
    """Launch the graph on the demo clip."""
    source = PythonLaunchDescriptionSource(str(BRINGUP))
    bringup = IncludeLaunchDescription(source, launch_arguments={"source": "demo"}.items())
    return launch.LaunchDescription([bringup, ReadyToTest()])


class TestRunning(unittest.TestCase):
    """What holds while it runs."""

    def test_the_same_holds_as_under_fer_up(self) -> None:
        graph = Graph(int(os.environ["ROS_DOMAIN_ID"]))
        try:
            listener = Listener(graph, "/fer")
            wait_for(lambda: listener.expressions, "expressions", 60.0)
            wait_for(lambda: len(listener.expressions) > 5 * RATE_HZ, "five seconds of answers")
            listener.join_late()
            listener.look_at_pictures(5)
            wait_for(lambda: all(len(m) > 1 for m in listener.latched.values()), "latched topics")
            topics = dict(graph.node.get_topic_names_and_types())
            names = set(graph.node.get_node_names_and_namespaces())
        finally:
            graph.close()
        expected = {f"/fer/{topic}" for topic in {**STREAMS, **PICTURES, **LATCHED}}
        self.assertLessEqual(expected, set(topics))
        self.assertLessEqual({(node.name, "/fer") for node in NODES}, names)
        check_stamps(listener)
        for topic in ("frame_info", "features", "expressions"):
            check_rate(listener, topic, RATE_HZ)


@launch_testing.post_shutdown_test()
class TestEnded(unittest.TestCase):
    """What holds after it was interrupted."""

    def test_every_node_ended_cleanly(self, proc_info: Any) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
        self.assertEqual(len(proc_info.process_names()), len(NODES))
