"""STDP, homeostasis, inhibition, adaptive threshold and encoding against their equations."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn import encoding, homeostasis, inhibition, stdp, threshold

DT = 1e-3
FREE = stdp.STDPParameters(w_min=-10.0, w_max=10.0)


def run_pair(pre_step: int, post_step: int, parameters: stdp.STDPParameters, w: float) -> float:
    weights = np.full((1, 1), w, np.float32)
    traces = stdp.Traces(np.zeros(1, np.float32), np.zeros(1, np.float32))
    constants = stdp.discretise(parameters, DT)
    for step in range(max(pre_step, post_step) + 1):
        pre, post = np.array([step == pre_step]), np.array([step == post_step])
        weights, traces = stdp.step(weights, traces, pre, post, constants)
    return float(weights[0, 0])


@pytest.mark.parametrize(("pre", "post"), [(0, 7), (3, 4), (9, 2), (5, 5), (40, 0)])
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
    weights = np.zeros((1, 1), np.float32)
    traces = stdp.Traces(np.zeros(1, np.float32), np.zeros(1, np.float32))
    for step in range(31):
        weights, traces = stdp.step(
            weights,
            traces,
            np.array([step in pre_steps]),
            np.array([step in post_steps]),
            stdp.discretise(FREE, DT),
        )
    expected = sum(stdp.window((b - a) * DT, FREE) for a in pre_steps for b in post_steps)
    assert weights[0, 0] == pytest.approx(expected, abs=2e-6)


def test_weights_stay_within_bounds() -> None:
    bounded = stdp.STDPParameters(w_min=0.0, w_max=1.0)
    assert run_pair(0, 1, bounded, 0.999) == 1.0
    assert run_pair(1, 0, bounded, 0.001) == 0.0


def test_step_is_pure() -> None:
    weights = np.ones((2, 2), np.float32)
    traces = stdp.Traces(np.ones(2, np.float32), np.ones(2, np.float32))
    fired = np.array([True, False])
    stdp.step(weights, traces, fired, fired, stdp.discretise(FREE, DT))
    assert (weights == 1).all() and (traces.pre == 1).all() and (traces.post == 1).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 1000))
def test_l1_norms_are_brought_to_the_target(n_pre: int, n_post: int, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=(n_pre, n_post)).astype(np.float32)
    scaled = homeostasis.scaled(weights, 10.0)
    assert homeostasis.l1_norms(scaled) == pytest.approx(np.full(n_post, 10.0), rel=1e-5)
    assert (np.sign(scaled) == np.sign(weights)).all()


def test_neuron_without_weights_is_left_alone() -> None:
    weights = np.array([[0.0, 1.0], [0.0, 3.0]], np.float32)
    assert homeostasis.scaled(weights, 10.0).tolist() == [[0.0, 2.5], [0.0, 7.5]]


def test_lateral_inhibition_spares_the_most_active() -> None:
    current = np.array([1.0, 4.0, 2.0], np.float32)
    assert inhibition.lateral(current, np.float32(0.5)).tolist() == [-1.0, 4.0, 0.0]


def test_lateral_inhibition_of_equals_and_of_silence() -> None:
    equal = np.array([2.0, 2.0], np.float32)
    assert inhibition.lateral(equal, np.float32(0.5)).tolist() == [2.0, 1.0]
    negative = np.array([-3.0, -1.0], np.float32)
    assert inhibition.lateral(negative, np.float32(0.5)).tolist() == [-3.0, -1.0]


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


def test_frozen_threshold_stays() -> None:
    theta = np.array([0.004], np.float32)
    assert threshold.step(theta, np.array([True]), threshold.FROZEN) == theta


def test_on_and_off_neurons_share_the_deviation_from_the_usual() -> None:
    usual = encoding.FeatureStatistics(
        np.array([1.0, 1.0, 1.0], np.float32), np.full(3, 4.0, np.float32), 10
    )
    currents = encoding.currents(np.array([1.0, 5.0, -1.0], np.float32), usual, rheobase=0.02)
    on, off = currents[:3] / 0.02, currents[3:] / 0.02
    assert on == pytest.approx([0.5, 2.5, 0.0], abs=1e-4)
    assert off == pytest.approx([0.5, 0.0, 1.5], abs=1e-4)
