"""What the threads of a stream share: frames, status, settings and the request to stop."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from fer_camera.core.parameters import CameraSettings
from fer_common.core.images import Pixels

#: Returns the time of the stamps, nanoseconds.
Clock: TypeAlias = Callable[[], int]


class StreamState(enum.Enum):
    """What a stream is doing."""

    STARTING = "starting"
    STREAMING = "streaming"
    FAULT = "fault"
    ENDED = "ended"


@dataclass(frozen=True)
class StreamStatus:
    """State of a stream, with a sentence for the user."""

    state: StreamState
    text: str


@dataclass(frozen=True)
class CameraFrame:
    """Pixels and stamp of a frame, with `source`, `index` and `loop` as in `FrameInfo`."""

    pixels: Pixels
    stamp_ns: int
    source: str
    index: int
    loop: int


class FrameSink(Protocol):
    """Receives frames and status changes, in the stream's thread."""

    def emit(self, frame: CameraFrame) -> None:
        """Receive a frame."""

    def set_status(self, status: StreamStatus) -> None:
        """Receive the present status."""


class StreamControl:
    """The settings and the stop request of a stream; any thread may change them at any time."""

    def __init__(self, settings: CameraSettings) -> None:
        self._condition = threading.Condition()
        self.stopping = False
        self.settings = settings

    def stop(self) -> None:
        """Request a stop and wake all waiting threads."""
        with self._condition:
            self.stopping = True
            self._condition.notify_all()

    def update(self, settings: CameraSettings) -> None:
        """Replace the settings and wake all waiting threads."""
        with self._condition:
            self.settings = settings
            self._condition.notify_all()

    def wait(self, timeout_s: float, settings: CameraSettings) -> None:
        """Wait for the timeout, a stop request, or settings other than these."""
        with self._condition:
            self._condition.wait_for(
                lambda: self.stopping or self.settings is not settings, timeout_s
            )
