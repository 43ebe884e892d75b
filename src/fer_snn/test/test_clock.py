"""Steps by stamps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.clock import Clock, Continuity, FrameSteps

MS = 1_000_000


def clock() -> Clock:
    return Clock(dt=0.001, max_catch_up=0.2)


def test_first_frame_is_run_for_a_whole_decision() -> None:
    timing = clock().tick(5_000 * MS)
    assert (timing.steps, timing.continuity, timing.gap) == (200, Continuity.FIRST, False)


def test_rounding_is_carried_over() -> None:
    a = clock()
    a.tick(0)
    steps = [a.tick(round(k * 1e9 / 30)).steps for k in range(1, 31)]
    assert set(steps) == {33, 34}
    assert sum(steps) == 1000


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 200 * MS), min_size=1, max_size=50))
def test_simulated_time_never_drifts(intervals: list[int]) -> None:
    a, stamp = clock(), 10**18
    a.tick(stamp)
    for interval in intervals:
        stamp += interval
        a.tick(stamp)
        assert abs(a.simulated_ns - stamp) <= MS // 2


def test_same_stamp_again_makes_no_step() -> None:
    a = clock()
    a.tick(0)
    assert a.tick(0).steps == 0


def test_long_gap_is_capped_and_marked() -> None:
    a = clock()
    a.tick(0)
    timing = a.tick(10_000 * MS)
    assert (timing.steps, timing.gap, timing.continuous) == (200, True, False)
    assert a.tick(10_033 * MS).steps == 33


def test_steps_that_there_is_no_time_for_are_left_out_and_do_not_pile_up() -> None:
    a = clock()
    assert a.tick(0, max_steps=50) == FrameSteps(50, Continuity.FIRST, left_out=150)
    timing = a.tick(100 * MS, max_steps=30)
    assert timing == FrameSteps(30, Continuity.NEXT, left_out=70)
    assert timing.gap and timing.continuous
    assert a.tick(133 * MS, max_steps=40) == FrameSteps(33, Continuity.NEXT)


def test_jump_back_is_marked_and_time_goes_on_from_there() -> None:
    a = clock()
    a.tick(10_000 * MS)
    timing = a.tick(500 * MS)
    assert (timing.continuity, timing.gap) == (Continuity.BACK, True)
    assert a.tick(533 * MS).steps == 33


def test_reset_forgets_the_last_frame() -> None:
    a = clock()
    a.tick(10_000 * MS)
    a.reset()
    assert a.tick(500 * MS).continuity is Continuity.FIRST


def test_dt_can_change_between_frames() -> None:
    a = clock()
    a.tick(0)
    a.configure(dt=0.0005, max_catch_up=0.2)
    assert a.tick(10 * MS).steps == 20


@pytest.mark.parametrize(("dt", "cap"), [(0.0, 0.2), (0.01, 0.005), (-1.0, 1.0)])
def test_impossible_steps_are_refused(dt: float, cap: float) -> None:
    with pytest.raises(ValueError):
        Clock(dt, cap)
