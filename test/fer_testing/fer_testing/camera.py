"""A fake camera that can be unplugged and blocked, and a sink that collects frames."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np

from fer_camera.core.stream_state import CameraFrame, StreamStatus
from fer_testing.ros import wait_for

PERIOD_S = 0.005


class FakeCamera:
    """A camera; `make_capture` opens handles as `cv2.VideoCapture` does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handles: list[FakeCapture] = []
        self.delivered = 0
        self.opens = True
        self.refuses: set[int] = set()
        self.age_s: float | None = None
        self.blocked = threading.Event()
        self.unblock = threading.Event()
        self.plug_in()

    def plug_in(self) -> None:
        """Create the device."""
        self.path.touch()

    def unplug(self) -> None:
        """Remove the device."""
        self.path.unlink()

    def block(self) -> None:
        """Make every read of every handle block until `free`."""
        self.unblock.clear()
        self.blocked.set()

    def free(self) -> None:
        """Unblock all reads; blocked reads return their frame now."""
        self.blocked.clear()
        self.unblock.set()

    def make_capture(self, path: str, backend: int) -> FakeCapture:
        """Open a handle, as `cv2.VideoCapture` does."""
        assert path == str(self.path)
        assert backend == cv2.CAP_V4L2
        handle = FakeCapture(self)
        self.handles.append(handle)
        return handle

    @property
    def open_handles(self) -> int:
        """Number of handles that are not released."""
        return sum(not handle.released for handle in self.handles)


class FakeCapture:
    """A handle of a `FakeCamera`; it must not be released during a read."""

    def __init__(self, camera: FakeCamera) -> None:
        self._camera = camera
        self._reading = threading.Lock()
        self.released = False
        self.properties: dict[int, float] = {}

    def isOpened(self) -> bool:
        """Return whether the device was opened."""
        return self._camera.opens and self._camera.path.exists()

    def read(self) -> tuple[bool, object]:
        """Wait for a frame; its pixels count the frames of the camera."""
        with self._reading:
            if self._camera.blocked.is_set():
                self._camera.unblock.wait()
            time.sleep(PERIOD_S)
            if not self._camera.path.exists():
                return False, None
            self._camera.delivered += 1
            return True, np.full((4, 6, 3), self._camera.delivered % 256, np.uint8)

    def set(self, prop: int, value: float) -> bool:
        """Set a property unless the camera refuses it."""
        if prop in self._camera.refuses:
            return False
        self.properties[prop] = value
        return True

    def get(self, prop: int) -> float:
        """Return the driver's time stamp of the last frame, ms."""
        assert prop == cv2.CAP_PROP_POS_MSEC
        return 0.0 if self._camera.age_s is None else (time.monotonic() - self._camera.age_s) * 1e3

    def release(self) -> None:
        """Close the handle."""
        assert self._reading.acquire(blocking=False), "released while it is read"
        self._reading.release()
        self.released = True


class Collector:
    """Collects the frames and statuses of a stream."""

    def __init__(self) -> None:
        self.frames: list[CameraFrame] = []
        self.times_s: list[float] = []
        self.statuses: list[StreamStatus] = []
        self.failures: list[BaseException] = []

    def emit(self, frame: CameraFrame) -> None:
        """Receive a frame."""
        self.frames.append(frame)
        self.times_s.append(time.monotonic())

    def wait_for_frames(self, count: int) -> None:
        """Wait for this many more frames."""
        goal = len(self.frames) + count
        wait_for(lambda: len(self.frames) >= goal, f"{count} more frames")

    def wait_for_status(self, text: str) -> StreamStatus:
        """Wait until the last status contains a text."""
        wait_for(lambda: self.statuses and text in self.statuses[-1].text, f"status with '{text}'")
        return self.statuses[-1]
