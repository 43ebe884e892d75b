"""What a stretch of a run comes to: rate, latency, age, and how soon all is well again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

_MS = 1e-6
_S = 1e-9
#: The run is well again from the first answer on after which so many come ...
_STEADY_ANSWERS = 5
#: ... within this time.
_STEADY_S = 1.0


class Arrival(NamedTuple):
    """When an answer came, and the stamp of its picture, ns of one clock."""

    stamp_ns: int
    arrival_ns: int


@dataclass(frozen=True)
class Figures:
    """What arrived under one condition.

    Attributes
    ----------
    condition : its name.
    rate_hz : answers per second.
    p50_ms, p99_ms, max_ms : from the picture's stamp to the answer's arrival, NaN without answers.
    sent_bps : bytes per second that the robot sent over the link.
    returned_bps : and the workstation.
    recovery_s : from the return of a link to the first of steady answers, NaN where nothing was
        cut.
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


def latencies_ms(arrivals: Sequence[Arrival]) -> list[float]:
    """Return the time from stamp to arrival of each."""
    return [(arrival - stamp) * _MS for stamp, arrival in arrivals]


def recovery_s(arrivals: Sequence[Arrival], returned_ns: int) -> float:
    """Return how long after the return of the link answers were steady again; infinite if never.

    Only answers to pictures that were taken after the return count.
    """
    new = [arrival.arrival_ns for arrival in arrivals if arrival.stamp_ns >= returned_ns]
    for first, last in zip(new, new[_STEADY_ANSWERS - 1 :], strict=False):
        if (last - first) * _S <= _STEADY_S:
            return (first - returned_ns) * _S
    return math.inf
