"""Every example runs from the command line, as its first lines say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import cv2
import pytest
import yaml
from rosbags.rosbag2 import StoragePlugin
from std_msgs.msg import String

from fer_camera.core.sources import demo_path
from fer_interfaces.msg import ExpressionArray
from fer_testing.played_bags import write_bag
from fer_testing.ros import Graph, end, wait_for
from fer_testing.whole_graph import start_fer

ROOT = Path(__file__).parents[1]
EXAMPLES, TUTORIALS = ROOT / "examples", ROOT / "docs/tutorials"
WITHOUT_ROS = f"{ROOT / 'src/fer_snn'}{os.pathsep}{ROOT / 'src/fer_common'}"


def start(path: str | Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, EXAMPLES / path, *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
    )


def output(path: str | Path, *arguments: str, **env: str) -> str:
    process = start(path, *arguments, **env)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return said


def test_a_network_without_ros_prints_spikes_and_the_answer() -> None:
    said = output("network_without_ros.py", PYTHONPATH=WITHOUT_ROS)
    assert said.count(" spikes, as neuron@step:") == 3
    assert "smile, confidence" in said


def test_a_raster_of_a_bag(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", StoragePlugin.MCAP)
    picture = tmp_path / "raster.png"
    assert f" spikes in {picture}" in output("raster.py", str(bag), str(picture), MPLBACKEND="Agg")
    assert cv2.imread(str(picture)).shape == (300, 800, 3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first_spikes", "spikes come 0 to 0."),
        ("stdp_window", "largest difference: "),
        ("face_to_spikes", "spikes per neuron: {'neutral': "),
        ("learn_without_labels", "mean change of a weight: 0."),
        ("train_on_your_own_folders", "mean recall on two other heads: "),
        ("analyse_a_bag", "smile: 33% of the answers"),
    ],
)
def test_a_tutorial(name: str, said: str, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", StoragePlugin.MCAP)
    assert said in output(TUTORIALS / f"{name}.py", str(bag), MPLBACKEND="Agg")


def test_every_tutorial_is_listed() -> None:
    listed = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in listed for path in TUTORIALS.glob("*.py"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """The first second of the demo clip, in which a face is neutral and then changes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    capture = cv2.VideoCapture(str(demo_path()))
    for k in range(30):
        cv2.imwrite(str(folder / f"{k:03}.png"), capture.read()[1])
    capture.release()
    return folder


@pytest.mark.timeout(180)
def test_a_camera_of_ones_own_and_nodes_that_use_the_answers(
    graph: Graph, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    commands = graph.collect(String, "/robot/face")
    answers = graph.collect(ExpressionArray, "/fer/expressions")
    topic = "/my_camera/image"
    with ExitStack() as stack:
        nodes = [
            start("own_camera.py", str(pictures), "--ros-args", "-r", f"image_raw:={topic}"),
            start("subscriber.py"),
            start("robot_face.py", "--ros-args", "-p", "hold:=0.3", "-r", "face:=/robot/face"),
        ]
        for node in nodes:
            stack.callback(node.kill)
        up = start_fer("up", "--no-camera", "--image-topic", topic, "--no-viz")
        wait_for(lambda: commands, "a command for the robot's face", 120.0)
        label = next(face.label for message in answers for face in message.expressions)
        assert "mine.npz" in output("teach_and_save.py", label, "mine")
        assert (tmp_path / ".local/share/fer/weights/mine.npz").exists()
        _, (_, printed), _ = [end(node, signal.SIGINT) for node in nodes]
        assert f": {label} (" in printed
        code, said = end(up, signal.SIGINT)
        assert code == 0
        assert "fer teach smile" in said, "what to do next"


def test_the_launch_file_of_ones_own_names_what_is_there() -> None:
    pytest.importorskip("launch_ros", reason="ros2 launch is not installed")
    text = (EXAMPLES / "my_robot.launch.py").read_text(encoding="utf-8")
    names: dict[str, object] = {"__file__": str(EXAMPLES / "my_robot.launch.py")}
    exec(compile(text, "my_robot.launch.py", "exec"), names)
    entities = names["generate_launch_description"]().entities  # type: ignore[operator]
    assert len(entities) == 2
    assert yaml.safe_load((EXAMPLES / "my_robot.yaml").read_text(encoding="utf-8"))
