"""Plays a file or folder: decides when each frame is due, and which stamp it has."""

from __future__ import annotations

import time

from fer_camera.core.parameters import CameraSettings
from fer_camera.core.sources import FileSource
from fer_camera.core.stream_state import (
    CameraFrame,
    Clock,
    FrameSink,
    StreamControl,
    StreamState,
    StreamStatus,
)
from fer_common.core.images import Pixels
from fer_common.core.stamps import NANOSECONDS

_DAY_S = 86400.0
#: A larger jump between the clock of the stamps and the steady one is followed; less is jitter.
_CLOCK_STEP_NS = NANOSECONDS // 10


class FrameTimer:
    """Says when each frame of a file is due: frame k is due, and stamped, at start + k / rate.

    So the stamps of a file are regular and do not drift, even if frames are taken late. A frame
    time that is missed by a period or more is left out, so the stamps have a gap of whole periods.

    Parameters
    ----------
    rate_hz : frames per second, > 0.
    clock_ns : clock of the stamps, nanoseconds; may be set while it runs.
    steady_ns : monotonic clock, nanoseconds.
    """

    def __init__(
        self, rate_hz: float, clock_ns: Clock, steady_ns: Clock = time.monotonic_ns
    ) -> None:
        self._rate_hz = rate_hz
        self._clock_ns = clock_ns
        self._steady_ns = steady_ns
        self._start_ns = steady_ns()
        self._stamp_offset_ns = clock_ns() - self._start_ns
        self._frame = 0
        #: Number of frame times that were left out.
        self.missed = 0

    def set_rate(self, rate_hz: float) -> None:
        """Set the frames per second; they count from the last frame on."""
        if rate_hz == self._rate_hz:
            return
        if self._frame > 0:
            self._start_ns = self._due_ns(self._frame - 1)
            self._frame = 1
        self._rate_hz = rate_hz

    def wait_s(self) -> float:
        """Return the seconds until the next frame is due, 0 if it is."""
        return max(0, self._due_ns(self._frame) - self._steady_ns()) / NANOSECONDS

    def take(self) -> int:
        """Take the frame time that is due, and return its stamp in nanoseconds."""
        now_ns = self._steady_ns()
        behind = int((now_ns - self._due_ns(self._frame)) * self._rate_hz // NANOSECONDS)
        if behind > 0:
            self._frame += behind
            self.missed += behind
        offset_ns = self._clock_ns() - now_ns
        if abs(offset_ns - self._stamp_offset_ns) > _CLOCK_STEP_NS:
            self._stamp_offset_ns = offset_ns
        stamp_ns = self._due_ns(self._frame) + self._stamp_offset_ns
        self._frame += 1
        return stamp_ns

    def _due_ns(self, frame: int) -> int:
        return self._start_ns + round(frame * NANOSECONDS / self._rate_hz)


class FilePlayer:
    """Emits the frames of a source when they are due. Decodes one ahead; can stop and resume."""

    def __init__(
        self, source: FileSource, control: StreamControl, sink: FrameSink, clock_ns: Clock
    ) -> None:
        self.source = source
        self._control = control
        self._sink = sink
        self._clock_ns = clock_ns
        self._ahead: Pixels | None = None
        self._index = 0
        self._loop = 0
        #: Number of frame periods without a frame, because it was late.
        self.missed = 0

    def run(self) -> None:
        """Play until a stop is requested.

        Raises
        ------
        ConfigurationError
            if the source cannot be opened again.
        """
        control = self._control
        while not control.stopping:
            if not self._advance():
                ended = f"source ended: {self.source.name}"
                self._sink.set_status(StreamStatus(StreamState.ENDED, ended))
                control.wait(_DAY_S, control.settings)
            else:
                self._play()

    def _play(self) -> None:
        """Emit frames until the source ends, beginning with the decoded one."""
        control, source = self._control, self.source
        timer = FrameTimer(self._rate_hz(control.settings), self._clock_ns)
        before = self.missed
        note = "" if control.settings.rate else source.note
        self._sink.set_status(StreamStatus(StreamState.STREAMING, f"playing {source.name}{note}"))
        while not control.stopping and self._advance():
            settings = control.settings
            timer.set_rate(self._rate_hz(settings))
            if (wait_s := timer.wait_s()) > 0:
                control.wait(wait_s, settings)
                continue
            self._emit(timer.take())
            self.missed = before + timer.missed

    def _rate_hz(self, settings: CameraSettings) -> float:
        return settings.rate or self.source.frame_rate_hz

    def _advance(self) -> bool:
        """Decode the next frame; return False at the end of a source that does not loop."""
        if self._ahead is None:
            self._ahead = self.source.read()
        if self._ahead is None and self._control.settings.loop:
            self.source.open()
            self._loop += 1
            self._index = 0
            self._ahead = self.source.read()
        return self._ahead is not None

    def _emit(self, stamp_ns: int) -> None:
        assert self._ahead is not None
        frame = CameraFrame(self._ahead, stamp_ns, self.source.name, self._index, self._loop)
        self._ahead = None
        self._index += 1
        self._sink.emit(frame)
