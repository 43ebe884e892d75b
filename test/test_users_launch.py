"""The bring-up inside launch files of somebody else, under upstream's launch where it is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fer_common.ros.distributions import PROFILE_VARIABLES
from fer_interfaces.msg import ExpressionArray
from fer_testing.ros import Graph, wait_for

pytest.importorskip("launch_ros", reason="ros2 launch is not installed")
pytest.importorskip("launch_yaml", reason="ros2 launch reads no YAML here")
pytestmark = [
    pytest.mark.skipif(shutil.which("ros2") is None, reason="ros2 launch is not installed"),
    pytest.mark.timeout(180),
]

THREADS = "OMP_NUM_THREADS"
#: Variables that the bring-up sets for its nodes, as another process of the launch sees it.
SHOWN = f'echo "$0 {"".join(f"{name}:${name} " for name in (*PROFILE_VARIABLES, THREADS))}."'
PYTHON = """
from launch import LaunchDescription
from launch.actions import (
    EmitEvent, ExecuteProcess, GroupAction, IncludeLaunchDescription, RegisterEventHandler)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import LifecycleNode, PushRosNamespace, SetParameter, SetRemap
from launch_ros.events.lifecycle import ChangeState
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

BRINGUP = [FindPackageShare("fer"), "/launch/bringup.launch.py"]

def bringup(**arguments):
    arguments = {"source": "demo", "viz": "false", **arguments}
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(BRINGUP),
                                    launch_arguments=arguments.items())

def generate_launch_description():
    return LaunchDescription([%s])
"""
SHOW = f"ExecuteProcess(cmd=['sh', '-c', '''{SHOWN}''', '%s'], output='screen')"
FILES = {
    "two_robots.launch.py": PYTHON
    % """
    GroupAction([PushRosNamespace("robot1"), bringup()]),
    GroupAction([PushRosNamespace("robot2"), SetRemap("image_raw", "eyes/picture"),
                 SetParameter("robot_name", "r2"),
                 bringup(viz="False", use_composition="True")])""",
    "two_robots.launch.xml": """
<launch>
  <group>
    <push_ros_namespace namespace="robot1"/>
    <include file="$(find-pkg-share fer)/launch/bringup.launch.py">
      <arg name="source" value="demo"/><arg name="viz" value="false"/>
    </include>
  </group>
  <include file="$(find-pkg-share fer)/launch/bringup.launch.py">
    <arg name="namespace" value="robot2/fer"/>
    <arg name="source" value="demo"/><arg name="viz" value="false"/>
  </include>
</launch>""",
    "two_robots.launch.yaml": """
launch:
- group:
  - push_ros_namespace: {namespace: robot1}
  - include: &bringup
      file: $(find-pkg-share fer)/launch/bringup.launch.py
      arg: [{name: source, value: demo}, {name: viz, value: 'false'}]
- group:
  - push_ros_namespace: {namespace: robot2}
  - include: *bringup""",
    "neighbours.launch.py": PYTHON
    % f"""
    {SHOW % "before"},
    bringup(),
    {SHOW % "behind"},
    ExecuteProcess(cmd=["sh", "-c", "sleep 1; exit 2"], name="refuser"),
    *(lambda eyes: [eyes, EmitEvent(event=ChangeState(
        lifecycle_node_matcher=matches_action(eyes),
        transition_id=Transition.TRANSITION_CONFIGURE))])(
        LifecycleNode(package="fer_camera", executable="node", name="eyes", namespace="own",
                      parameters=[{{"autostart": False, "source": "demo"}}]))""",
    "parameters.launch.xml": """
<launch>
  <node pkg="fer_snn" exec="node" name="mind" namespace="own">
    <param name="learning" value="off"/>
    <param name="decision_window" value="1"/>
    <param name="eta_w" value="1e-5"/>
  </node>
</launch>""",
}


@contextmanager
def launched(folder: Path, name: str) -> Iterator[Path]:
    """Run `ros2 launch` on one of `FILES`; yield the file of its output, and check its end."""
    file, log = folder / name, folder / "log"
    file.write_text(FILES[name])
    with log.open("w") as output:
        # Not in the root of the repository, where `fer` is a file and no package to `ros2 launch`.
        process = subprocess.Popen(
            ["ros2", "launch", str(file)],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
            assert process.poll() is None, log.read_text()
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, log.read_text()
        finally:
            if process.poll() is None:
                # With its nodes, which would go on.
                os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("form", ["py", "xml", "yaml"])
def test_two_robots_in_one_launch_file(graph: Graph, tmp_path: Path, form: str) -> None:
    answers = [
        graph.collect(ExpressionArray, f"/robot{number}/fer/expressions") for number in (1, 2)
    ]
    with launched(tmp_path, f"two_robots.launch.{form}"):
        wait_for(lambda: all(len(each) > 5 for each in answers), "both answer", 90.0)
        topics = {name for name, _ in graph.node.get_topic_names_and_types()}
    assert not any(name.startswith("/fer/") for name in topics)
    assert "/robot1/fer/image_raw" in topics
    assert ("/robot2/fer/eyes/picture" in topics) == (form == "py")


def test_neighbours_keep_their_environment_and_their_ends(graph: Graph, tmp_path: Path) -> None:
    answers = graph.collect(ExpressionArray, "/fer/expressions")
    with launched(tmp_path, "neighbours.launch.py") as log:
        wait_for(lambda: len(answers) > 5, "answers", 90.0)
        wait_for(lambda: "exit code 2" in log.read_text(), "the end of a neighbour")
        heard = len(answers)
        wait_for(lambda: len(answers) > heard + 5, "answers after the end of a neighbour")
        graph.wait_for_status("/own/eyes", lambda status: "inactive" in status.message, "eyes")
    lines = [line.partition("] ")[2] for line in log.read_text().splitlines() if THREADS in line]
    assert len(lines) == 2
    assert lines[0].replace("before", "behind") == lines[1]


def test_values_that_yaml_reads_otherwise_reach_the_node(graph: Graph, tmp_path: Path) -> None:
    with launched(tmp_path, "parameters.launch.xml") as log:
        wait_for(lambda: graph.diagnostics, "the node", 90.0)
        status = graph.wait_for_status("/own/mind", lambda status: status.values, "the node")
        assert {"learning": "off"}.items() <= {v.key: v.value for v in status.values}.items()
        assert "error" not in log.read_text().lower()
