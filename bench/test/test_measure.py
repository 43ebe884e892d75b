from __future__ import annotations

import os

import pytest

from fer_bench.measure import compared, cpu_us, interleaved, one_core
from fer_bench.results import Peer


def test_contestants_take_turns_and_the_first_turns_do_not_count() -> None:
    turns: list[str] = []

    def contestant(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    costs = interleaved({"a": lambda: contestant("a"), "b": lambda: contestant("b")}, 3)
    assert "".join(turns) == "abababab"
    assert costs == {"a": [3.0, 5.0, 7.0], "b": [4.0, 6.0, 8.0]}


def test_the_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    # A round in which the machine was ten times slower for both does not move it.
    rounds = {"fer": [1.0, 10.0, 2.0], "peer": [3.0, 30.0, 4.0]}
    assert compared(rounds, "fer") == (2.0, {"peer": Peer(value=4.0, ratio=3.0)})


def test_contestants_share_a_core_and_the_others_are_given_back() -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError), one_core():
        assert len(os.sched_getaffinity(0)) == 1
        raise RuntimeError
    assert os.sched_getaffinity(0) == before


def test_without_peers_the_median_is_left() -> None:
    assert compared({"fer": [3.0, 1.0, 2.0]}, "fer") == (2.0, {})


def test_rounds_of_unequal_number_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2 is"):
        compared({"fer": [1.0, 2.0], "peer": [1.0]}, "fer")


@pytest.mark.parametrize("call_s", [0.001, 0.02, 3.0])
def test_cost_of_a_call(call_s: float) -> None:
    now_s = 0.0
    calls = 0

    def work() -> None:
        nonlocal now_s, calls
        now_s += call_s
        calls += 1

    assert cpu_us(work, 0.05, clock=lambda: now_s) == pytest.approx(call_s * 1e6)
    assert calls * call_s >= 0.05
