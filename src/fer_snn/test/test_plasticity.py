"""STDP, homeostasis, inhibition, adaptive threshold and encoding against their equations."""

import math
from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.neurons import encoding, inhibition, threshold
from fer_snn.core.synapses import homeostasis, stdp
from fer_snn.core.synapses.stdp import PairSTDP
from fer_snn.core.synapses.wiring import Wiring

DT = 1e-3
#: Of single precision, over all events of these tests.
ROUNDING = 1e-6
FREE = stdp.STDPParameters(a_pre=0.005, a_post=-0.002, w_min=-10.0, w_max=10.0)


def learnt(
    weights: np.ndarray, pre: np.ndarray, post: np.ndarray, parameters: stdp.STDPParameters
) -> np.ndarray:
    """Return weights (n_pre, n_post) after spikes (steps, n_pre) and (steps, n_post)."""
    weights = weights.astype(np.float32)
    wiring = Wiring.fully_connected((len(weights), 1, 1), weights.shape[1])
    x, y = (np.zeros(n, np.float32) for n in weights.shape)
    window = stdp.discretise(parameters, DT)
    learning = PairSTDP(wiring, weights, x, y, len(pre), window)
    for arrived, fired in zip(pre, post, strict=True):
        learning.potentiate(arrived)
        learning.depress(arrived)
        learning.end_step(arrived, fired)
    learning.settle()
    return weights


def textbook(
    weights: np.ndarray, pre: np.ndarray, post: np.ndarray, parameters: stdp.STDPParameters
) -> np.ndarray:
    """Do as `learnt` by the rule as it is written, in double precision, spike by spike."""
    w = weights.astype(np.float64)
    x, y = np.zeros(len(w)), np.zeros(w.shape[1])
    for arrived, fired in zip(pre, post, strict=True):
        x *= math.exp(-DT / parameters.tau_pre)
        y *= math.exp(-DT / parameters.tau_post)
        w[arrived] = np.clip(w[arrived] + parameters.a_post * y, parameters.w_min, parameters.w_max)
        risen = w[:, fired] + parameters.a_pre * x[:, None]
        w[:, fired] = np.clip(risen, parameters.w_min, parameters.w_max)
        x += arrived
        y += fired
    return w


def train(steps: Collection[int], n_steps: int) -> np.ndarray:
    """Return the spikes of one neuron (steps, 1) that fires in `steps`."""
    return np.isin(np.arange(n_steps), list(steps))[:, None]


def run_pair(pre_step: int, post_step: int, parameters: stdp.STDPParameters, w: float) -> float:
    n_steps = max(pre_step, post_step) + 1
    pre, post = train([pre_step], n_steps), train([post_step], n_steps)
    return float(learnt(np.full((1, 1), w), pre, post, parameters)[0, 0])


@pytest.mark.parametrize(
    ("pre", "post"), [(0, 7), (3, 4), (9, 2), (5, 5), (40, 0), (0, 63), (0, 64), (3, 90)]
)
def test_one_pair_changes_the_weight_by_the_window(pre: int, post: int) -> None:
    expected = 1.0 + stdp.window((post - pre) * DT, FREE)
    assert run_pair(pre, post, FREE, 1.0) == pytest.approx(expected, abs=1e-6)


def test_window_is_two_sided_and_zero_at_zero() -> None:
    assert stdp.window(0.020, FREE) == pytest.approx(0.005 * math.exp(-1))
    assert stdp.window(-0.020, FREE) == pytest.approx(-0.002 * math.exp(-1))
    assert stdp.window(0.0, FREE) == 0.0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_all_pairs_count(data: st.DataObject) -> None:
    trains = st.lists(st.integers(0, 30), max_size=5, unique=True)
    pre_steps, post_steps = data.draw(trains), data.draw(trains)
    weights = learnt(np.zeros((1, 1)), train(pre_steps, 31), train(post_steps, 31), FREE)
    expected = sum(stdp.window((b - a) * DT, FREE) for a in pre_steps for b in post_steps)
    assert weights[0, 0] == pytest.approx(expected, abs=2e-6)


def test_weights_stay_within_bounds() -> None:
    bounded = stdp.STDPParameters(a_pre=0.005, a_post=-0.002, w_min=0.0, w_max=1.0)
    assert run_pair(0, 1, bounded, 0.999) == 1.0
    assert run_pair(1, 0, bounded, 0.001) == 0.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150), st.floats(0.002, 0.05))
def test_potentiation_that_waits_equals_the_rule(seed: int, n_steps: int, tau_pre: float) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.4, 0.6, (6, 4))
    pre, post = rng.random((n_steps, 6)) < 0.1, rng.random((n_steps, 4)) < 0.1
    bounded = stdp.STDPParameters(a_pre=0.005, a_post=-0.002, tau_pre=tau_pre, w_min=0.4, w_max=0.6)
    expected = textbook(weights, pre, post, bounded)
    np.testing.assert_allclose(learnt(weights, pre, post, bounded), expected, atol=ROUNDING)


def test_frames_may_be_cut_anywhere() -> None:
    rng = np.random.default_rng(3)
    pre, post = rng.random((90, 5)) < 0.2, rng.random((90, 3)) < 0.2
    weights, x, y = np.full((5, 3), 0.5, np.float32), *(np.zeros(n, np.float32) for n in (5, 3))
    wiring, window = Wiring.fully_connected((5, 1, 1), 3), stdp.discretise(FREE, DT)
    for begin, end in ((0, 1), (1, 34), (34, 90)):
        learning = PairSTDP(wiring, weights, x, y, end - begin, window)
        for step in range(begin, end):
            learning.potentiate(pre[step])
            learning.depress(pre[step])
            learning.end_step(pre[step], post[step])
        learning.settle()
    expected = textbook(np.full((5, 3), 0.5), pre, post, FREE)
    np.testing.assert_allclose(weights, expected, atol=ROUNDING)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 1000))
def test_l1_norms_are_brought_to_the_target(n_pre: int, n_post: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(n_pre, n_post)).astype(np.float32)
    scaled = homeostasis.scaled(weights, 10.0)
    assert homeostasis.l1_norms(scaled) == pytest.approx(np.full(n_post, 10.0), rel=1e-5)
    assert (np.sign(scaled) == np.sign(weights)).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.floats(-1, 0.09).map(np.float32),
    st.floats(0.1, 1).map(np.float32),
    st.floats(0.01, 50),
    st.integers(0, 1000),
)
def test_l1_norms_keep_the_bounds(
    n_pre: int, w_min: np.float32, w_max: np.float32, s_target: float, seed: int
) -> None:
    """The target is reached where the bounds allow it, and approached where they do not."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(w_min, w_max, (n_pre, 4)).astype(np.float32)
    weights = np.clip(weights, w_min, w_max)
    before = homeostasis.l1_norms(weights)
    for _ in range(60):
        weights = homeostasis.scaled(weights, s_target, w_min, w_max)
        assert w_min <= weights.min() and weights.max() <= w_max
    after = homeostasis.l1_norms(weights)
    assert (np.abs(after - s_target) <= np.abs(before - s_target) + 1e-4 * s_target).all()
    free = (weights > w_min) & (weights < w_max) & (weights != 0)
    reached = np.isclose(after, s_target, rtol=1e-3)
    assert (reached | ~free.any(axis=0) | (after > s_target)).all()


def test_neuron_without_weights_is_left_alone() -> None:
    weights = np.array([[0.0, 1.0], [0.0, 3.0]], np.float32)
    assert homeostasis.scaled(weights, 10.0).tolist() == [[0.0, 2.5], [0.0, 7.5]]


def lateral(current: list[float], theta: list[float]) -> list[float]:
    """Apply it with alpha .5 and a resistance of 1 ohm."""
    currents, thetas = np.array(current, np.float32), np.array(theta, np.float32)
    inhibited = inhibition.lateral(currents, thetas, np.float32(1), np.float32(0.5))
    return [float(each) for each in inhibited]


def test_lateral_inhibition_spares_the_most_active() -> None:
    assert lateral([1.0, 4.0, 2.0], [0.0, 0.0, 0.0]) == [-1.0, 4.0, 0.0]


def test_the_most_active_is_the_one_furthest_above_its_own_threshold() -> None:
    assert lateral([3.0, 4.0, 2.0], [1.0, 3.0, 0.5]) == [3.0, 2.5, 0.5]


def test_lateral_inhibition_of_equals_and_of_silence() -> None:
    assert lateral([2.0, 2.0], [0.0, 0.0]) == [2.0, 1.0]
    assert lateral([-3.0, -1.0], [0.0, 0.0]) == [-3.0, -1.0]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 100), st.integers(0, 1000))
def test_feed_forward_inhibition_takes_the_mean(n: int, seed: int) -> None:
    current = np.random.default_rng(seed).normal(size=n).astype(np.float32)
    inhibited = inhibition.feed_forward(current, np.float32(1.0))
    assert inhibited.sum() == pytest.approx(0, abs=1e-4)
    assert inhibition.lane_sum(current) == pytest.approx(current.sum(), abs=1e-4)


def test_threshold_rises_with_spikes_and_decays() -> None:
    constants = threshold.discretise(threshold.ThresholdParameters(1e-3, 0.1), DT)
    theta = np.zeros(2, np.float32)
    theta = threshold.step(theta, np.array([True, False]), constants)
    assert theta.tolist() == pytest.approx([1e-3, 0.0])
    for _ in range(100):
        theta = threshold.step(theta, np.array([False, False]), constants)
    assert theta[0] == pytest.approx(1e-3 * math.exp(-1), rel=1e-4)


def test_threshold_comes_back_to_its_rest() -> None:
    constants = threshold.discretise(threshold.ThresholdParameters(1e-3, 0.1), DT)
    rest = np.array([0.004, -0.002], np.float32)
    theta = rest + np.float32(0.001)
    for _ in range(100):
        theta = threshold.step(theta, np.array([False, False]), constants)
    theta += threshold.towards_rest(rest, 100, constants)
    assert theta - rest == pytest.approx(np.full(2, 1e-3 * math.exp(-1)), rel=1e-3)


def test_on_and_off_neurons_share_the_deviation_from_the_usual() -> None:
    usual = encoding.FeatureStatistics(
        np.array([1.0, 1.0, 1.0], np.float32), np.full(3, 4.0, np.float32), 10
    )
    currents = encoding.currents(np.array([1.0, 5.0, -1.0], np.float32), usual, rheobase=0.02)
    on, off = currents[:3] / 0.02, currents[3:] / 0.02
    assert on == pytest.approx([0.5, 2.5, 0.0], abs=1e-4)
    assert off == pytest.approx([0.5, 0.0, 1.5], abs=1e-4)
