"""Simulated time: how many steps the network makes for a frame.

Only the stamps of the frames count, never the wall clock, so that a recording gives the same spikes
at any speed:

    steps = round((stamp - simulated time) / dt),   simulated time <- simulated time + steps dt

The rounding error is carried over, so simulated time never drifts away from the stamps. The first
frame, and any frame after a gap of more than max_catch_up or a backward jump, simulates
max_catch_up, which is long enough for a decision.

A network that is slower than real time can be given a maximum number of steps for a frame
(`time_budget`). Further steps are skipped: simulated time still jumps to the stamp, so that no
backlog builds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

NS_PER_S = 1_000_000_000


class Continuity(Enum):
    """How a frame follows the one before."""

    FIRST = "first"
    NEXT = "next"
    GAP = "gap"
    BACK = "back"


@dataclass(frozen=True)
class FrameSteps:
    """How many steps a new frame gets, and why.

    Attributes
    ----------
    steps : number of steps to make.
    continuity : how the frame follows the one before.
    left_out : number of steps that were skipped for lack of time.
    """

    steps: int
    continuity: Continuity
    left_out: int = 0

    @property
    def continuous(self) -> bool:
        """Whether the state from before the frame is still valid."""
        return self.continuity is Continuity.NEXT

    @property
    def gap(self) -> bool:
        """Whether time is missing: the stamps jumped forward or back, or steps were skipped."""
        return self.left_out > 0 or self.continuity in (Continuity.GAP, Continuity.BACK)


class Clock:
    """Converts stamps to steps."""

    def __init__(self, dt: float, max_catch_up: float) -> None:
        """Start before the first frame; `dt` and `max_catch_up` in seconds."""
        self._last_ns: int | None = None
        self._simulated_ns = 0
        self.configure(dt, max_catch_up)

    def configure(self, dt: float, max_catch_up: float) -> None:
        """Change both from the next frame on (ValueError if max_catch_up is less than dt)."""
        dt_ns = round(dt * NS_PER_S)
        cap_ns = round(max_catch_up * NS_PER_S)
        if not 0 < dt_ns <= cap_ns:
            raise ValueError("dt must be above 0, and max_catch_up at least dt")
        self._dt_ns = dt_ns
        self._cap_ns = cap_ns

    @property
    def simulated_ns(self) -> int:
        """Simulated time, nanoseconds on the scale of the stamps."""
        return self._simulated_ns

    def reset(self) -> None:
        """Forget the last frame, so that the next one counts as the first."""
        self._last_ns = None

    def tick(self, stamp_ns: int, max_steps: int | None = None) -> FrameSteps:
        """Take the stamp of the next frame, nanoseconds, and return what to do for it.

        Parameters
        ----------
        max_steps : maximum number of steps that there is time for; None for no limit.
        """
        continuity = self._continuity(stamp_ns)
        self._last_ns = stamp_ns
        if continuity is Continuity.NEXT:
            due = max((stamp_ns - self._simulated_ns + self._dt_ns // 2) // self._dt_ns, 0)
            self._simulated_ns += due * self._dt_ns
        else:
            due = self._cap_ns // self._dt_ns
            self._simulated_ns = stamp_ns
        steps = due if max_steps is None else min(due, max_steps)
        return FrameSteps(steps, continuity, due - steps)

    def _continuity(self, stamp_ns: int) -> Continuity:
        if self._last_ns is None:
            return Continuity.FIRST
        if stamp_ns < self._last_ns:
            return Continuity.BACK
        if stamp_ns - self._last_ns > self._cap_ns:
            return Continuity.GAP
        return Continuity.NEXT
