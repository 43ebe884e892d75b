"""Streams of files and devices, and the faults of devices."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_camera.core import device_supervisor
from fer_camera.core.device import Device
from fer_camera.core.parameters import DEFAULTS, CameraSettings
from fer_camera.core.sources import FileSource
from fer_camera.core.stream import CameraStream
from fer_camera.core.stream_state import StreamState
from fer_common.core.errors import ConfigurationError
from fer_common.core.images import Pixels
from fer_testing.camera import PERIOD_S, Collector, FakeCamera
from fer_testing.ros import wait_for

FAST = replace(DEFAULTS, rate=200.0)
MakeStream = Callable[[FileSource | Device, CameraSettings], CameraStream]


class FakeClip:
    """Five frames; can vanish."""

    def __init__(self, frames: int = 5) -> None:
        self.name = "clip"
        self.rate_hz = self.frame_rate_hz = 100.0
        self.unreadable = 0
        self.note = ""
        self.gone = False
        self.closed = False
        self._frames = frames
        self._next = 0

    def open(self) -> None:
        if self.gone:
            raise ConfigurationError("source 'clip' does not exist")
        self._next = 0

    def read(self) -> Pixels | None:
        if self._next >= self._frames:
            return None
        self._next += 1
        return np.full((2, 2, 3), self._next - 1, np.uint8)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def camera(tmp_path: Path) -> FakeCamera:
    return FakeCamera(tmp_path / "video0")


@pytest.fixture
def make_stream(collector: Collector, camera: FakeCamera) -> Iterator[MakeStream]:
    streams: list[CameraStream] = []

    def make(source: FileSource | Device, settings: CameraSettings) -> CameraStream:
        stream = CameraStream(
            lambda: source,
            settings,
            time.time_ns,
            collector.emit,
            collector.statuses.append,
            collector.failures.append,
        )
        streams.append(stream)
        return stream

    yield make
    camera.free()
    for stream in streams:
        stream.close()
    wait_for(lambda: camera.open_handles == 0, "every handle to be released")
    assert collector.failures == []


def device_of(camera: FakeCamera) -> Device:
    return Device(str(camera.path), camera.make_capture)


# Files


def test_loop_counts_and_stamps_stay_regular(make_stream: MakeStream, collector: Collector) -> None:
    stream = make_stream(FakeClip(), FAST)
    stream.start()
    collector.wait_for_frames(23)
    stream.stop()
    frames = collector.frames
    assert [(f.loop, f.index) for f in frames[:23]] == [divmod(k, 5) for k in range(23)]
    assert [f.pixels[0, 0, 0] for f in frames] == [f.index for f in frames]
    steps = np.diff([f.stamp_ns for f in frames]) / 5e6
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert steps.sum() == pytest.approx(len(frames) - 1 + stream.facts["missed"])


def test_without_loop_the_end_is_told_and_loop_goes_on(
    make_stream: MakeStream, collector: Collector
) -> None:
    stream = make_stream(FakeClip(), replace(FAST, loop=False))
    stream.start()
    collector.wait_for_status("source ended: clip")
    assert len(collector.frames) == 5
    assert stream.status.state is StreamState.ENDED
    stream.update(FAST)
    collector.wait_for_frames(2)
    assert [(f.loop, f.index) for f in collector.frames[5:7]] == [(1, 0), (1, 1)]
    assert collector.statuses[-1].state is StreamState.STREAMING
    # The pause was not a delay that must be made good.
    assert collector.frames[5].stamp_ns > collector.frames[4].stamp_ns


def test_stop_and_start_go_on_with_the_next_frame(
    make_stream: MakeStream, collector: Collector
) -> None:
    stream = make_stream(FakeClip(1000), FAST)
    for _ in range(5):
        stream.start()
        collector.wait_for_frames(3)
        stream.stop()
    count = len(collector.frames)
    assert [f.index for f in collector.frames] == list(range(count))
    stream.stop()
    assert len(collector.frames) == count


def test_own_rate_unless_another_is_asked_for_also_while_waiting(
    make_stream: MakeStream, collector: Collector
) -> None:
    stream = make_stream(FakeClip(1000), replace(DEFAULTS, rate=0.01))
    stream.start()
    wait_for(lambda: collector.frames, "the first frame")
    assert stream.wanted_hz == 0.01
    stream.update(DEFAULTS)
    collector.wait_for_frames(10)
    assert stream.wanted_hz == 100.0
    steps = np.diff([f.stamp_ns for f in collector.frames[1:]]) / 1e7
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)


def test_file_that_vanishes_is_a_fault_not_an_end_of_the_node(
    make_stream: MakeStream, collector: Collector
) -> None:
    clip = FakeClip()
    stream = make_stream(clip, FAST)
    stream.start()
    collector.wait_for_frames(1)
    clip.gone = True
    collector.wait_for_status("does not exist")
    assert stream.status.state is StreamState.FAULT


def test_close_releases_the_source(make_stream: MakeStream, collector: Collector) -> None:
    clip = FakeClip()
    stream = make_stream(clip, FAST)
    stream.start()
    collector.wait_for_frames(1)
    stream.close()
    assert clip.closed


def test_an_error_that_nobody_foresaw_is_passed_on(
    make_stream: MakeStream, collector: Collector
) -> None:
    clip = FakeClip()
    clip.read = lambda: 1 // 0  # type: ignore[method-assign]
    make_stream(clip, FAST).start()
    wait_for(lambda: collector.failures, "the failure")
    assert isinstance(collector.failures.pop(), ZeroDivisionError)


def test_started_again_while_it_still_looks_for_its_source(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_camera.core.stream._JOIN_S", 0.01)
    found = threading.Event()
    searches: list[None] = []

    def choose() -> FileSource:
        searches.append(None)
        found.wait()
        return FakeClip(1000)

    stream = CameraStream(
        choose, FAST, time.time_ns, collector.emit, lambda status: None, collector.failures.append
    )
    stream.start()
    wait_for(lambda: searches, "the search")
    stream.stop()
    stream.start()
    found.set()
    collector.wait_for_frames(5)
    stream.close()
    assert len(searches) == 1
    assert [f.index for f in collector.frames] == list(range(len(collector.frames)))


# Devices


def test_device_gives_every_frame_once(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    camera.age_s = 0.02
    stream = make_stream(device_of(camera), DEFAULTS)
    stream.start()
    collector.wait_for_frames(20)
    latency_s = (time.time_ns() - collector.frames[-1].stamp_ns) * 1e-9
    assert latency_s >= 0.02
    stream.stop()
    assert camera.open_handles == 0
    frames = collector.frames
    assert [f.index for f in frames] == list(range(len(frames)))
    values = [int(f.pixels[0, 0, 0]) for f in frames]
    assert all(a < b for a, b in itertools.pairwise(values))
    assert frames[0].source == str(camera.path)
    assert all(np.diff([f.stamp_ns for f in frames]) > 0)


def test_no_camera_at_start_then_one(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    camera.unplug()
    stream = make_stream(device_of(camera), DEFAULTS)
    began_s = time.monotonic()
    stream.start()
    status = collector.wait_for_status(f"camera {camera.path} is not there")
    assert status.state is StreamState.FAULT
    assert time.monotonic() - began_s < 1.0
    wait_for(lambda: stream.facts["restarts"] == 2, "two attempts")
    camera.plug_in()
    plugged_s = time.monotonic()
    collector.wait_for_status("streaming from")
    assert time.monotonic() - plugged_s < 2.0


def test_unplugged_and_back(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    stream = make_stream(device_of(camera), DEFAULTS)
    stream.start()
    collector.wait_for_frames(5)
    camera.unplug()
    unplugged_s = time.monotonic()
    collector.wait_for_status(str(camera.path))
    assert time.monotonic() - unplugged_s < 1.0
    wait_for(lambda: stream.status.state is StreamState.FAULT, "the fault")
    count = len(collector.frames)
    wait_for(lambda: stream.facts["restarts"], "another attempt")
    assert len(collector.frames) == count, "a stale frame was repeated"
    camera.plug_in()
    plugged_s = time.monotonic()
    collector.wait_for_frames(5)
    assert collector.times_s[count] - plugged_s < 2.0
    assert [f.index for f in collector.frames] == list(range(len(collector.frames)))


def test_read_that_blocks_is_told_abandoned_and_never_shown(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    stream = make_stream(device_of(camera), DEFAULTS)
    stream.start()
    collector.wait_for_frames(5)
    camera.block()
    blocked_s = time.monotonic()
    collector.wait_for_status(f"camera {camera.path} sends no frames")
    assert time.monotonic() - blocked_s < 1.0
    count = len(collector.frames)
    wait_for(lambda: len(camera.handles) == 2, "a second handle")
    delivered = camera.delivered
    camera.free()
    freed_s = time.monotonic()
    collector.wait_for_frames(5)
    assert collector.times_s[count] - freed_s < 2.0
    assert int(collector.frames[count].pixels[0, 0, 0]) > delivered
    wait_for(lambda: camera.open_handles == 1, "the abandoned handle to be released")


def test_reads_that_hang_for_ever_are_bounded(
    make_stream: MakeStream,
    collector: Collector,
    camera: FakeCamera,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_supervisor, "SILENCE_S", 0.05)
    monkeypatch.setattr(device_supervisor, "OPENING_S", 0.1)
    monkeypatch.setattr(device_supervisor, "BACKOFF_S", (0.01, 0.01))
    monkeypatch.setattr(device_supervisor, "_RELEASE_S", 0.01)
    camera.block()
    make_stream(device_of(camera), DEFAULTS).start()
    collector.wait_for_status(f"hangs in {device_supervisor.MAX_STUCK} reads")
    assert len(camera.handles) == device_supervisor.MAX_STUCK
    camera.free()
    collector.wait_for_status("streaming from")


def test_stop_does_not_wait_for_a_read_that_blocks(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    stream = make_stream(device_of(camera), DEFAULTS)
    stream.start()
    collector.wait_for_frames(1)
    camera.block()
    began_s = time.monotonic()
    stream.stop()
    assert time.monotonic() - began_s < 1.5
    count = len(collector.frames)
    camera.free()
    wait_for(lambda: camera.open_handles == 0, "the handle to be released")
    assert len(collector.frames) == count


def test_another_format_opens_the_device_again_and_controls_do_not(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    stream = make_stream(device_of(camera), DEFAULTS)
    stream.start()
    collector.wait_for_frames(2)
    camera.refuses = {cv2.CAP_PROP_BRIGHTNESS}
    stream.update(replace(DEFAULTS, gain=7, brightness=3))
    wait_for(lambda: 7 in camera.handles[0].properties.values(), "the gain")
    assert len(camera.handles) == 1
    collector.wait_for_status("driver refuses brightness")
    stream.update(replace(DEFAULTS, gain=7, width=320, height=240))
    wait_for(lambda: len(camera.handles) == 2, "the device to be opened again")
    wait_for(lambda: 320 in camera.handles[1].properties.values(), "the width")
    assert camera.handles[0].released
    assert all(status.state is not StreamState.FAULT for status in collector.statuses)


def test_slow_sink_gets_the_newest_frame(
    make_stream: MakeStream, collector: Collector, camera: FakeCamera
) -> None:
    stream = make_stream(device_of(camera), DEFAULTS)
    take = collector.emit

    def slowly(frame: object) -> None:
        take(frame)  # type: ignore[arg-type]
        time.sleep(5 * PERIOD_S)

    stream.emit = slowly
    stream.start()
    collector.wait_for_frames(10)
    age_s = (time.time_ns() - collector.frames[-1].stamp_ns) * 1e-9
    assert age_s < 10 * PERIOD_S
    assert stream.facts["skipped"] > 0
