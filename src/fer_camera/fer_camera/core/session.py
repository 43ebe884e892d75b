"""What the threads of a stream share: the settings, the wish to stop, frames and states."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass
from typing import Protocol

from fer_camera.core.parameters import Settings
from fer_common.core.images import Pixels


class State(enum.Enum):
    """What a stream is doing."""

    STARTING = "starting"
    STREAMING = "streaming"
    FAULT = "fault"
    ENDED = "ended"


@dataclass(frozen=True)
class Status:
    """State of a stream, with a sentence for people."""

    state: State
    text: str


@dataclass(frozen=True)
class Frame:
    """One frame: pixels, stamp, and its place in the source as in `FrameInfo`."""

    pixels: Pixels
    stamp_ns: int
    source: str
    index: int
    loop: int


class Sink(Protocol):
    """Who wants the frames. Called in the stream's thread."""

    def emit(self, frame: Frame) -> None:
        """Take a frame."""

    def changed(self, status: Status) -> None:
        """Take a status that differs from the last."""


class Session:
    """Settings that may change and a stream that may be stopped, at any moment by any thread."""

    def __init__(self, settings: Settings) -> None:
        self._condition = threading.Condition()
        self._stopping = False
        self.settings = settings

    @property
    def stopping(self) -> bool:
        """Whether the stream shall stop."""
        return self._stopping

    def begin(self) -> None:
        """Forget an earlier stop."""
        self._stopping = False

    def stop(self) -> None:
        """Wake whoever waits, to stop."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def update(self, settings: Settings) -> None:
        """Take over settings and wake whoever waits, to look at them."""
        with self._condition:
            self.settings = settings
            self._condition.notify_all()

    def wait(self, timeout_s: float, settings: Settings) -> None:
        """Wait until time is up, the stream shall stop, or other settings than these hold."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._stopping or self.settings is not settings, timeout_s
            )
