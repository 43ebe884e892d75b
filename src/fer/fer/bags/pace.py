"""When to play what: the time of a bag on the clock of this machine."""

from __future__ import annotations

_NS_PER_S = 1_000_000_000


class Pace:
    """Time of a bag, at a rate, from when it began to be played.

    Parameters
    ----------
    rate : seconds of the bag per second.
    first_ns : time of the bag at the beginning.
    now_s : the monotonic clock at the beginning.
    """

    def __init__(self, rate: float, first_ns: int, now_s: float) -> None:
        self._rate = rate
        self._first_ns = first_ns
        self._begun_s = now_s

    def due_s(self, time_ns: int) -> float:
        """Return when it is that time in the bag, by the monotonic clock."""
        return self._begun_s + (time_ns - self._first_ns) / _NS_PER_S / self._rate

    def time_ns(self, now_s: float) -> int:
        """Return the time in the bag."""
        return self._first_ns + round((now_s - self._begun_s) * self._rate * _NS_PER_S)

    def held_up(self, duration_s: float) -> None:
        """Move everything that is still to come; what was late is not hurried after."""
        self._begun_s += duration_s
