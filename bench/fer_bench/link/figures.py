"""Figures of a stretch of a run: rate, latency, age, bandwidth, and recovery after a cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: A run has recovered at the first answer that is followed by this many in all ...
_STEADY_ANSWERS = 5
#: ... within this time.
_STEADY_S = 1.0


class Arrival(NamedTuple):
    """Arrival of an answer, and the stamp of its picture, ns of one clock."""

    stamp_ns: int
    arrival_ns: int

    @property
    def latency_ms(self) -> float:
        """Time from stamp to arrival."""
        return (self.arrival_ns - self.stamp_ns) / 1e6


@dataclass(frozen=True)
class Figures:
    """What arrived under one condition.

    Attributes
    ----------
    condition : its name.
    rate_hz : answers per second.
    p50_ms, p99_ms, max_ms : from the picture's stamp to the answer's arrival, NaN without answers.
    sent_bps : bytes per second that the robot sent over the link.
    returned_bps : bytes per second that the workstation sent.
    recovery_s : from the return of the link to the first of steady answers, NaN without a cut.
    """

    condition: str
    rate_hz: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    sent_bps: float
    returned_bps: float
    recovery_s: float = math.nan


def within(arrivals: Sequence[Arrival], begin_ns: int, end_ns: int) -> list[Arrival]:
    """Return what arrived in a stretch of time."""
    return [arrival for arrival in arrivals if begin_ns <= arrival.arrival_ns < end_ns]


def recovery_s(arrivals: Sequence[Arrival], returned_ns: int) -> float:
    """Return the time from the return of the link to steady answers; infinite if never.

    Only answers to pictures that were taken after the return count.
    """
    new = [arrival.arrival_ns for arrival in arrivals if arrival.stamp_ns >= returned_ns]
    for first, last in zip(new, new[_STEADY_ANSWERS - 1 :], strict=False):
        if (last - first) / 1e9 <= _STEADY_S:
            return (first - returned_ns) / 1e9
    return math.inf
