"""Changes of live parameters of camera and features, good and bad, thirty frames a second."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import pytest
from sensor_msgs.msg import Image

from fer_camera.core import parameters as camera
from fer_camera.core.sources import demo_path
from fer_common.core import images
from fer_common.core.parameters import DIAGNOSTICS_PERIOD
from fer_common.core.stamps import split_ns, to_ns
from fer_common.ros import qos
from fer_faults.changes import Changes, values_of
from fer_features.core import parameters as features
from fer_interfaces.msg import FaceFeaturesArray, FrameInfo
from fer_testing.ros import Graph, RepeatingTimer, end, ros_arguments, wait_for

SHORT, LONG = 30, 200
PERIOD_S = 1 / 30
DEEP = 1000

pytestmark = pytest.mark.timeout(600)


def change_at_random(
    graph: Graph, changes: Changes, table: Any, long: bool, *contradictions: Mapping[str, Any]
) -> None:
    """Make good changes and bad ones by turns; the good ones stand at the end, nothing else."""
    current = values_of(graph, table)
    for _ in range(LONG if long else SHORT):
        change = changes.good(current)
        assert graph.set_parameters(table.node, change) == (True, ""), change
        current |= change
        wrong = changes.bad(*contradictions)
        taken, reason = graph.set_parameters(table.node, wrong)
        assert not taken and reason, wrong
    assert values_of(graph, table) == current


def test_the_camera_loses_no_frame_and_begins_nothing_anew(graph: Graph, long: bool) -> None:
    # Another source is another stream, and pictures of 8192 pixels a side are none for 30 a second.
    left_out = ("source", "camera_info_url", "width", "height", DIAGNOSTICS_PERIOD.name)
    frames = graph.collect(FrameInfo, "frame_info", DEEP)
    process = graph.start("fer_camera.ros.node", *ros_arguments(source="demo"))
    wait_for(lambda: len(frames) > 2, "frames")
    changes = Changes(camera.TABLE, camera.CameraSettings.of, left_out)
    contradictions = (
        {"flip": True, "no_such_parameter": 1},
        {"gain": 3, "source": "/no/such/file.mp4"},
        {"camera_info_url": "/no/such/calibration.yaml"},
        {"frame_id": "other"},
    )
    change_at_random(graph, changes, camera.TABLE, long, *contradictions)
    before = len(frames)
    wait_for(lambda: len(frames) > before + 5, "frames after the changes")
    places = [(frame.loop, frame.index) for frame in frames]
    for (loop, index), following in itertools.pairwise(places):
        assert following in ((loop, index + 1), (loop + 1, 0)), "a frame was lost or came twice"
    code, output = end(process)
    assert code == 0
    assert "Traceback" not in output


class Pictures(RepeatingTimer):
    """Sends pictures of a face at the rate of a camera, in a thread of its own."""

    def __init__(self, graph: Graph) -> None:
        self.stamps_ns: list[int] = []
        source = cv2.VideoCapture(str(demo_path()))
        self._picture = cv2.resize(source.read()[1], (320, 240))
        source.release()
        self._publisher = graph.node.create_publisher(Image, "image_raw", qos.EVERY_FRAME)
        wait_for(lambda: self._publisher.get_subscription_count() == 1, "the node's subscription")
        super().__init__(self._send, PERIOD_S)

    def _send(self) -> None:
        message = Image()
        images.fill(message, self._picture, "bgr8")
        stamp_ns = 10**10 + round(len(self.stamps_ns) * PERIOD_S * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = split_ns(stamp_ns)
        self.stamps_ns.append(stamp_ns)
        self._publisher.publish(message)


def test_features_of_every_frame_come_and_a_face_keeps_its_id(graph: Graph, long: bool) -> None:
    # A face that is not looked for, or not believed, is lost: that is no fault of a change.
    finding = ("detector.model", "detector.score_threshold", "detector.overlap_threshold",
               "search.full_search_period", "tracker.new_face_score", "tracker.timeout",
               DIAGNOSTICS_PERIOD.name)  # fmt: skip
    answers = graph.collect(FaceFeaturesArray, "features", DEEP)
    process = graph.start("fer_features.ros.node", *ros_arguments(every_frame="true"))
    graph.wait_until_heard("features")
    pictures = Pictures(graph)
    check: Callable[[Mapping[str, Any]], object] = features.feature_parameters
    contradictions = (
        {"crop.side": 48, "gabor.pool": 7},
        {"gabor.gamma": 0.5, "no_such_parameter": 1},
        {"every_frame": False},
    )
    try:
        wait_for(lambda: answers and answers[-1].faces, "a face")
        changes = Changes(features.TABLE, check, finding)
        change_at_random(graph, changes, features.TABLE, long, *contradictions)
    finally:
        pictures.close()
    wait_for(lambda: len(answers) >= len(pictures.stamps_ns), "an answer to every frame", 120.0)
    assert [to_ns(answer.header.stamp) for answer in answers] == pictures.stamps_ns
    assert not any(answer.skipped for answer in answers)
    assert {face.id for answer in answers for face in answer.faces} == {answers[-1].faces[0].id}
    assert len({answer.feature_spec for answer in answers}) > 1
    code, output = end(process)
    assert code == 0
    assert "Traceback" not in output
