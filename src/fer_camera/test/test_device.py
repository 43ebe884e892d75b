"""A device: how it is opened and controlled, and the search for one."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_camera.core import device_discovery
from fer_camera.core.device import Device, DeviceError, NetworkCamera, devices
from fer_camera.core.parameters import DEFAULTS
from fer_testing.camera import FakeCamera


@pytest.fixture
def camera(tmp_path: Path) -> FakeCamera:
    return FakeCamera(tmp_path / "video0")


def device_of(camera: FakeCamera) -> Device:
    return Device(str(camera.path), camera.make_capture)


def test_plain_device_is_asked_for_nothing_but_automatic_exposure(camera: FakeCamera) -> None:
    device_of(camera).open(DEFAULTS)
    assert camera.handles[0].properties == {cv2.CAP_PROP_AUTO_EXPOSURE: 3}


def test_size_rate_and_controls_are_asked_for(camera: FakeCamera) -> None:
    device = device_of(camera)
    device.open(
        replace(DEFAULTS, width=1280, height=720, rate=30.0, exposure=0.01, gain=5, brightness=0)
    )
    assert camera.handles[0].properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 30.0,
        cv2.CAP_PROP_AUTO_EXPOSURE: 1,
        cv2.CAP_PROP_EXPOSURE: 100,
        cv2.CAP_PROP_GAIN: 5,
        cv2.CAP_PROP_BRIGHTNESS: 0,
    }


def test_controls_are_live_and_back_to_automatic(camera: FakeCamera) -> None:
    device = device_of(camera)
    device.open(DEFAULTS)
    properties = camera.handles[0].properties
    device.control(replace(DEFAULTS, exposure=0.02))
    assert (properties[cv2.CAP_PROP_AUTO_EXPOSURE], properties[cv2.CAP_PROP_EXPOSURE]) == (1, 200)
    device.control(DEFAULTS)
    assert properties[cv2.CAP_PROP_AUTO_EXPOSURE] == 3


def test_control_that_the_driver_lacks_is_named(camera: FakeCamera) -> None:
    camera.refuses = {cv2.CAP_PROP_GAIN, cv2.CAP_PROP_AUTO_EXPOSURE}
    device = device_of(camera)
    device.open(DEFAULTS)
    assert device.refused == ()
    device.control(replace(DEFAULTS, gain=3))
    assert device.refused == ("gain",)


def test_age_is_the_drivers_unless_its_clock_is_another(camera: FakeCamera) -> None:
    device = device_of(camera)
    device.open(DEFAULTS)
    pixels, age_s = device.read()
    assert pixels.shape == (4, 6, 3)
    assert pixels.dtype == np.uint8
    assert age_s == 0
    camera.age_s = 0.04
    assert device.read()[1] == pytest.approx(0.04, abs=0.02)
    camera.age_s = 3600.0
    assert device.read()[1] == 0


def test_what_cannot_be_opened_is_told_by_name(camera: FakeCamera) -> None:
    device = device_of(camera)
    camera.opens = False
    with pytest.raises(DeviceError, match="video0 cannot be opened: another program"):
        device.open(DEFAULTS)
    assert camera.open_handles == 0
    camera.unplug()
    with pytest.raises(DeviceError, match="video0 is not there"):
        device.open(DEFAULTS)
    with pytest.raises(DeviceError, match="video0 is not open"):
        device.read()


def test_frame_that_opencv_cannot_decode_is_a_fault_of_the_device(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise cv2.error("corrupt JPEG data")

    device = device_of(camera)
    device.open(DEFAULTS)
    monkeypatch.setattr(camera.handles[0], "read", broken)
    with pytest.raises(DeviceError, match="video0 sent a frame that cannot be decoded"):
        device.read()


def test_devices_are_listed_by_number(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video", "v4l-subdev0", "videox"):
        (tmp_path / name).touch()
    assert devices(tmp_path) == [str(tmp_path / "video2"), str(tmp_path / "video10")]


def test_search_takes_the_first_that_gives_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_discovery, "PROBE_S", 0.3)
    cameras = [FakeCamera(tmp_path / f"video{k}") for k in range(4)]
    cameras[0].opens = False
    cameras[1].block()
    began_s = time.monotonic()
    found = device_discovery.find_device(DEFAULTS, map(device_of, cameras))
    assert found is not None
    assert found.name == str(cameras[2].path)
    assert time.monotonic() - began_s < 1.0
    assert cameras[2].open_handles == 0
    assert cameras[3].handles == []
    cameras[1].free()


class FakeStream:
    """Stands in for `cv2.VideoCapture` of an address."""

    def __init__(self, frames: int, length: float = -1.0) -> None:
        self._left, self._length = frames, length

    def isOpened(self) -> bool:
        return self._left > 0

    def read(self) -> tuple[bool, object]:
        self._left -= 1
        return self._left >= 0, np.zeros((2, 3, 3), np.uint8)

    def set(self, prop: int, value: float) -> bool:
        raise AssertionError("a network camera has no controls")

    def get(self, prop: int) -> float:
        assert prop == cv2.CAP_PROP_FRAME_COUNT
        return self._length

    def release(self) -> None:
        pass


def test_network_camera_reads_until_the_stream_breaks() -> None:
    camera = NetworkCamera("http://u:p@host/cam", lambda address, backend: FakeStream(1))
    camera = camera.new_handle()
    camera.open(replace(DEFAULTS, width=320, height=240, gain=3))
    camera.control(replace(DEFAULTS, gain=4))
    assert camera.read()[0].shape == (2, 3, 3)
    with pytest.raises(DeviceError, match="http://host/cam stopped sending frames: check the netw"):
        camera.read()


def test_network_camera_that_cannot_be_reached_or_is_a_file() -> None:
    with pytest.raises(DeviceError, match="cannot be opened: check address, user, password"):
        NetworkCamera("rtsp://host/cam", lambda address, backend: FakeStream(0)).open(DEFAULTS)
    with pytest.raises(DeviceError, match="is a file, not a live stream"):
        NetworkCamera("http://host/a.mp4", lambda address, backend: FakeStream(9, 9)).open(DEFAULTS)
