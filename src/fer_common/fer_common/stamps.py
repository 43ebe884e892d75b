"""Stamps as whole nanoseconds, from any object with `sec` and `nanosec`: no ROS needed."""

from __future__ import annotations

from typing import Protocol

NANOSECONDS = 1_000_000_000


class Stamp(Protocol):
    """A `builtin_interfaces/Time`."""

    sec: int
    nanosec: int


def to_ns(stamp: Stamp) -> int:
    """Return the stamp in nanoseconds since the epoch; negative stamps stay negative."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def split_ns(stamp_ns: int) -> tuple[int, int]:
    """Return (sec, nanosec) of a stamp in nanoseconds, nanosec in 0..999999999."""
    return divmod(stamp_ns, NANOSECONDS)
