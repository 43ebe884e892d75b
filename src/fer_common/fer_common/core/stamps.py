"""Stamps in nanoseconds, from any object with `sec` and `nanosec`.

A frame is identified by the stamp of its header. ROS code hands the header on; the core, which
imports no ROS, takes `stamp_ns`.
"""

from __future__ import annotations

from typing import Protocol

from fer_common.core.errors import MessageError

NANOSECONDS = 1_000_000_000


class Stamp(Protocol):
    """A `builtin_interfaces/Time`."""

    sec: int
    nanosec: int


def to_ns(stamp: Stamp) -> int:
    """Return the stamp in nanoseconds since the epoch; negative stamps stay negative."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def checked_ns(stamp: Stamp) -> int:
    """Return the stamp of a received message, ns.

    Raises
    ------
    MessageError
        if it is negative, or `nanosec` is a second or more.
    """
    if stamp.sec < 0 or stamp.nanosec >= NANOSECONDS:
        raise MessageError(
            f"stamp {stamp.sec} s {stamp.nanosec} ns is invalid: correct the clock of the publisher"
        )
    return to_ns(stamp)


def split_ns(stamp_ns: int) -> tuple[int, int]:
    """Return (sec, nanosec) of a stamp in nanoseconds, nanosec in 0..999999999."""
    return divmod(stamp_ns, NANOSECONDS)
