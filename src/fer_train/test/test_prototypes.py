"""Prototypes: what decorrelates a window, what the neurons become, what plasticity adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_snn.core.network import WeightBounds
from fer_snn.core.neurons.encoding import FeatureStatistics, mirrored
from fer_snn.core.neurons.lif import Float32s
from fer_testing.networks import ORIENTATIONS, SHAPE, synthetic
from fer_testing.training import PROTOTYPES
from fer_train.competition import CONTRAST
from fer_train.progress import no_progress
from fer_train.prototypes import PrototypeLayer, PrototypeParameters

S_TARGET = 10.0
BOUNDS = WeightBounds(0.0, 1.0, S_TARGET)


def statistics_of(faces: Float32s) -> FeatureStatistics:
    flat = faces.reshape(len(faces), -1)
    return FeatureStatistics(flat.mean(axis=0), flat.var(axis=0), len(faces))


def layer(parameters: PrototypeParameters = PROTOTYPES, seed: int = 0) -> PrototypeLayer:
    faces, _ = synthetic(60, seed=1)
    rng = np.random.default_rng(seed)
    return PrototypeLayer(faces, statistics_of(faces), ORIENTATIONS, parameters, rng)


def test_windows_are_decorrelated_and_of_like_variance() -> None:
    inputs = layer().competition.inputs
    assert inputs.shape == (180, 6, 2)
    for k in range(2):
        covariance = np.cov(inputs[:, :, k].T, ddof=0)
        np.testing.assert_allclose(covariance, CONTRAST**2 * np.eye(6), atol=1e-3)


def test_the_hidden_layer_is_alike_on_both_sides_and_has_its_norm() -> None:
    prototypes = layer()
    prototypes.competition.learn(20, no_progress)
    stage = prototypes.hidden_stage(0.02, BOUNDS)
    assert [tuple(window) for window in stage.wiring.windows] == [(0, 3, 0, 6), (3, 6, 0, 6)]
    assert (stage.weights >= 0).all()
    assert (stage.theta == np.float32(0.02)).all()
    for _, block in stage.wiring.blocks(stage.weights):
        np.testing.assert_allclose(block.sum(axis=0), S_TARGET, rtol=1e-5)
        sides = block.T.reshape(8, 2, SHAPE[0], 3, SHAPE[2])
        np.testing.assert_allclose(mirrored(sides, ORIENTATIONS), sides, rtol=1e-5, atol=1e-8)


def test_a_hidden_neuron_is_tuned_to_what_its_prototype_hears() -> None:
    """ON less OFF weights times z is what ON less OFF weights of the prototype times u are."""
    faces, _ = synthetic(60, seed=1)
    prototypes = layer()
    prototypes.competition.learn(20, no_progress)
    learnt = prototypes.competition.network.model.stages[0]
    hidden = prototypes.hidden_stage(0.02, BOUNDS)
    usual = statistics_of(faces)
    z = ((faces.reshape(180, -1) - usual.mean) / usual.deviation).reshape(faces.shape)
    blocks = [block for _, block in learnt.wiring.blocks(learnt.weights)]
    for k, (_, block) in enumerate(hidden.wiring.blocks(hidden.weights)):
        heard = prototypes.competition.inputs[:, :, k] @ (blocks[k][:6] - blocks[k][6:])
        seen = z[:, :, 3 * k : 3 * k + 3].reshape(180, -1)
        half = len(block) // 2
        driven = seen @ (block[:half] - block[half:])
        for neuron in range(PROTOTYPES.competition.column):
            assert np.corrcoef(heard[:, neuron], driven[:, neuron])[0, 1] == pytest.approx(1.0)


def test_a_window_larger_than_half_the_map_is_cut_to_it() -> None:
    stage = layer(replace(PROTOTYPES, window=5)).hidden_stage(0.02, BOUNDS)
    assert stage.wiring.windows[0].bottom == SHAPE[2] // 2


@pytest.mark.filterwarnings("error")
def test_faces_that_are_all_alike_leave_finite_weights() -> None:
    faces, _ = synthetic(1, seed=1)
    alike = np.repeat(faces[:1], 20, axis=0)
    rng = np.random.default_rng(0)
    prototypes = PrototypeLayer(alike, statistics_of(alike), ORIENTATIONS, PROTOTYPES, rng)
    prototypes.competition.learn(5, no_progress)
    assert np.isfinite(prototypes.hidden_stage(0.02, BOUNDS).weights).all()


def test_large_weights_are_cut_to_their_bound_and_the_norm_is_held() -> None:
    prototypes = layer()
    prototypes.competition.learn(20, no_progress)
    loose = prototypes.hidden_stage(0.02, BOUNDS).weights
    bound = np.quantile(loose, 0.99)
    held = prototypes.hidden_stage(0.02, replace(BOUNDS, w_max=float(bound))).weights
    assert held.max() <= np.float32(bound) < loose.max()
    for block in np.split(held, 2):
        np.testing.assert_allclose(block.sum(axis=0), S_TARGET, rtol=1e-5)
