"""`vision_msgs/Detection2DArray`, where that package is installed, and the refusal where not."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_testing.features import FeaturesRig, image_message
from fer_testing.message_packages import BUILD_TIMEOUT_S
from fer_testing.ros import Graph, ros_arguments, wait_for

Picture = NDArray[np.uint8]


@pytest.mark.timeout(BUILD_TIMEOUT_S)
@pytest.mark.usefixtures("messages_of_others")
def test_detections_are_the_boxes_of_the_features(graph: Graph, clip: list[Picture]) -> None:
    kind = importlib.import_module("vision_msgs.msg").Detection2DArray
    received = graph.collect(kind, "detections")
    rig = FeaturesRig(graph, *ros_arguments(publish_detections=True))
    graph.wait_until_heard("detections")
    answer = rig.ask(image_message(clip[0], 5))
    wait_for(lambda: received, "detections")
    (face,), (detection,) = answer.faces, received[0].detections
    assert received[0].header == detection.header == answer.header
    assert detection.id == str(face.id)
    (result,) = detection.results
    assert result.hypothesis.class_id == "face"
    assert result.hypothesis.score == pytest.approx(face.detection_score)
    centre, roi = detection.bbox.center, face.roi
    assert (detection.bbox.size_x, detection.bbox.size_y) == (roi.width, roi.height)
    assert centre.position.x - roi.width / 2 == roi.x_offset
    assert centre.position.y - roi.height / 2 == roi.y_offset
    assert centre.theta == 0
    rig.ask(image_message(np.zeros_like(clip[0]), 6))
    wait_for(lambda: received[1:], "detections of an empty picture")
    assert list(received[1].detections) == []


def test_without_the_package_the_parameter_is_refused_with_a_reason(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vision_msgs.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    process = graph.start("fer_features.ros.node", *ros_arguments(publish_detections=True))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "parameter 'publish_detections' needs the package vision_msgs" in output
    assert "Traceback" not in output
