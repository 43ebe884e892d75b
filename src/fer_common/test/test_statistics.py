"""Rates, latencies, quantiles and drops of a stream."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core.statistics import WINDOW_S, StreamStatistics, quantile


def test_quantiles_are_by_nearest_rank() -> None:
    values = [3.0, 1.0, 4.0, 2.0]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.75, 0.99, 1.0)] == [1, 2, 3, 4, 4]
    assert math.isnan(quantile([], 0.5))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 1))
def test_a_quantile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], fraction: float
) -> None:
    result = quantile(values, fraction)
    assert result in values
    assert sum(value <= result for value in values) >= math.ceil(fraction * len(values))


def test_nothing_yet() -> None:
    statistics = StreamStatistics()
    assert statistics.rate_hz(1.0) == 0
    assert statistics.age_s(1.0) == math.inf
    assert math.isnan(statistics.latency_ms(0.5))


def test_rate_latency_and_age() -> None:
    statistics = StreamStatistics()
    for k in range(301):
        statistics.add(k / 30, latency_s=0.001 * (k % 10), work_s=0.002, skipped=k % 2)
    now_s = 10.0
    assert statistics.rate_hz(now_s) == pytest.approx(30, rel=0.02)
    assert statistics.age_s(now_s + 3) == pytest.approx(3)
    assert statistics.latency_ms(0.5) == pytest.approx(5, abs=1)
    assert statistics.latency_ms(1.0) == pytest.approx(9)
    assert statistics.work_ms(0.99) == pytest.approx(2)
    assert (statistics.processed, statistics.skipped) == (301, 150)


def test_rate_is_right_from_the_first_second_on() -> None:
    statistics = StreamStatistics()
    for k in range(31):
        statistics.add(100 + k / 30)
    assert statistics.rate_hz(101.0) == pytest.approx(30, rel=0.05)


def test_rate_falls_to_nothing_when_the_stream_ends() -> None:
    statistics = StreamStatistics()
    for k in range(100):
        statistics.add(k / 30)
    assert statistics.rate_hz(100 / 30 + 2 * WINDOW_S) == 0
    assert statistics.age_s(100.0) == pytest.approx(100 - 99 / 30)


def test_what_is_older_than_the_window_neither_counts_nor_takes_room() -> None:
    statistics = StreamStatistics()
    for k in range(3000):
        slow = k < 1500
        statistics.add(k / 30, latency_s=1.0 if slow else 0.01, work_s=0.5 if slow else 0.002)
    now_s = 2999 / 30
    assert statistics.latency_ms(1.0) == pytest.approx(10)
    assert statistics.work_ms(1.0) == pytest.approx(2)
    assert statistics.rate_hz(now_s) == pytest.approx(30, rel=0.02)
    assert len(statistics._done) <= 30 * WINDOW_S + 1
    assert statistics.processed == 3000
    # The last frame stays, for the age.
    assert statistics.age_s(now_s + 1000.0) == pytest.approx(1000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=2, max_size=60))
def test_rate_is_never_more_than_what_came(gaps_s: list[float]) -> None:
    statistics = StreamStatistics()
    now_s = 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        statistics.add(now_s)
    now_s += 1.0
    assert 0 <= statistics.rate_hz(now_s) <= len(gaps_s) * (1 + 1e-9)


def test_drops_are_counted_by_reason() -> None:
    statistics = StreamStatistics()
    for reason in ("step", "size", "step"):
        statistics.drop(reason)
    assert statistics.dropped == {"step": 2, "size": 1}
