"""Stamps are regular, follow a clock that is set, and lateness makes gaps, not bursts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fer_camera.core.file_player import FrameTimer

SECOND = 1_000_000_000


class Clocks:
    """A steady clock, and a clock of the stamps that can be set."""

    def __init__(self) -> None:
        self.steady_ns = 5 * SECOND
        self.offset_ns = 1_700_000_000 * SECOND

    def steady(self) -> int:
        return self.steady_ns

    def wall(self) -> int:
        return self.steady_ns + self.offset_ns

    def timer(self, rate_hz: float) -> FrameTimer:
        return FrameTimer(rate_hz, self.wall, self.steady)

    def pass_s(self, seconds: float) -> None:
        self.steady_ns += round(seconds * SECOND)


def test_first_tick_is_due_at_once_and_bears_the_present() -> None:
    clocks = Clocks()
    timer = clocks.timer(30.0)
    assert timer.wait_s() == 0
    assert timer.take() == clocks.wall()
    assert abs(timer.wait_s() - 1 / 30) < 1e-9


def test_stamps_stay_on_the_grid_for_hours_though_every_tick_is_taken_late() -> None:
    clocks = Clocks()
    timer = clocks.timer(30.0)
    start = clocks.wall()
    for k in range(30 * 3600 * 2):
        clocks.pass_s(timer.wait_s() + 0.004)
        stamp = timer.take()
        if k % 30 == 0:
            assert stamp == start + k // 30 * SECOND
    assert timer.missed == 0


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 240.0), st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60))
def test_never_more_ticks_than_time_and_always_on_the_grid(
    rate_hz: float, delays_s: list[float]
) -> None:
    clocks = Clocks()
    timer = clocks.timer(rate_hz)
    start = last = clocks.wall()
    for k, delay_s in enumerate(delays_s):
        clocks.pass_s(timer.wait_s() + delay_s)
        stamp = timer.take()
        grid = (stamp - start) * rate_hz / SECOND
        assert abs(grid - round(grid)) < 1e-5
        assert stamp > last or k == 0
        # Within a period of now, and never of the future.
        assert -2 <= clocks.wall() - stamp <= SECOND / rate_hz + 2
        last = stamp
    assert round((last - start) * rate_hz / SECOND) == len(delays_s) - 1 + timer.missed


def test_a_long_stall_leaves_a_gap_of_whole_periods() -> None:
    clocks = Clocks()
    timer = clocks.timer(10.0)
    first = timer.take()
    clocks.pass_s(1.05)
    assert timer.take() == first + SECOND
    assert timer.missed == 9
    assert abs(timer.wait_s() - 0.05) < 1e-9


def test_less_than_a_period_late_is_made_good() -> None:
    clocks = Clocks()
    timer = clocks.timer(10.0)
    first = timer.take()
    clocks.pass_s(0.19)
    assert timer.take() == first + SECOND // 10
    assert timer.missed == 0
    assert abs(timer.wait_s() - 0.01) < 1e-9


def test_new_rate_counts_from_the_last_tick() -> None:
    clocks = Clocks()
    timer = clocks.timer(10.0)
    timer.take()
    clocks.pass_s(0.1)
    last = timer.take()
    timer.set_rate(4.0)
    assert abs(timer.wait_s() - 0.25) < 1e-9
    clocks.pass_s(0.25)
    assert timer.take() == last + SECOND // 4


def test_new_rate_before_the_first_tick_leaves_it_due() -> None:
    timer = Clocks().timer(10.0)
    timer.set_rate(5.0)
    assert timer.wait_s() == 0


def test_stamps_follow_a_clock_that_is_set_but_not_its_jitter() -> None:
    clocks = Clocks()
    timer = clocks.timer(10.0)
    first = timer.take()
    clocks.pass_s(0.1)
    clocks.offset_ns += SECOND // 50
    assert timer.take() == first + SECOND // 10
    clocks.pass_s(0.1)
    clocks.offset_ns -= 3600 * SECOND
    assert timer.take() == clocks.wall()
    clocks.pass_s(0.1)
    assert timer.take() == clocks.wall()
