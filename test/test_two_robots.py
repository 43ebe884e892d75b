"""Two robots on one network: they do not hear each other, and weights go from one to the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_common.core.stamps import split_ns
from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray, Weights
from fer_interfaces.srv import LearningReport, ListWeights, Teach
from fer_snn.core.weights import weights_file
from fer_testing.networks import SHAPE, SPEC, small_model, synthetic
from fer_testing.ros import Graph, end, ros_arguments, wait_for
from fer_testing.whole_graph import start_fer

ROBOTS = ("robot1", "robot2")


def features(identity: int) -> FaceFeaturesArray:
    """Return the features of one face, now."""
    channels, rows, cols = SHAPE
    message = FaceFeaturesArray(feature_spec=SPEC, channels=channels, rows=rows, cols=cols)
    message.header.stamp.sec, message.header.stamp.nanosec = split_ns(time.time_ns())
    face = FaceFeatures(id=identity)
    face.roi.width = face.roi.height = 100
    face.features.frombytes(synthetic(1, seed=2)[0][0].tobytes())
    message.faces.append(face)
    return message


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """A weights folder for each robot, with weights of its own."""
    folders = {robot: tmp_path / robot for robot in ROBOTS}
    for folder in folders.values():
        weights_file.save(small_model(), folder / "small.npz")
    return folders


@pytest.fixture
def robots(graph: Graph, folders: dict[str, Path]) -> Graph:
    """Two networks under two namespaces of one domain, and somebody who listens to both."""
    for robot, folder in folders.items():
        # Of a slow test an autosave would be one more file in the folder.
        given = ros_arguments(weights="small", weights_dir=folder, autosave=0.0)
        graph.start("fer_snn.ros.node", *given, "-r", f"__ns:=/{robot}")
    return graph


def test_one_robot_does_not_hear_the_other(robots: Graph) -> None:
    answers = {robot: robots.collect(ExpressionArray, f"/{robot}/expressions") for robot in ROBOTS}
    weights = {robot: robots.collect(Weights, f"/{robot}/weights", qos.LATCHED) for robot in ROBOTS}
    publishers = {
        robot: robots.node.create_publisher(FaceFeaturesArray, f"/{robot}/features", qos.STREAM)
        for robot in ROBOTS
    }
    wait_for(lambda: all(weights.values()), "latched weights of both")
    for publisher in publishers.values():
        wait_for(lambda p=publisher: p.get_subscription_count() == 1, "a network")  # type: ignore[misc]
    robots.wait_until_heard(*(f"/{robot}/expressions" for robot in ROBOTS))
    # The same id in both views: two faces.
    for number in range(1, 6):
        publishers["robot1"].publish(features(identity=7))
        wait_for(lambda n=number: len(answers["robot1"]) == n, "an answer")  # type: ignore[misc]
    assert answers["robot2"] == []
    publishers["robot2"].publish(features(identity=7))
    wait_for(lambda: answers["robot2"], "an answer of the other")
    assert len(answers["robot1"]) == 5
    # A face that is new there, so its network began with it.
    assert answers["robot2"][0].expressions[0].label == answers["robot1"][0].expressions[0].label


def test_weights_go_from_one_robot_to_another(
    robots: Graph, folders: dict[str, Path], tmp_path: Path, done: Callable[..., str]
) -> None:
    for robot in ROBOTS:
        # A command waits for 5 s, and on a busy machine a node takes longer to start.
        robots.call(ListWeights, f"/{robot}/list_weights", ListWeights.Request())
    here = tmp_path / "here"
    said = done("weights", "pull", "robot1", "--folder", here)
    (pulled,) = here.iterdir()
    assert pulled.stem.startswith("robot1-v") and str(pulled) in said
    assert weights_file.load(pulled).labels == small_model().labels
    done("weights", "pull", "robot1", "small", "--as", "mine", "--folder", here)
    assert (here / "mine.npz").read_bytes() == (folders["robot1"] / "small.npz").read_bytes()

    said = done("weights", "push", pulled.stem, "robot2", "--load", "--folder", here)
    assert f"robot2 has loaded {folders['robot2'] / pulled.name}" in said
    assert (folders["robot2"] / pulled.name).read_bytes() == pulled.read_bytes()
    assert not (folders["robot1"] / pulled.name).exists()
    listed = robots.call(ListWeights, "/robot2/list_weights", ListWeights.Request()).files
    assert {file.name for file in listed} == {"small", pulled.stem}

    assert "cannot be read" in done("weights", "pull", "robot1", "none", "--folder", here, code=2)
    (here / "bad.npz").write_bytes(b"no weights")
    assert "weights file" in done("weights", "push", here / "bad.npz", "robot2", code=2)


def test_one_network_learns_from_both(graph: Graph, tmp_path: Path) -> None:
    weights_file.save(small_model(), tmp_path / "small.npz")
    given = ros_arguments(weights="small", weights_dir=tmp_path, learning="supervised")
    graph.start("fer_snn.ros.node", *given, "-r", "__ns:=/shared")
    merge = start_fer("merge", *ROBOTS, "--into", "shared")
    answers = graph.collect(ExpressionArray, "/shared/expressions")
    publishers = [
        graph.node.create_publisher(FaceFeaturesArray, f"/{robot}/features", qos.STREAM)
        for robot in ROBOTS
    ]
    for publisher in publishers:
        wait_for(lambda p=publisher: p.get_subscription_count() == 1, "the merger")  # type: ignore[misc]
    graph.wait_until_heard("/shared/expressions")

    def seen() -> list[list[int]]:
        # The second robot first, for the first one sets the pace.
        for publisher in reversed(publishers):
            publisher.publish(features(identity=7))
        return [[face.face_id for face in answer.expressions] for answer in answers]

    wait_for(lambda: [1, 2] in seen(), "an answer for both faces")
    request = Teach.Request(label="smile", face_id=2, duration=1.0)
    assert graph.call(Teach, "/shared/teach", request).success

    def learnt() -> int:
        seen()
        report = graph.call(LearningReport, "/shared/learning_report", LearningReport.Request())
        return sum(each.faces for each in report.labels)

    wait_for(learnt, "a lesson from one of them")
    exit_code, said = end(merge)
    assert exit_code == 0, said
    assert all(f"is face 7 of /{robot}" in said for robot in ROBOTS)
