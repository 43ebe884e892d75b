"""ROS4HRI (REP-155): the graph's faces below /humans, with messages made for the test."""

from __future__ import annotations

import importlib
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from sensor_msgs.msg import Image

from fer_common.core import images
from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray, FaceFeaturesArray
from fer_testing.heads import Head, Picture, Stage
from fer_testing.message_packages import BUILD_TIMEOUT_S
from fer_testing.ros import Graph, ros_arguments, wait_for

PERIOD_NS = 33_333_333
NAMESPACE = ("--ros-args", "-r", "__ns:=/robot1")


class Robot:
    """Features and snn of one robot, a camera, and somebody who hears what they say."""

    def __init__(self, graph: Graph, **of_snn: object) -> None:
        self.graph = graph
        self.features = graph.collect(FaceFeaturesArray, "/robot1/features")
        self.answers = graph.collect(ExpressionArray, "/robot1/expressions")
        self._camera = graph.node.create_publisher(Image, "/robot1/image_raw", qos.STREAM)
        graph.start("fer_features.ros.node", *NAMESPACE, *ros_arguments(publish_hri=True))
        graph.start("fer_snn.ros.node", *NAMESPACE, *ros_arguments(publish_hri=True, **of_snn))
        graph.wait_until_heard("/robot1/features", "/robot1/expressions")
        wait_for(lambda: self._camera.get_subscription_count() == 1, "the camera's listener")
        self._number = 0

    def show(self, picture: Picture) -> ExpressionArray:
        """Send a picture and return the answer to it."""
        message, before = Image(), len(self.answers)
        stamp_ns = 10**10 + self._number * PERIOD_NS
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        message.header.frame_id = "camera_optical"
        images.fill(message, picture, "bgr8")
        self._number += 1
        self._camera.publish(message)
        wait_for(lambda: len(self.answers) > before, "an answer")
        return self.answers[-1]

    def topics(self, ending: str) -> set[str]:
        """Return the topics below /humans that somebody publishes."""
        names = [name for name, _ in self.graph.node.get_topic_names_and_types()]
        return {
            name
            for name in names
            if name.startswith("/humans/")
            and name.endswith(ending)
            and self.graph.node.count_publishers(name)
        }


def two(k: int) -> list[Head]:
    return [Head(0, 180, 240, 150, k), Head(1, 460, 240, 130, k)]


@pytest.mark.timeout(BUILD_TIMEOUT_S)
@pytest.mark.usefixtures("messages_of_others")
def test_faces_are_published_as_rep_155_says_and_leave(graph: Graph) -> None:
    kinds: Any = importlib.import_module("hri_msgs.msg")
    stage, robot = Stage(), Robot(graph, labels="['neutral', 'smile', 'surprised']")
    tracked = graph.collect(kinds.IdsList, "/humans/faces/tracked")
    graph.wait_until_heard("/humans/faces/tracked")
    heard: dict[str, list[Any]] = {}
    first = robot.show(stage.picture(two(0)))
    ids = {answer.face_id for answer in first.expressions}
    assert len(ids) == 2
    for name, kind in (
        ("roi", kinds.NormalizedRegionOfInterest2D),
        ("cropped", Image),
        ("expression", kinds.Expression),
    ):
        wait_for(
            lambda name=name: (
                robot.topics(name) == {f"/humans/faces/robot1_{face}/{name}" for face in ids}
            ),
            f"{name} of both faces",
        )
        for face in ids:
            topic = f"/humans/faces/robot1_{face}/{name}"
            heard[topic] = graph.collect(kind, topic)

    def all_heard() -> bool:
        robot.show(stage.picture(two(0)))
        return all(heard.values())

    wait_for(all_heard, "every topic of both faces")
    wait_for(lambda: tracked[-1].header == robot.answers[-1].header, "the last list")
    assert tracked[-1].ids == [f"robot1_{face}" for face in sorted(ids)]
    said = {m.header.stamp.nanosec: m for m in robot.features}
    decided = {m.header.stamp.nanosec: m for m in robot.answers}
    for face in ids:
        region = heard[f"/humans/faces/robot1_{face}/roi"][-1]
        (seen,) = [f for f in said[region.header.stamp.nanosec].faces if f.id == face]
        assert (region.xmin, region.ymin) == pytest.approx(
            (seen.roi.x_offset / 640, seen.roi.y_offset / 480)
        )
        assert (region.xmax - region.xmin) * 640 == pytest.approx(seen.roi.width, abs=0.01)
        assert region.c == pytest.approx(seen.detection_score)
        assert region.header.frame_id == "camera_optical"
        crop = heard[f"/humans/faces/robot1_{face}/cropped"][-1]
        assert (crop.width, crop.height, crop.encoding) == (128, 128, "bgr8")
        assert images.view(crop).std() > 10
        expression = heard[f"/humans/faces/robot1_{face}/expression"][-1]
        answers = decided[expression.header.stamp.nanosec].expressions
        (answer,) = [a for a in answers if a.face_id == face]
        names = {"smile": "happy", "neutral": "neutral", "surprised": "surprised"}
        assert expression.expression == names[answer.label]
        assert expression.confidence == pytest.approx(answer.confidence)
        assert isnan(expression.valence) and isnan(expression.arousal)

    stays, leaves = sorted(ids, key=lambda face: _middle(robot, face))

    def gone() -> bool:
        robot.show(stage.picture(two(0)[:1]))
        return not any(robot.topics(f"_{leaves}/{n}") for n in ("roi", "cropped", "expression"))

    wait_for(gone, "the topics of the face that left to go")
    assert robot.topics(f"_{stays}/expression")
    wait_for(lambda: tracked[-1].header == robot.answers[-1].header, "the last list")
    assert tracked[-1].ids == [f"robot1_{stays}"]


def _middle(robot: Robot, face: int) -> float:
    (seen,) = [f for f in robot.features[-1].faces if f.id == face]
    return float(seen.roi.x_offset)


@pytest.mark.timeout(BUILD_TIMEOUT_S)
@pytest.mark.usefixtures("messages_of_others")
def test_who_is_undecided_says_nothing(graph: Graph) -> None:
    kinds: Any = importlib.import_module("hri_msgs.msg")
    robot, picture = Robot(graph, min_confidence=1.0), Stage().picture(two(0)[:1])
    topic = "/humans/faces/robot1_1/expression"
    said: list[Any] = graph.collect(kinds.Expression, topic)
    for _ in range(10):
        assert [e.label for e in robot.show(picture).expressions] == ["undecided"]
    wait_for(lambda: robot.topics(topic), "the topic")
    assert not said
    assert graph.set_parameters("/robot1/snn", {"min_confidence": 0.0})[0]
    wait_for(lambda: robot.show(picture) and said, "an expression")
    labels = {m.header.stamp.nanosec: m.expressions[0].label for m in robot.answers}
    assert all(labels[m.header.stamp.nanosec] != "undecided" for m in said)


@pytest.mark.parametrize("package", ["fer_features", "fer_snn"])
def test_without_hri_msgs_the_parameter_is_refused_with_a_reason(
    package: str, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hri_msgs.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    process = graph.start(f"{package}.ros.node", *ros_arguments(publish_hri=True))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "parameter 'publish_hri' needs the package hri_msgs" in output
    assert "Traceback" not in output
