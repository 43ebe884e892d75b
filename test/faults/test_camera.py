"""Faults of the camera, as whoever listens to its topics sees them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import Image

from fer_common.core import images
from fer_common.ros import qos
from fer_faults.graph import Health, quiet_for
from fer_faults.ledger import Ledger
from fer_interfaces.msg import FrameInfo
from fer_testing.ros import Graph, end, ros_arguments, wait_for

MODULE = "fer_faults.camera_process"
TOLD_S, BACK_S = 1.0, 2.0


class Watched:
    """A camera node whose camera the test holds in its hand."""

    def __init__(self, graph: Graph, camera: Path, source: str) -> None:
        self.graph, self.camera = graph, camera
        self.health = Health(graph)
        self.images: list[Image] = graph.collect(Image, "image_raw", qos.EVERY_FRAME)
        self.process = graph.start(MODULE, *ros_arguments(source=source))

    def wait_for_images(self) -> None:
        before = len(self.images)
        wait_for(lambda: len(self.images) > before + 2, "images")

    def wait_for_error(self) -> None:
        wait_for(
            lambda: self.health.says("/camera", DiagnosticStatus.ERROR, str(self.camera)),
            "an error that names the device",
        )

    def numbers(self) -> list[int]:
        """Return the number that every image shows."""
        pixels = [images.view(image)[0, 0] for image in self.images]
        return [int(blue) * 256 + int(green) for blue, green, _ in pixels]


def test_no_camera_at_start(graph: Graph, cameras: Path, ledger: Ledger, long: bool) -> None:
    camera = cameras / "video0"
    watched = Watched(graph, camera, str(camera))
    for _ in range(10 if long else 1):
        camera.unlink(missing_ok=True)
        with ledger.trial("no camera at start") as trial:
            watched.wait_for_error()
            assert graph.set_parameters("/camera", {"gain": 3})[0]
            camera.touch()
            trial.injected()
            watched.wait_for_images()
            trial.recovered(BACK_S)
    assert end(watched.process)[0] == 0


@pytest.mark.parametrize(
    ("fault", "text"), [("camera unplugged while it streams", None), ("read() blocks", "block")]
)
def test_camera_goes_and_comes_back(
    graph: Graph, cameras: Path, ledger: Ledger, long: bool, fault: str, text: str | None
) -> None:
    camera = cameras / "video0"
    camera.touch()
    watched = Watched(graph, camera, str(camera))
    watched.wait_for_images()
    for _ in range(10 if long else 1):
        with ledger.trial(fault) as trial:
            if text is None:
                camera.unlink()
            else:
                camera.write_text(text)
            trial.injected()
            watched.wait_for_error()
            trial.recovered(TOLD_S)
            assert quiet_for(watched.images, 0.3), "images of a camera that is gone"
            assert graph.set_parameters("/camera", {"gain": 3})[0]
            camera.write_text("")
            trial.injected()
            watched.wait_for_images()
            trial.recovered(BACK_S)
            wait_for(lambda: watched.health.says("/camera", DiagnosticStatus.OK), "health")
    numbers = watched.numbers()
    assert all(a != b for a, b in itertools.pairwise(numbers)), "a frame came twice"
    code, output = end(watched.process)
    assert code == 0
    assert "Traceback" not in output


def test_a_camera_that_comes_later_takes_the_place_of_the_demo(
    graph: Graph, cameras: Path, ledger: Ledger
) -> None:
    sources: list[FrameInfo] = graph.collect(FrameInfo, "frame_info")
    watched = Watched(graph, cameras / "video0", "auto")
    wait_for(lambda: sources and sources[-1].source == "demo", "the demo clip")
    with ledger.trial("no camera at start, none named") as trial:
        (cameras / "video0").touch()
        trial.injected()
        wait_for(lambda: sources[-1].source == str(cameras / "video0"), "the camera")
        trial.recovered(BACK_S)
        # As a camera does that is pulled out while it is read: it comes back by another name.
        (cameras / "video0").unlink()
        watched.wait_for_error()
        (cameras / "video1").touch()
        trial.injected()
        wait_for(lambda: sources[-1].source == str(cameras / "video1"), "the other name")
        trial.recovered(BACK_S)
    assert end(watched.process)[0] == 0


def test_silent_and_slow_cameras_are_stale_at_once_and_nothing_is_invented(
    graph: Graph, cameras: Path, ledger: Ledger, long: bool
) -> None:
    from fer_interfaces.msg import ExpressionArray

    camera = cameras / "video0"
    camera.touch()
    answers: list[ExpressionArray] = graph.collect(ExpressionArray, "expressions", 50)
    for module in ("fer_features.ros.node", "fer_snn.ros.node"):
        graph.start(module)
    watched = Watched(graph, camera, str(camera))
    stale = DiagnosticStatus.STALE
    for state in ("block", "slow") * (5 if long else 1):
        wait_for(lambda: len(answers) > 5 and watched.health.says("/snn", b"\0"), "answers")
        with ledger.trial("camera silent" if state == "block" else "camera slow") as trial:
            camera.write_text("block")
            trial.injected()
            wait_for(lambda: watched.health.says("/features", stale), "stale features")
            wait_for(lambda: watched.health.says("/snn", stale), "stale snn")
            trial.recovered(TOLD_S + 0.2)
            assert quiet_for(answers, 0.3), "answers without images"
            camera.write_text(state if state == "slow" else "")
            before = len(answers)
            wait_for(lambda: len(answers) > before + 1, "answers again")  # noqa: B023
            stamps = [(a.header.stamp.sec, a.header.stamp.nanosec) for a in answers]
            assert len(set(stamps)) == len(stamps), "two answers to one image"
            camera.write_text("")
        before = len(answers)
        wait_for(lambda: len(answers) > before + 5, "answers at full rate")  # noqa: B023
