"""Files and folders as sources, and what is refused."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_camera.core.device import Device, NetworkCamera
from fer_camera.core.device_discovery import find_device
from fer_camera.core.parameters import DEFAULTS
from fer_camera.core.sources import (
    FileSource,
    ImageFolder,
    VideoFile,
    demo_path,
    image_files,
    natural_key,
    open_source,
)
from fer_common.core.errors import ConfigurationError
from fer_common.core.images import Pixels

LABELS = "demo_labels.csv"


def write_image(path: Path, value: int, size: tuple[int, int] = (8, 10)) -> None:
    assert cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def read_all(source: FileSource) -> list[Pixels]:
    frames = []
    while (pixels := source.read()) is not None:
        frames.append(pixels)
    return frames


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames at 25 Hz, each a little brighter than the last."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (32, 24))
    for k in range(12):
        writer.write(np.full((24, 32, 3), 20 * k, np.uint8))
    writer.release()
    return path


def test_video_gives_each_frame_once_and_the_same_ones_when_it_is_opened_again(clip: Path) -> None:
    source = open_source(str(clip))
    assert isinstance(source, VideoFile)
    assert source.rate_hz == 25.0
    frames = read_all(source)
    assert [round(float(pixels.mean()) / 20) for pixels in frames] == list(range(12))
    assert frames[0].shape == (24, 32, 3)
    assert source.read() is None
    source.open()
    again = read_all(source)
    source.close()
    assert all(np.array_equal(a, b) for a, b in zip(frames, again, strict=True))


def test_demo_clip_is_there_with_a_label_for_every_frame() -> None:
    source = open_source("demo")
    assert isinstance(source, VideoFile)
    assert (source.name, source.rate_hz) == ("demo", 30.0)
    labels = (demo_path().parent / LABELS).read_text().splitlines()
    frames = 0
    while source.read() is not None:
        frames += 1
    source.close()
    assert frames == len(labels) - 1


def test_folder_is_played_in_natural_order_and_bad_images_are_counted(tmp_path: Path) -> None:
    for number in (10, 9, 1, 100):
        write_image(tmp_path / f"face{number}.png", number)
    (tmp_path / "face2.png").write_bytes(b"no image")
    (tmp_path / "face3.jpg").touch()
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not an image")
    source = open_source(str(tmp_path))
    assert isinstance(source, ImageFolder)
    assert [int(pixels[0, 0, 0]) for pixels in read_all(source)] == [1, 9, 10, 100]
    assert source.unreadable == 2
    source.open()
    assert source.unreadable == 0
    assert len(read_all(source)) == 4


def test_one_image_is_a_source(tmp_path: Path) -> None:
    write_image(tmp_path / "face.png", 7)
    source = open_source(str(tmp_path / "face.png"))
    assert isinstance(source, ImageFolder)
    assert len(read_all(source)) == 1


def test_image_names_in_no_encoding_and_any_case(tmp_path: Path) -> None:
    write_image(tmp_path / "Gesicht_ä 1.png", 1)
    (tmp_path / "Gesicht_ä 1.png").rename(tmp_path / "Gesicht_ä 1.PNG")
    source = open_source(str(tmp_path))
    assert source is not None
    assert not isinstance(source, Device)
    assert len(read_all(source)) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1), unique=True))
def test_natural_order_is_total_and_does_not_depend_on_the_order_given(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(names[::-1], key=natural_key)


def test_natural_order() -> None:
    names = ["b1", "a10", "a2", "a02", "10", "9", "a"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "a02", "a2", "a10", "b1"]


@pytest.mark.parametrize("text", ["nothing.mp4", "", "no/such/folder", "aut0"])
def test_what_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="does not exist: name a device"):
        open_source(text)


@pytest.mark.parametrize("name", ["text.mp4", "text.avi", "text", "empty.mp4"])
def test_what_is_no_video_is_refused(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text("" if name.startswith("empty") else "I am text. " * 100)
    with pytest.raises(ConfigurationError, match=f"{name}' cannot be decoded as video"):
        open_source(str(path))
    assert capfd.readouterr().err == ""


def test_video_cut_in_half_gives_what_is_left_or_is_refused(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    cut = tmp_path / "cut.avi"
    for part in (0.9, 0.5, 0.1):
        cut.write_bytes(data[: int(part * len(data))])
        try:
            source = open_source(str(cut))
        except ConfigurationError:
            continue
        assert source is not None
        assert not isinstance(source, Device)
        assert 0 < len(read_all(source)) <= 12
        source.close()


def test_folders_without_a_usable_image_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no images"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ConfigurationError, match="none of its 1 images can be decoded"):
        open_source(str(tmp_path))


def test_folder_that_vanishes_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: No such file"):
        image_files(tmp_path / "gone")


@pytest.mark.parametrize(
    ("text", "path"), [("0", "/dev/video0"), (" 12 ", "/dev/video12"), ("/dev/cam", "/dev/cam")]
)
def test_devices_are_named_by_index_or_path(text: str, path: str) -> None:
    source = open_source(text)
    assert isinstance(source, Device)
    assert source.name == path


def test_auto_is_left_to_the_search() -> None:
    assert open_source("auto") is None
    assert find_device(DEFAULTS, []) is None


class TimedCapture:
    """Stands in for `cv2.VideoCapture`: a video with these time stamps and nominal rate."""

    def __init__(self, times_s: list[float], rate_hz: float) -> None:
        self._times_s, self._rate_hz = iter(times_s), rate_hz
        self._time_s = 0.0

    def read(self) -> tuple[bool, np.ndarray]:
        time_s = next(self._times_s, None)
        self._time_s = time_s or 0.0
        return time_s is not None, np.zeros((2, 2, 3), np.uint8)

    def get(self, prop: int) -> float:
        return self._rate_hz if prop == cv2.CAP_PROP_FPS else self._time_s * 1e3

    def release(self) -> None:
        pass


def timed_video(monkeypatch: pytest.MonkeyPatch, times_s: list[float], rate_hz: float) -> VideoFile:
    monkeypatch.setattr(cv2, "VideoCapture", lambda path: TimedCapture(times_s, rate_hz))
    video = VideoFile(Path("clip"))
    video.open()
    return video


def intervals_s(video: VideoFile) -> list[float]:
    """Return the time before each frame but the first, by the video's own rate."""
    video.read()
    intervals = []
    while video.read() is not None:
        intervals.append(1 / video.frame_rate_hz)
    return intervals


def test_variable_frame_rate_follows_the_time_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    times_s = [0.0, 0.033, 0.067, 0.1, 0.433, 0.767, 0.8, 2.0]
    video = timed_video(monkeypatch, times_s, 30.0)
    np.testing.assert_allclose(np.cumsum(intervals_s(video)), times_s[1:], atol=0.001)
    video.open()
    np.testing.assert_allclose(intervals_s(video), np.diff(times_s))


@pytest.mark.parametrize(
    "times_s",
    [[round(k / 30, 3) for k in range(90)], [0.0] * 90, [7.0 + k / 30 for k in range(90)]],
    ids=["rounded to ms", "no time stamps", "not from 0"],
)
def test_constant_frame_rate_is_kept(times_s: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(intervals_s(timed_video(monkeypatch, times_s, 30.0))) == {1 / 30}


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, 90000.0, float("nan")])
def test_video_without_a_usable_rate_says_so(
    rate_hz: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = timed_video(monkeypatch, [0.0] * 3, rate_hz)
    assert video.rate_hz == 10.0
    assert video.note == " at 10 Hz: it states no usable frame rate; set the parameter 'rate'"


def test_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    write_image(tmp_path / "0.png", 7)
    header = struct.pack(">IIBBBBB", 16000, 16000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(16001))
    (tmp_path / "1.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    source = open_source(str(tmp_path))
    assert isinstance(source, ImageFolder)
    began_s = time.monotonic()
    assert len(read_all(source)) == 1
    assert source.unreadable == 1
    assert time.monotonic() - began_s < 0.5


def test_addresses_are_cameras_and_show_no_password() -> None:
    source = open_source("rtsp://user:secret@robot1:554/stream")
    assert isinstance(source, NetworkCamera)
    assert source.name == "rtsp://robot1:554/stream"


@pytest.mark.parametrize("address", ["ftp://host/clip.mp4", "gst://x", "://x"])
def test_other_addresses_are_refused_as_addresses(address: str) -> None:
    with pytest.raises(ConfigurationError, match="are not supported: use one of rtsp, rtsps, http"):
        open_source(address)


def test_addresses_are_refused_where_opencv_opens_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.videoio_registry, "getStreamBackends", list)
    with pytest.raises(ConfigurationError, match="is an address, and this OpenCV has no FFmpeg"):
        open_source("http://host/stream")
