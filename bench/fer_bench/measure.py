"""How cost is measured: CPU time of one thread, contestants in turn, medians.

All costs are CPU time of the process that does the work, so that other programs on the machine
count for little. Contestants take turns (A B A B ...) on the same core: what the machine does at
the time, its clock frequency and the neighbours of a virtual core above all, then hits all of them
alike, and the ratio within a round is steadier than any of the costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

OWN = "fer"
"""The contestant that the others are compared with."""

Contestant = Callable[[], float]
"""Does a share of work and returns its cost, in a unit that all contestants of a race have."""

Rounds = Mapping[str, Sequence[float]]
"""Cost of every contestant in every round."""


@dataclass(frozen=True)
class Peer:
    """What a peer came to.

    Attributes
    ----------
    value : median of its costs.
    ratio : median over the rounds of its cost over ours: how many times faster we are.
    """

    value: float
    ratio: float


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and the processes that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def interleaved(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, list[float]]:
    """Let contestants take turns; a first turn of each, which warms caches, does not count."""
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, contestant in contestants.items():
            cost = contestant()
            if turn:
                costs[name].append(cost)
    return costs


def compared(rounds: Rounds, own: str = OWN) -> tuple[float, dict[str, Peer]]:
    """Return our median cost, and what each of the others came to."""
    ours = rounds[own]
    peers = {
        name: Peer(
            median(costs), median(theirs / mine for theirs, mine in zip(costs, ours, strict=True))
        )
        for name, costs in rounds.items()
        if name != own
    }
    return median(ours), peers


def cpu_us(
    work: Callable[[], object], least_s: float, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the CPU time of one call, microseconds; calls for at least `least_s` seconds."""
    calls, batch, spent_s = 0, 1, 0.0
    while spent_s < least_s:
        begin_s = clock()
        for _ in range(batch):
            work()
        spent_s += clock() - begin_s
        calls += batch
        batch *= 2
    return spent_s / calls * 1e6


def timed(work: Callable[[], object], least_s: float, per_call: float = 1.0) -> Contestant:
    """Return a contestant that calls `work`, each call worth `per_call` units."""
    return lambda: cpu_us(work, least_s) / per_call
