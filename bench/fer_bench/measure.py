"""How cost is measured: CPU time of one thread, contestants in turn, medians.

All costs are CPU time of the process that does the work, so other programs on the machine count
for little. Contestants take turns (A B A B ...) on the same core. Changes of the clock frequency,
or a busy neighbour of a virtual core, then affect all of them alike, and the ratio within a round
varies less than any of the costs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fer_bench.peers import PeerEnvironment
from fer_bench.results import Measurement, Peer

OWN = "fer"
"""The contestant that the others are compared with."""

Contestant = Callable[[], float]
"""Does some work and returns its cost; all contestants of a race use the same unit."""


@dataclass(frozen=True)
class Context:
    """How thorough a run of the benchmarks is, and with what.

    Attributes
    ----------
    rounds : turns of every contestant.
    least_s : shortest CPU time of a turn.
    run_s : how long the whole graph is watched.
    peers : environment of the peers, None to do without them.
    """

    root: Path
    rounds: int = 7
    least_s: float = 0.05
    run_s: float = 60.0
    peers: PeerEnvironment | None = None

    @property
    def short_run_s(self) -> float:
        """How long the whole graph is watched at each point of a curve."""
        return self.run_s / 6

    def race(
        self,
        part: str,
        name: str,
        unit: str,
        works: Mapping[str, Callable[[], object]],
        per_call: float = 1.0,
    ) -> Measurement:
        """Measure the same work done in several ways.

        Parameters
        ----------
        per_call : a call that takes this many microseconds costs one unit.
        """
        costs = interleaved(
            {who: timed(work, self.least_s, per_call) for who, work in works.items()}, self.rounds
        )
        return Measurement(part, name, unit, *compared(costs))


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
    """Return the costs of contestants that take turns.

    The first turn of each warms the caches and does not count.
    """
    costs: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name, contestant in contestants.items():
            cost = contestant()
            if turn:
                costs[name].append(cost)
    return costs


def compared(costs: Mapping[str, Sequence[float]], own: str = OWN) -> tuple[float, dict[str, Peer]]:
    """Return the median cost of `own`, and how each of the others compares with it."""
    ours = costs[own]
    return median(ours), {
        name: Peer(median(theirs), median(a / b for a, b in zip(theirs, ours, strict=True)))
        for name, theirs in costs.items()
        if name != own
    }


def cpu_us(
    work: Callable[[], object], least_s: float, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the CPU time of one call in microseconds; calls for at least `least_s` seconds."""
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
    """Return a contestant that calls `work`; `per_call` as in `Context.race`."""
    return lambda: cpu_us(work, least_s) / per_call
