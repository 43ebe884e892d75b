"""The link that can be impaired: its effect on packets, and the figures of a run."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from fer_bench.link.cable import GOOD, QUEUE_PACKETS, Impairment, Schedule
from fer_bench.link.run import Arrival, recovery_s, within

N = 20_000


def arrivals(impairment: Impairment, n: int, period_s: float, size: int) -> list[float | None]:
    schedule = Schedule(impairment, seed=1)
    return [schedule.arrival_s(k * period_s, size) for k in range(n)]


def test_a_good_link_does_nothing() -> None:
    assert arrivals(GOOD, 10, 0.001, 1500) == [k * 0.001 for k in range(10)]


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.10])
def test_so_many_are_lost_each_by_itself(loss: float) -> None:
    lost = [arrival is None for arrival in arrivals(Impairment(loss=loss), N, 0.001, 100)]
    # Four standard deviations of a binomial.
    assert sum(lost) / N == pytest.approx(loss, abs=4 * math.sqrt(loss * (1 - loss) / N))
    pairs = sum(a and b for a, b in pairwise(lost)) / N
    assert pairs == pytest.approx(loss**2, abs=4 * math.sqrt(loss**2 / N))


def test_nothing_passes_a_cut() -> None:
    assert set(arrivals(Impairment(delay_s=0.01).cut(), 1000, 0.001, 100)) == {None}


def test_delay_is_even_around_its_mean() -> None:
    found = arrivals(Impairment(delay_s=0.020, jitter_s=0.005), N, 0.001, 100)
    delays = [arrival - k * 0.001 for k, arrival in enumerate(found) if arrival is not None]
    assert len(delays) == N
    assert 0.015 <= min(delays) < 0.0151 and 0.0249 < max(delays) <= 0.025
    assert sum(delays) / N == pytest.approx(0.020, abs=4 * 0.005 / math.sqrt(3 * N))


def test_a_transmitter_sends_one_after_the_other() -> None:
    # 1250 bytes at 1 Mbit/s take 10 ms; ten at once arrive every 10 ms.
    found = arrivals(Impairment(rate_bps=1e6, delay_s=0.1), 10, 0.0, 1250)
    assert found == pytest.approx([0.1 + 0.01 * (k + 1) for k in range(10)])
    # Slower than the transmitter none waits.
    found = arrivals(Impairment(rate_bps=1e6), 10, 0.020, 1250)
    assert found == pytest.approx([0.020 * k + 0.01 for k in range(10)])


def test_a_full_queue_takes_no_more() -> None:
    found = arrivals(Impairment(rate_bps=1e6), QUEUE_PACKETS + 5, 0.0, 1250)
    assert [arrival is None for arrival in found] == [False] * QUEUE_PACKETS + [True] * 5


def test_the_same_seed_loses_the_same() -> None:
    bad = Impairment(loss=0.3, delay_s=0.01, jitter_s=0.01)
    assert arrivals(bad, 100, 0.001, 100) == arrivals(bad, 100, 0.001, 100)


def test_recovery_is_the_first_of_steady_new_answers() -> None:
    second = 10**9
    old = [Arrival(-second, second // 10 * k) for k in range(9)]
    lonely = [Arrival(0, second)]
    steady = [Arrival(2 * second + k, 3 * second + k * second // 10) for k in range(5)]
    assert recovery_s([*old, *lonely, *steady], 0) == 3.0
    assert recovery_s([*old, *lonely], 0) == math.inf
    assert within(steady, 3 * second, 3 * second + 1) == steady[:1]
