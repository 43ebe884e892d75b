"""Names: what labelled faces connect to, and where thresholds come to lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_snn.core.model import Stage
from fer_snn.core.network import Network, NetworkParameters
from fer_snn.core.synapses.wiring import Wiring
from fer_testing.networks import small_model, synthetic
from fer_train import naming
from fer_train.naming import CountStatistics
from fer_train.progress import no_progress
from fer_train.training_set import quantised, restored

S_TARGET = 30.0


def test_what_is_usual_becomes_nought_and_its_deviation_one() -> None:
    counts = np.random.default_rng(0).poisson(4, (500, 6)).astype(np.uint16)
    x = CountStatistics.of(counts).standardised(counts)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=0.01)


def test_a_neuron_that_never_differs_says_nothing() -> None:
    counts = np.full((10, 2), 3, np.uint16)
    np.testing.assert_array_equal(CountStatistics.of(counts).standardised(counts), 0)


def test_changes_do_not_tell_whose_face_it_is() -> None:
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 1, (5, 3)).astype(np.float32)
    moves -= moves.mean(axis=0)
    faces = np.concatenate([moves + 10, moves - 7])
    differences = naming.changes(faces, np.repeat([4, 9], 5))
    np.testing.assert_allclose(differences, np.concatenate([moves, moves]), atol=1e-5)


def test_the_projection_is_what_the_covariance_rule_says() -> None:
    """With one movement for each neuron, v is the mean x of a label in deviations of spikes."""
    rng = np.random.default_rng(0)
    unlabelled = rng.poisson(4, (400, 5)).astype(np.uint16)
    named, truth = rng.poisson(6, (12, 5)).astype(np.uint16), np.repeat([0, 1, 2], 4)
    usual = CountStatistics.of(unlabelled)
    v = naming.projection(np.eye(5, dtype=np.float32), usual, unlabelled, named, truth)
    x = usual.standardised(named)
    expected = np.stack([x[truth == k].mean(axis=0) for k in range(3)], axis=1)
    expected *= (1 + naming.MOVED) / np.linalg.norm(expected)
    np.testing.assert_allclose(v, expected / usual.deviation[:, None], rtol=0.05)


def test_what_moves_together_means_the_same() -> None:
    """A label shows the first of two neurons that move together; both get its name."""
    unlabelled = np.random.default_rng(0).poisson(9, (4000, 4)).astype(np.uint16)
    usual = CountStatistics.of(unlabelled)
    named = np.rint(usual.mean + np.array([[6, 0, 0, 0], [0, 0, 6, 0]])).astype(np.uint16)
    movements = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    v = naming.projection(movements, usual, unlabelled, named, np.array([0, 1]))
    assert v[0, 0] > v[1, 0] > 5 * np.abs(v[2:, 0]).max()
    assert v[2, 1] > v[3, 1] > 5 * np.abs(v[:2, 1]).max()


@given(arrays(np.int8, (7, 3), elements=st.integers(-100, 100)))
@example(np.full((7, 3), -100))
@example(np.zeros((7, 3)))
def test_weights_are_not_negative_and_differ_between_labels_as_v_does(percent: np.ndarray) -> None:
    v = percent.astype(np.float32) / 100
    untrained = Stage(
        Wiring.fully_connected((7, 1, 1), 6), np.ones((7, 6), np.float32), np.zeros(6, np.float32)
    )
    weights = naming.expression_stage(v, untrained, S_TARGET).weights
    assert (weights >= 0).all()
    np.testing.assert_array_equal(weights[:, ::2], weights[:, 1::2])
    np.testing.assert_allclose(weights.sum(axis=0), S_TARGET, rtol=1e-4)
    # Up to one factor, and to what is added to every weight of a neuron.
    between = (weights[:, 0] - weights[:, 2]) - (weights[0, 0] - weights[0, 2])
    asked = (v[:, 0] - v[:, 1]) - (v[0, 0] - v[0, 1])
    added = v - np.minimum(v.min(axis=1, keepdims=True), 0)
    factor = S_TARGET / max(added.sum(axis=0).max(), naming.MIN_NORM)
    np.testing.assert_allclose(between, factor * asked, atol=1e-4 * factor)


def test_neurons_fire_for_their_own_and_for_any_face_at_the_target_in_the_mean() -> None:
    faces, truth = synthetic(20, seed=1)
    shown = quantised(faces)
    network = Network(small_model(), NetworkParameters())
    rng = np.random.default_rng(0)
    naming.balance_thresholds(network, shown, shown, truth, 60, rng, no_progress)
    counts = np.stack([network.present(restored(face), 60).counts[-1] for face in shown])
    for label in range(3):
        mine = counts[:, network.model.neuron_label == label]
        mean = (mine[truth == label].mean() + mine.mean()) / 2
        assert mean == pytest.approx(naming.TARGET, abs=0.5)
