"""Prototypes: what decorrelates a window, what the neurons become, what plasticity adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_snn import training, unsupervised
from fer_snn.encoding import FeatureStatistics
from fer_snn.faces import mirrored
from fer_snn.lif import Float32s
from fer_snn.parameters import TABLE
from fer_snn.presentation import silently
from fer_snn.prototypes import CONTRAST, PrototypeLayer, PrototypeParameters
from fer_snn.testing import ORIENTATIONS, SHAPE, synthetic

SMALL = PrototypeParameters(window=3, stride=3, column=8, components=6, regularisation=0.0)
S_TARGET = 10.0


def statistics_of(faces: Float32s) -> FeatureStatistics:
    flat = faces.reshape(len(faces), -1)
    return FeatureStatistics(flat.mean(axis=0), flat.var(axis=0), len(faces))


def layer(parameters: PrototypeParameters = SMALL, seed: int = 0) -> PrototypeLayer:
    faces, _ = synthetic(60, seed=1)
    rng = np.random.default_rng(seed)
    return PrototypeLayer(faces, statistics_of(faces), ORIENTATIONS, parameters, rng)


def test_windows_are_decorrelated_and_of_like_variance() -> None:
    inputs = layer().inputs
    assert inputs.shape == (180, 6, 2)
    for k in range(2):
        covariance = np.cov(inputs[:, :, k].T, ddof=0)
        np.testing.assert_allclose(covariance, CONTRAST**2 * np.eye(6), atol=1e-3)


def test_the_hidden_layer_is_alike_on_both_sides_and_has_its_norm() -> None:
    prototypes = layer()
    prototypes.learn(20, silently)
    stage = prototypes.hidden_stage(0.02, S_TARGET)
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
    prototypes.learn(20, silently)
    learnt = prototypes.network.model.stages[0]
    hidden = prototypes.hidden_stage(0.02, S_TARGET)
    usual = statistics_of(faces)
    z = ((faces.reshape(180, -1) - usual.mean) / usual.deviation).reshape(faces.shape)
    blocks = [block for _, block in learnt.wiring.blocks(learnt.weights)]
    for k, (_, block) in enumerate(hidden.wiring.blocks(hidden.weights)):
        heard = prototypes.inputs[:, :, k] @ (blocks[k][:6] - blocks[k][6:])
        seen = z[:, :, 3 * k : 3 * k + 3].reshape(180, -1)
        half = len(block) // 2
        driven = seen @ (block[:half] - block[half:])
        for neuron in range(SMALL.column):
            assert np.corrcoef(heard[:, neuron], driven[:, neuron])[0, 1] == pytest.approx(1.0)


def test_learning_holds_norms_and_bounds_and_is_the_same_for_the_same_seed() -> None:
    results = []
    for _ in range(2):
        prototypes = layer(seed=3)
        before = prototypes.network.model.stages[0].weights.copy()
        prototypes.learn(50, silently)
        stage = prototypes.network.model.stages[0]
        assert (stage.weights != before).any()
        assert np.isfinite(stage.weights).all()
        assert (stage.weights >= 0).all()
        for _, block in stage.wiring.blocks(stage.weights):
            np.testing.assert_allclose(block.sum(axis=0), S_TARGET, rtol=1e-4)
        results.append(stage.weights)
    np.testing.assert_array_equal(*results)


def test_a_window_larger_than_half_the_map_is_cut_to_it() -> None:
    stage = layer(replace(SMALL, window=5)).hidden_stage(0.02, S_TARGET)
    assert stage.wiring.windows[0].bottom == SHAPE[2] // 2


@pytest.mark.filterwarnings("error")
def test_faces_that_are_all_alike_leave_finite_weights() -> None:
    faces, _ = synthetic(1, seed=1)
    alike = np.repeat(faces[:1], 20, axis=0)
    rng = np.random.default_rng(0)
    prototypes = PrototypeLayer(alike, statistics_of(alike), ORIENTATIONS, SMALL, rng)
    prototypes.learn(5, silently)
    assert np.isfinite(prototypes.hidden_stage(0.02, S_TARGET).weights).all()


def test_prototypes_are_named_by_few_faces(
    curriculum: training.Curriculum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsupervised, "SETTLING", 300)
    monkeypatch.setattr(unsupervised, "NAMING", replace(unsupervised.NAMING, presentations=300))
    parameters = unsupervised.UnsupervisedParameters(1, 300, 5, SMALL)
    stages: list[str] = []
    models = [
        unsupervised.train(
            curriculum, None, TABLE.defaults(), parameters, lambda stage, *_: stages.append(stage)
        )
        for _ in range(2)
    ]
    figures = models[0].provenance
    assert figures["named_faces"] == 15
    assert figures["held_out_balanced_accuracy"] > 0.6
    assert 0 <= figures["without_plasticity"] <= 1
    told = list(dict.fromkeys(stages))
    assert told[:2] == ["random: thresholds", "random: names"]
    assert told[4:] == ["prototypes", "thresholds", "names", "calibrating", "live"]
    for one, other in zip(models[0].stages, models[1].stages, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.theta, other.theta)
