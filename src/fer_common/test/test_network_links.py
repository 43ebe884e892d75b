"""What crosses a network: paced by its arrival, and not answered when it is old."""

from __future__ import annotations

from collections import deque

import pytest

from fer_common.core.network_links import (
    ACK_TIMEOUT_S,
    MAX_IN_FLIGHT,
    AgeError,
    CongestionWindow,
    check_age,
    is_flow_controlled,
    max_age_s,
)

PERIOD_S = 1 / 30


def ages_s(transmission_s: float, round_trip_s: float, duration_s: float) -> list[float]:
    """Stream over a link that sends one message after the other; return the age of each arrival."""
    arrive_s: deque[float] = deque()
    now_s = 0.0
    window = CongestionWindow(lambda: not arrive_s or arrive_s[-1] + round_trip_s <= now_s)
    ages = []
    for k in range(round(duration_s / PERIOD_S)):
        now_s = k * PERIOD_S
        if window.may_send(now_s):
            begin_s = max(now_s, arrive_s[-1] if arrive_s else 0.0)
            arrive_s.append(begin_s + transmission_s)
            ages.append(arrive_s[-1] - now_s)
    return ages


def test_a_fast_link_is_hardly_held_back() -> None:
    ages = ages_s(transmission_s=0.001, round_trip_s=0.005, duration_s=10.0)
    assert len(ages) == 300


def test_a_round_trip_longer_than_a_frame_costs_a_frame_in_a_burst() -> None:
    ages = ages_s(transmission_s=0.001, round_trip_s=0.050, duration_s=10.0)
    share = MAX_IN_FLIGHT / (MAX_IN_FLIGHT + 1)
    assert share - 0.02 <= len(ages) / 300 <= 1.0


@pytest.mark.parametrize("transmission_s", [0.06, 0.13, 0.25])
def test_a_slow_link_carries_fewer_and_none_is_old(transmission_s: float) -> None:
    ages = ages_s(transmission_s, round_trip_s=0.02, duration_s=20.0)
    assert max(ages[5:]) < 0.5
    possible = 20.0 / (transmission_s + 0.02 + PERIOD_S)
    assert len(ages) >= 0.9 * possible


def test_a_listener_that_does_not_answer_is_tried_again_and_again() -> None:
    window = CongestionWindow(lambda: False)
    sent = [k * PERIOD_S for k in range(300) if window.may_send(k * PERIOD_S)]
    assert len(sent) == pytest.approx(10.0 / ACK_TIMEOUT_S, rel=0.1)
    assert window.take_held_back() == 300 - len(sent)
    assert window.take_held_back() == 0


def test_after_the_return_of_a_listener_the_stream_goes_on_at_once() -> None:
    gone = True
    window = CongestionWindow(lambda: not gone)
    for k in range(300):
        window.may_send(k * PERIOD_S)
    gone = False
    sent = [k for k in range(300, 390) if window.may_send(k * PERIOD_S)]
    assert len(sent) == 90


def test_what_is_old_is_refused() -> None:
    check_age(0.4, 0.4)
    check_age(1000.0, 0.0)
    # Of a clock that is ahead.
    check_age(-1.0, 0.4)
    with pytest.raises(AgeError, match=r"was 0\.41 s old"):
        check_age(0.41, 0.4)


@pytest.mark.parametrize("every_frame", [False, True])
def test_where_every_frame_counts_none_is_held_back_or_too_old(every_frame: bool) -> None:
    values = {"pace_by_link": True, "max_age": 0.5, "every_frame": every_frame}
    assert is_flow_controlled(values) is not every_frame
    assert max_age_s(values) == (0.0 if every_frame else 0.5)
