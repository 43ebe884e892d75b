"""When the next frame of a file is due, and which stamp it bears."""

from __future__ import annotations

import time
from collections.abc import Callable

from fer_common.core.stamps import NANOSECONDS

Clock = Callable[[], int]

#: A jump of the stamps' clock against the steady one that is followed; less is jitter.
_CLOCK_STEP_NS = NANOSECONDS // 10


class Pacer:
    """Ticks at a steady rate: tick k is due at start + k / rate, and so its stamp says.

    So the stamps of a file are regular and do not drift, whenever the ticks are really taken. A
    tick that was missed by a period or more is left out: the stamps then have a gap of whole
    periods, and no burst makes up for it.

    Parameters
    ----------
    rate_hz : ticks per second, > 0.
    clock_ns : the clock of the stamps, nanoseconds; may be set while it runs.
    steady_ns : a clock that nobody sets, nanoseconds.
    """

    def __init__(
        self, rate_hz: float, clock_ns: Clock, steady_ns: Clock = time.monotonic_ns
    ) -> None:
        self._rate_hz = rate_hz
        self._clock_ns = clock_ns
        self._steady_ns = steady_ns
        self._start_ns = steady_ns()
        self._stamp_offset_ns = clock_ns() - self._start_ns
        self._tick = 0
        #: Ticks that were left out.
        self.missed = 0

    @property
    def rate_hz(self) -> float:
        """Ticks per second. A new rate counts from the last tick on."""
        return self._rate_hz

    @rate_hz.setter
    def rate_hz(self, rate_hz: float) -> None:
        if rate_hz == self._rate_hz:
            return
        if self._tick > 0:
            self._start_ns = self._due_ns(self._tick - 1)
            self._tick = 1
        self._rate_hz = rate_hz

    def wait_s(self) -> float:
        """Seconds until the next tick is due, 0 if it is."""
        return max(0, self._due_ns(self._tick) - self._steady_ns()) / NANOSECONDS

    def take(self) -> int:
        """Take the tick that is due and return its stamp in nanoseconds."""
        now_ns = self._steady_ns()
        behind = int((now_ns - self._due_ns(self._tick)) * self._rate_hz // NANOSECONDS)
        if behind > 0:
            self._tick += behind
            self.missed += behind
        offset_ns = self._clock_ns() - now_ns
        if abs(offset_ns - self._stamp_offset_ns) > _CLOCK_STEP_NS:
            self._stamp_offset_ns = offset_ns
        stamp_ns = self._due_ns(self._tick) + self._stamp_offset_ns
        self._tick += 1
        return stamp_ns

    def _due_ns(self, tick: int) -> int:
        return self._start_ns + round(tick * NANOSECONDS / self._rate_hz)
