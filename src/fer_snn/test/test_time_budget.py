"""Frames that may take so long and no longer."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fer_snn.core.recogniser import FaceInput, FeatureFrame, FrameResult, RecogniserParameters
from fer_snn.core.teaching.learner import Learner
from fer_snn.core.time_budget import TimeBudget
from fer_testing.networks import small_model, synthetic

#: Below the default max_catch_up.
PERIOD_NS = 100_000_000
#: Sums of it are exact.
STEP_S = 2.0**-10
FEATURES, _ = synthetic(4, seed=2)


class SlowLearner(Learner):
    """A learner whose every step of every face takes a time on a clock of its own."""

    def __init__(self, step_s: float) -> None:
        super().__init__(small_model(), RecogniserParameters(max_faces=3))
        self.step_s, self.now_s = step_s, 0.0

    def process(self, frame: FeatureFrame, max_steps: int | None = None) -> FrameResult:
        result = super().process(frame, max_steps)
        self.now_s += self.step_s * result.timing.steps * len(result.faces)
        return result


def faces(number: int) -> list[FaceInput]:
    return [FaceInput(k + 1, 100, FEATURES[k % len(FEATURES)]) for k in range(number)]


def run(
    budget: TimeBudget, learner: SlowLearner, frames: int, number: int
) -> list[tuple[float, FrameResult]]:
    """Return how long each frame took, and what became of it."""
    done = []
    for k in range(frames):
        before_s = learner.now_s
        result = budget.process(FeatureFrame(10**12 + k * PERIOD_NS, faces(number)))
        done.append((learner.now_s - before_s, result))
    return done


@pytest.mark.parametrize("number", [1, 3, 20])
def test_a_network_that_is_too_slow_keeps_to_its_budget(number: int) -> None:
    learner = SlowLearner(step_s=STEP_S)
    budget = TimeBudget(learner, lambda: learner.now_s)
    budget.budget_s = 30 * STEP_S
    done = run(budget, learner, 20, number)
    late = done[5:]
    assert all(took_s <= budget.budget_s for took_s, _ in late)
    # At most three are looked at: that is what the budget is for.
    assert [result.timing.steps for _, result in late] == [30 // min(number, 3)] * len(late)
    assert all(result.timing.gap and result.timing.continuous for _, result in late)
    left_out = sum(result.timing.left_out for _, result in done)
    assert budget.left_out_s == pytest.approx(0.001 * left_out)


def test_who_is_fast_enough_leaves_nothing_out() -> None:
    learner = SlowLearner(step_s=1e-5)
    budget = TimeBudget(learner, lambda: learner.now_s)
    budget.budget_s = 0.1
    done = run(budget, learner, 10, 3)
    assert [result.timing.left_out for _, result in done] == [0] * 10
    assert budget.left_out_s == 0.0


def test_one_hiccup_of_the_machine_costs_nothing() -> None:
    learner = SlowLearner(step_s=1e-5)
    budget = TimeBudget(learner, lambda: learner.now_s)
    budget.budget_s = 0.1
    run(budget, learner, 5, 1)
    learner.step_s = 1.0
    budget.process(FeatureFrame(10**12 + 5 * PERIOD_NS, faces(1)))
    learner.step_s = 1e-5
    assert budget.process(FeatureFrame(10**12 + 6 * PERIOD_NS, faces(1))).timing.left_out == 0


def test_without_a_budget_the_clock_plays_no_part() -> None:
    def counts(clock: itertools.count[float]) -> list[np.ndarray]:
        learner = Learner(small_model())
        budget = TimeBudget(learner, lambda: next(clock))
        results = [budget.process(FeatureFrame(10**12 + k * PERIOD_NS, faces(2))) for k in range(5)]
        return [face.activity.counts[-1] for result in results for face in result.faces]

    slow, fast = counts(itertools.count(0.0, 1e6)), counts(itertools.count(0.0, 1e-9))
    assert math.isinf(TimeBudget(SlowLearner(0.0)).budget_s)
    np.testing.assert_array_equal(slow, fast)


def test_what_a_step_takes_is_known_before_the_first_frame() -> None:
    clock = itertools.count(0.0, 1.0)
    learner = SlowLearner(step_s=0.0)
    budget = TimeBudget(learner, lambda: next(clock))
    budget.budget_s = 0.1
    # Twenty steps took a second by that clock: two fit into the budget.
    assert budget.process(FeatureFrame(10**12, faces(1))).timing.steps == 2
