"""The node as a process, over real DDS: what it publishes, refuses, counts and says."""

from __future__ import annotations

import signal
import time

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import GetState
from numpy.typing import NDArray
from rcl_interfaces.srv import DescribeParameters
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool

from fer_common.core import images
from fer_common.ros import qos
from fer_features.core.gabor import features_from_crops
from fer_features.core.pipeline import FeaturePipeline
from fer_interfaces.msg import FaceFeaturesArray
from fer_testing import ros as testing
from fer_testing.features import FeaturesRig, image_message
from fer_testing.ros import (
    Graph,
    RepeatingTimer,
    check_throttled,
    end,
    facts,
    ros_arguments,
    wait_for,
)

Picture = NDArray[np.uint8]

PERIOD_NS = 33_333_333


def test_features_of_the_clip_equal_those_of_the_core(graph: Graph, clip: list[Picture]) -> None:
    rig = FeaturesRig(graph)
    crops = graph.collect(Image, "face_crop", qos.STREAM)
    graph.wait_until_heard("face_crop")
    pipeline = FeaturePipeline()
    for k in range(6):
        stamp_ns = 7 * 10**9 + k * PERIOD_NS
        message = image_message(clip[k], stamp_ns)
        answer = rig.ask(message)
        assert answer.header == message.header
        assert (answer.image_width, answer.image_height) == (640, 480)
        assert answer.feature_spec == "gabor-2;crop=48;o=8;wl=4,6,9;pool=4"
        assert (answer.channels, answer.rows, answer.cols) == (24, 12, 12)
        (face,) = answer.faces
        (expected,) = pipeline.process(clip[k], stamp_ns)
        assert face.id == 1
        assert face.detection_score == pytest.approx(expected.score)
        assert (face.roi.x_offset, face.roi.y_offset) == expected.roi[:2]
        assert (face.roi.width, face.roi.height) == expected.roi[2:]
        assert face.roll == pytest.approx(expected.roll_rad)
        assert list(face.landmarks_px) == pytest.approx(expected.landmarks_px.ravel().tolist())
        assert expected.features is not None
        assert np.array_equal(np.asarray(face.features), expected.features.ravel())
    wait_for(lambda: crops, "a crop")
    assert crops[-1].encoding == "mono8"
    crop = images.view(crops[-1])
    wait_for(lambda: crops[-1].header == rig.answers[-1].header, "the last crop")
    crop = images.view(crops[-1])
    assert crop.shape == (48, 48)
    assert np.array_equal(
        features_from_crops(crop[None])[0].ravel(), rig.answers[-1].faces[0].features
    )


def test_an_image_without_a_face_gives_an_empty_array(graph: Graph) -> None:
    rig = FeaturesRig(graph)
    answer = rig.ask(image_message(np.zeros((480, 640, 3), np.uint8), 5))
    assert list(answer.faces) == []
    assert answer.header.stamp.nanosec == 5
    assert answer.channels == 24


def bad_images(picture: Picture) -> list[Image]:
    def changed(**fields: object) -> Image:
        message = image_message(picture, 10)
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    negative = image_message(picture, 10)
    negative.header.stamp.sec = -1
    return [
        changed(encoding="16UC1"),
        changed(step=100),
        changed(width=0),
        changed(height=4000),
        negative,
    ]


def test_bad_images_are_dropped_counted_and_named_and_the_node_goes_on(graph: Graph) -> None:
    rig = FeaturesRig(graph, *ros_arguments(every_frame=True), profile=qos.EVERY_FRAME)
    picture = np.zeros((48, 64, 3), np.uint8)
    bad = bad_images(picture) * 10
    begun_s = time.monotonic()
    for message in bad:
        rig.send(message)
    assert len(rig.ask(image_message(picture, 20)).faces) == 0
    assert len(rig.answers) == 1
    status = rig.wait_for_status(lambda s: facts(s)["dropped"] == "50", "all drops")
    assert status.level == DiagnosticStatus.WARN
    assert "stamp -1 s 10 ns is invalid" in status.message

    def names_the_publisher(status: DiagnosticStatus) -> bool:
        # A node's name is discovered apart from its topics, and may come after the first images.
        rig.send(bad[-1])
        return "from test: stamp -1 s 10 ns is invalid" in status.message

    rig.wait_for_status(names_the_publisher, "the name of the publisher")
    code, output = end(rig.process)
    assert code == 0
    assert "image encoding '16UC1' cannot be read" in output
    check_throttled(output, "image dropped", begun_s)
    assert "Traceback" not in output


def test_compressed_images(graph: Graph, clip: list[Picture]) -> None:
    rig = FeaturesRig(
        graph,
        *ros_arguments(image_transport="compressed"),
        "-r",
        "image_raw:=/elsewhere/image_raw",
        kind=CompressedImage,
        topic="/elsewhere/image_raw/compressed",
    )
    message = CompressedImage()
    message.header.stamp.sec = 3
    images.fill_compressed(message, clip[0], 90)
    answer = rig.ask(message)
    assert len(answer.faces) == 1
    assert answer.header == message.header
    broken = CompressedImage(format="jpeg", data=b"no picture")
    rig.send(broken)
    status = rig.wait_for_status(lambda s: facts(s)["dropped"] == "1", "the drop")
    assert "cannot be decoded" in status.message


def test_a_best_effort_camera_is_taken_and_the_mismatch_said(graph: Graph) -> None:
    rig = FeaturesRig(graph, profile=qos_profile_sensor_data)
    message = image_message(np.zeros((48, 64, 3), np.uint8), 1)

    def answered() -> bool:
        # What is sent best effort before the node knows of the sender is lost.
        rig.send(message)
        return bool(rig.answers)

    wait_for(answered, "features")
    assert rig.answers[0].image_width == 64

    def told(status: DiagnosticStatus) -> bool:
        # The camera goes on meanwhile: silence would be told first.
        rig.send(message)
        return "RELIABILITY" in status.message and status.level == DiagnosticStatus.WARN

    status = rig.wait_for_status(told, "the mismatch")
    assert "/image_raw" in status.message and "best effort" in status.message


def test_the_newest_frame_wins_and_the_skipped_are_counted(
    graph: Graph, clip: list[Picture]
) -> None:
    rig = FeaturesRig(graph, *ros_arguments(**{"detector.model": "back"}))
    sent = 0

    def flood() -> bool:
        nonlocal sent
        sent += 1
        rig.send(image_message(clip[sent % len(clip)], sent * PERIOD_NS))
        return any(answer.skipped for answer in rig.answers)

    wait_for(flood, "a skipped frame")
    status = rig.wait_for_status(
        lambda s: facts(s)["processed"] == str(len(rig.answers)), "the count"
    )
    skipped = sum(answer.skipped for answer in rig.answers)
    assert facts(status)["skipped"] == str(skipped)
    assert skipped + len(rig.answers) <= sent


def test_images_that_never_reached_the_node_count_as_skipped(graph: Graph) -> None:
    rig = FeaturesRig(graph)
    number = 300
    first, *burst = (
        image_message(np.zeros((48, 64, 3), np.uint8), (k + 1) * PERIOD_NS) for k in range(number)
    )
    rig.ask(first)
    for message in burst:
        rig.send(message)
    wait_for(lambda: rig.answers[-1].header == burst[-1].header, "the last of the burst")
    assert len(rig.answers) + sum(answer.skipped for answer in rig.answers) == number


def test_every_frame_counts_where_asked(graph: Graph, clip: list[Picture]) -> None:
    rig = FeaturesRig(
        graph,
        *ros_arguments(every_frame=True, **{"detector.model": "back"}),
        profile=qos.EVERY_FRAME,
    )
    small = [cv2.resize(frame, (320, 240)) for frame in clip[:40]]
    stamps = [(k + 1) * PERIOD_NS for k in range(len(small))]
    for picture, stamp_ns in zip(small, stamps, strict=True):
        rig.send(image_message(np.asarray(picture, np.uint8), stamp_ns))
    wait_for(lambda: len(rig.answers) == len(small), "features of every frame")
    assert [a.header.stamp.sec * 10**9 + a.header.stamp.nanosec for a in rig.answers] == stamps
    assert sum(answer.skipped for answer in rig.answers) == 0


def test_parameters_are_described_and_changed_as_a_whole_from_the_next_frame(
    graph: Graph, clip: list[Picture]
) -> None:
    rig = FeaturesRig(graph)
    request = DescribeParameters.Request(names=["gabor.wavelengths", "tracker.timeout"])
    described = graph.call(DescribeParameters, "features/describe_parameters", request).descriptors
    assert "[px]" in described[0].description and "[s]" in described[1].description
    assert described[1].floating_point_range[0].to_value == 60.0

    (face,) = rig.ask(image_message(clip[0], 1)).faces
    assert rig.set(**{"gabor.orientations": 4, "gabor.pool": 5})[0] is False
    assert rig.set(**{"gabor.orientations": 4, "gabor.pool": 6}) == (True, "")
    answer = rig.ask(image_message(clip[1], PERIOD_NS))
    assert answer.feature_spec == "gabor-2;crop=48;o=4;wl=4,6,9;pool=6"
    assert (answer.channels, answer.rows, answer.cols) == (12, 8, 8)
    assert len(answer.faces[0].features) == 12 * 8 * 8
    assert answer.faces[0].id == face.id
    assert rig.set(**{"detector.model": "back"}) == (True, "")
    assert rig.ask(image_message(clip[2], 2 * PERIOD_NS)).faces[0].id == face.id
    success, reason = rig.set(**{"detector.model": "huge", "tracker.timeout": 2.0})
    assert not success and "choose one of" in reason


def test_lifecycle_keeps_tracks_over_deactivation_and_forgets_them_on_cleanup(
    graph: Graph, clip: list[Picture]
) -> None:
    rig = FeaturesRig(graph)
    assert rig.ask(image_message(clip[0], 1)).faces[0].id == 1
    assert rig.transition(Transition.TRANSITION_DEACTIVATE)
    wait_for(lambda: graph.node.count_subscribers("image_raw") == 0, "the subscription to end")
    rig.wait_for_status(lambda s: "inactive" in s.message, "inactive in diagnostics")
    assert rig.transition(Transition.TRANSITION_ACTIVATE)
    assert rig.ask(image_message(clip[1], PERIOD_NS)).faces[0].id == 1
    assert rig.transition(Transition.TRANSITION_DEACTIVATE)
    assert rig.transition(Transition.TRANSITION_CLEANUP)
    state = graph.call(GetState, "features/get_state", GetState.Request()).current_state
    assert state.id == State.PRIMARY_STATE_UNCONFIGURED
    assert rig.transition(Transition.TRANSITION_CONFIGURE)
    assert rig.transition(Transition.TRANSITION_ACTIVATE)
    assert len(rig.ask(image_message(clip[2], 2 * PERIOD_NS)).faces) == 1


def test_nothing_is_computed_while_it_is_paused_or_nobody_listens(
    graph: Graph, clip: list[Picture]
) -> None:
    rig = FeaturesRig(graph)
    assert rig.ask(image_message(clip[0], 1)).faces[0].id == 1
    for enabled, subscriptions, status in ((False, 0, "paused"), (True, 1, "following")):
        answer = graph.call(SetBool, "enable", SetBool.Request(data=enabled))
        assert answer.success
        wait_for(lambda n=subscriptions: rig.cameras_audience() == n, status)
        said = rig.wait_for_status(lambda s, status=status: status in s.message, status)
        assert said.level == DiagnosticStatus.OK and facts(said)["enabled"] == str(enabled)
    assert rig.ask(image_message(clip[1], PERIOD_NS)).faces[0].id == 1

    rig.stop_listening()
    wait_for(lambda: rig.cameras_audience() == 0, "the node to idle")
    rig.wait_for_status(lambda s: "no subscribers" in s.message, "idle")
    graph.collect(Image, "face_crop", qos.STREAM)
    wait_for(lambda: rig.cameras_audience() == 1, "the node to go on")


def test_silence_is_stale_in_diagnostics(graph: Graph) -> None:
    rig = FeaturesRig(graph, *ros_arguments(stale_after=0.2))
    status = rig.wait_for_status(lambda s: s.level == DiagnosticStatus.STALE, "STALE")
    assert "no image on /image_raw" in status.message


def test_what_is_wrong_is_told_when_it_begins_and_not_with_the_next_report(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "_DIAGNOSTICS_PERIOD_S", 60.0)
    graph.collect(FaceFeaturesArray, "features", qos.STREAM)
    graph.start("fer_features.ros.node", *ros_arguments(stale_after=0.2))
    publisher = graph.node.create_publisher(Image, "image_raw", qos.STREAM)
    picture = image_message(np.zeros((48, 64, 3), np.uint8), 1)
    # Without reports nobody knows when the node is heard: it goes silent again and again.
    camera = RepeatingTimer(lambda: publisher.publish(picture), 0.6)

    def stale() -> bool:
        statuses = [s for message in list(graph.diagnostics) for s in message.status]
        return any(status.level == DiagnosticStatus.STALE for status in statuses)

    try:
        wait_for(stale, "STALE")
    finally:
        camera.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_cleanly_on_signals(graph: Graph, clip: list[Picture], number: int) -> None:
    rig = FeaturesRig(graph)
    rig.ask(image_message(clip[0], 1))
    code, output = end(rig.process, number, within_s=3)
    assert code == 0
    assert "Traceback" not in output


def test_a_wrong_start_is_one_line_and_exit_code_2(graph: Graph) -> None:
    process = graph.start("fer_features.ros.node", *ros_arguments(**{"gabor.pool": 7}))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "gabor.pool 7 does not divide crop.side 48" in output
    assert "Traceback" not in output
