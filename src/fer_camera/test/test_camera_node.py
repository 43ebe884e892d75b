"""The camera node as its users see it: processes, topics, parameters, lifecycle and exit codes."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import GetParameters
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fer_camera.core.parameters import TABLE
from fer_camera.core.sources import demo_path
from fer_common.core import images, stamps
from fer_common.ros import qos
from fer_common.ros.clock import NO_TIME
from fer_interfaces.msg import FrameInfo
from fer_testing.ros import Graph, end, facts, ros_arguments, wait_for

MODULE = "fer_camera.ros.node"
TRANSPORT = Path(__file__).parents[3] / "config" / "fastdds.xml"
Message = TypeVar("Message")


def stamp(message: Any) -> int:
    return stamps.to_ns(message.header.stamp)


def wait_for_next(received: list[Message], condition: Callable[[Message], object]) -> Message:
    """Wait for a message yet to come that meets a condition."""
    seen = len(received)
    wait_for(lambda: any(map(condition, received[seen:])), "a message that meets the condition")
    return next(message for message in received[seen:] if condition(message))


def health(received: list[DiagnosticArray]) -> DiagnosticStatus:
    return received[-1].status[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, and a file that is none."""
    for k in range(3):
        assert cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((12, 16, 3), 10 * k, np.uint8))
    (tmp_path / "3.png").write_bytes(b"no picture")
    return tmp_path


def test_demo_streams_at_its_rate_with_one_stamp_on_all_topics(graph: Graph) -> None:
    frames = graph.collect(Image, "image_raw", qos.STREAM)
    infos = graph.collect(CameraInfo, "camera_info", qos.EVERY_FRAME)
    sources = graph.collect(FrameInfo, "frame_info", qos.EVERY_FRAME)
    diagnostics = graph.diagnostics
    process = graph.start(MODULE, *ros_arguments(source="demo", frame_id="eye"))
    wait_for(lambda: len(frames) > 40 and len(infos) > 40, "frames")
    first, last = frames[0], frames[40]
    assert (first.width, first.height, first.encoding, first.step) == (640, 480, "bgr8", 1920)
    assert first.header.frame_id == "eye"
    assert images.view(first).std() > 10
    steps = np.diff([stamp(frame) for frame in frames]) * 30e-9
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert stamp(last) - stamp(first) >= 40 * (10**9 // 30)
    common = {stamp(message) for message in infos} & {stamp(message) for message in sources}
    assert common.issuperset(stamp(frame) for frame in frames[5:35])
    assert {message.source for message in sources} == {"demo"}
    assert all(b.index == a.index + 1 for a, b in itertools.pairwise(sources))
    assert (infos[0].width, infos[0].height, list(infos[0].k)) == (640, 480, [0.0] * 9)
    wait_for(lambda: health(diagnostics).message == "playing demo", "the node to be well")
    assert int(facts(health(diagnostics))["processed"]) > 0
    code, output = end(process, signal.SIGTERM)
    assert (code, "Traceback" in output) == (0, False)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
def test_no_frame_is_lost_on_the_way(
    graph: Graph, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(TRANSPORT))
    frames = graph.collect(Image, "image_raw", qos.EVERY_FRAME)
    sources = graph.collect(FrameInfo, "frame_info", qos.EVERY_FRAME)
    width, height = size
    graph.start(MODULE, *ros_arguments(source="demo", width=width, height=height))
    wait_for(lambda: frames and len(sources) > 60, "frames")
    last = stamp(sources[-1])
    wait_for(lambda: stamp(frames[-1]) >= last, "the last frame")
    sent = [stamp(source) for source in sources if stamp(frames[0]) <= stamp(source) <= last]
    assert [stamp(frame) for frame in frames if stamp(frame) <= last] == sent
    assert (frames[0].width, frames[0].height) == size


def test_frames_wait_for_simulated_time(graph: Graph) -> None:
    sources = graph.collect(FrameInfo, "frame_info", qos.RESULT)
    diagnostics = graph.diagnostics
    graph.start(MODULE, *ros_arguments(source="demo", use_sim_time=True))
    wait_for(lambda: diagnostics and health(diagnostics).message == NO_TIME, "the reason")
    assert not sources
    clock = graph.node.create_publisher(Clock, "/clock", 10)

    def begun() -> bool:
        clock.publish(Clock(clock=Time(sec=100)))
        return len(sources) > 3

    wait_for(begun, "frames")
    assert all(99 <= source.header.stamp.sec <= 101 for source in sources)


def test_parameters_are_live_and_bad_batches_change_nothing(graph: Graph, folder: Path) -> None:
    frames = graph.collect(Image, "image_raw", qos.STREAM)
    sources = graph.collect(FrameInfo, "frame_info", qos.STREAM)
    infos = graph.collect(CameraInfo, "camera_info", qos.STREAM)
    graph.start(MODULE, *ros_arguments(source="demo", autostart=True))
    wait_for(lambda: frames, "frames")
    change = {"flip": True, "encoding": "mono8", "width": 320}
    assert graph.set_parameters("camera", change) == (True, "")
    small = wait_for_next(frames, lambda frame: frame.encoding == "mono8")
    assert (small.width, small.height, small.step) == (320, 240, 320)
    wait_for(lambda: any(s.header == small.header for s in sources), "its number")
    (index,) = [source.index for source in sources if source.header == small.header]
    clip = cv2.VideoCapture(str(demo_path()))
    clip.set(cv2.CAP_PROP_POS_FRAMES, index)
    grey = cv2.cvtColor(clip.read()[1], cv2.COLOR_BGR2GRAY)
    mirrored = cv2.resize(grey[:, ::-1], (320, 240)).mean(axis=0)
    assert np.corrcoef(images.view(small).mean(axis=0), mirrored)[0, 1] > 0.999
    assert graph.set_parameters("camera", {"horizontal_fov": 1.0})[0]
    info = wait_for_next(infos, lambda info: info.k[0] > 0)
    assert info.k[0] == pytest.approx(160 / np.tan(0.5))

    assert graph.set_parameters("camera", {"source": str(folder), "rate": 50.0})[0]
    wait_for_next(sources, lambda message: message.source == str(folder) and message.loop == 2)
    last = sources[-1].loop
    for batch, reason in (
        ({"flip": False, "rate": -1.0}, "Parameter rate out of range"),
        ({"flip": False, "source": "nothing.mp4"}, "source 'nothing.mp4' does not exist"),
        ({"flip": False, "camera_info_url": "/no.yaml"}, "calibration '/no.yaml': No such file"),
        ({"flip": False, "encoding": "jpeg"}, "choose one of bgr8, mono8"),
        ({"flip": False, "width": 2.5}, "Wrong parameter type"),
    ):
        successful, why = graph.set_parameters("camera", batch)
        assert not successful
        assert reason in why
    assert not graph.set_parameters("camera", {"frame_id": "other"})[0]
    response = graph.call(
        GetParameters, "camera/get_parameters", GetParameters.Request(names=["flip", "source"])
    )
    assert response.values[0].bool_value
    assert response.values[1].string_value == str(folder)
    wait_for_next(sources, lambda message: message.source == str(folder) and message.loop > last)


def test_compressed_is_encoded_only_while_somebody_listens_and_follows_image_raw(
    graph: Graph, folder: Path
) -> None:
    diagnostics = graph.diagnostics
    graph.start(MODULE, *ros_arguments(source=str(folder), rate=100.0), "-r", "image_raw:=eye")
    wait_for(lambda: diagnostics and facts(health(diagnostics))["processed"] != "0", "frames")
    assert facts(health(diagnostics))["compressed"] == "0"
    compressed = graph.collect(CompressedImage, "eye/compressed", qos.STREAM)
    wait_for(lambda: len(compressed) > 3, "compressed images")
    picture = images.decode(compressed[0])
    assert picture.shape == (12, 16, 3)
    assert compressed[0].format == "bgr8; jpeg compressed bgr8"


def test_end_of_a_source_is_told_and_the_node_stays(graph: Graph, folder: Path) -> None:
    diagnostics = graph.diagnostics
    sources = graph.collect(FrameInfo, "frame_info", qos.STREAM)
    # The frames of so short a source are over before anybody can have met the node.
    process = graph.start(
        MODULE, *ros_arguments(source=str(folder), rate=20.0, loop=False, autostart=False)
    )
    assert graph.change_state("camera", Transition.TRANSITION_CONFIGURE)
    graph.wait_until_heard("frame_info")
    assert graph.change_state("camera", Transition.TRANSITION_ACTIVATE)
    wait_for(
        lambda: diagnostics and health(diagnostics).message == f"source ended: {folder}", "the end"
    )
    assert health(diagnostics).level == DiagnosticStatus.OK
    assert facts(health(diagnostics))["processed"] == "3"
    assert facts(health(diagnostics))["unreadable"] == "1"
    assert [message.index for message in sources] == list(range(3))[-len(sources) :]
    assert process.poll() is None
    assert graph.set_parameters("camera", {"loop": True})[0]
    wait_for(lambda: sources[-1].loop >= 2, "the source to go on")


def test_missing_camera_is_named_and_parameters_still_answer(graph: Graph, tmp_path: Path) -> None:
    diagnostics = graph.diagnostics
    process = graph.start(MODULE, *ros_arguments(source="/dev/video97"))
    wait_for(
        lambda: diagnostics and "camera /dev/video97 is not there" in health(diagnostics).message,
        "the fault",
    )
    assert health(diagnostics).level == DiagnosticStatus.ERROR
    assert graph.set_parameters("camera", {"gain": 3})[0]
    wait_for(lambda: int(facts(health(diagnostics))["restarts"]) >= 2, "more attempts")
    assert graph.set_parameters("camera", {"source": "demo"})[0]
    wait_for(lambda: health(diagnostics).message == "playing demo", "the demo clip")
    code, output = end(process, signal.SIGINT)
    assert code == 0
    assert output.count("is not there") == 1, "the same fault is logged once"


def test_twenty_lifecycle_cycles_leave_nothing_behind(graph: Graph, folder: Path) -> None:
    frames = graph.collect(Image, "image_raw", qos.STREAM)
    process = graph.start(MODULE, *ros_arguments(source=str(folder), rate=100.0, autostart=False))

    def resources() -> tuple[int, int]:
        base = Path("/proc", str(process.pid))
        return len(list((base / "fd").iterdir())), len(list((base / "task").iterdir()))

    for cycle in range(21):
        assert graph.change_state("camera", Transition.TRANSITION_CONFIGURE)
        assert graph.change_state("camera", Transition.TRANSITION_ACTIVATE)
        if cycle % 10 == 0:
            seen = len(frames)
            wait_for(lambda seen=seen: len(frames) > seen, "frames")  # type: ignore[misc]
        assert graph.change_state("camera", Transition.TRANSITION_DEACTIVATE)
        assert graph.change_state("camera", Transition.TRANSITION_CLEANUP)
        if cycle == 0:
            first = resources()
    assert np.all(np.array(resources()) <= np.array(first) + 1)
    code, output = end(process)
    assert (code, "Traceback" in output) == (0, False)


def test_quality_of_service_is_overridable(graph: Graph, folder: Path) -> None:
    name = "qos_overrides./image_raw.publisher.reliability"
    graph.start(MODULE, *ros_arguments(source=str(folder), **{name: "best_effort"}))
    wait_for(lambda: graph.node.get_publishers_info_by_topic("image_raw"), "the publisher")
    profile = graph.node.get_publishers_info_by_topic("image_raw")[0].qos_profile
    assert profile.reliability.name == "BEST_EFFORT"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"source": "nothing.mp4"}, "source 'nothing.mp4' does not exist"),
        ({"source": "text.mp4"}, "source 'text.mp4' cannot be decoded as video"),
        ({"rate": -1.0}, "parameter 'rate' is -1 Hz: it must be in the range 0 to 240 Hz"),
        ({"sorce": "demo"}, "node 'camera' has no parameter 'sorce': did you mean 'source'?"),
        ({"camera_info_url": "text.mp4"}, "calibration 'text.mp4' holds no fields"),
    ],
)
def test_what_cannot_work_ends_with_one_line(
    graph: Graph,
    parameters: dict[str, Any],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("I am text")
    process = graph.start(MODULE, *ros_arguments(**parameters))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert reason in output
    assert len(output.splitlines()) == 1
    assert "Traceback" not in output


def test_every_parameter_of_the_table_has_a_description() -> None:
    assert all(parameter.description.endswith(".") for parameter in TABLE)
