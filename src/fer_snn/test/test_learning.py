"""Learning rules on faces that are easy to tell apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.model import Model
from fer_snn.core.network import Network, NetworkParameters, RecordedLayers
from fer_snn.core.parameters import TABLE, network_parameters
from fer_snn.core.readout import label_means, softmax
from fer_snn.core.synapses import homeostasis, learning
from fer_snn.core.synapses.learning import PresentationCounts, SupervisedParameters
from fer_snn.core.synapses.stdp import STDPParameters
from fer_snn.core.untrained import Architecture, HiddenLayer
from fer_snn.core.weights import weights_file
from fer_testing.networks import small_model, synthetic, trained_model

DEFAULTS = network_parameters(TABLE.defaults())

VALUES = TABLE.merged(
    TABLE.defaults(),
    {"eta_w": 3e-3, "eta_v": 1e-2, "eta_theta": 4e-4, "hidden_w_max": 1.0, "w_max": 5.0},
)


def norms(model: Model, stage: int) -> np.ndarray:
    wiring, weights = model.stages[stage].wiring, model.stages[stage].weights
    return np.abs(wiring.matrix(weights)).sum(axis=0)


def test_errors_are_teacher_minus_softmax_and_sum_to_zero() -> None:
    evidence = np.array([1.0, 3.0, 0.0])
    weight = np.exp(2 * evidence)
    for shares in ([1, 0, 0], [0.6, 0.3, 0.1]):
        targets = np.array(shares, np.float32)
        errors = learning.label_errors(evidence, targets, kappa=2.0)
        assert errors == pytest.approx(targets - weight / weight.sum(), abs=1e-6)
        assert errors.sum() == pytest.approx(0, abs=1e-6)


def test_evidence_is_the_drive_of_each_label_less_the_mean(model: Model) -> None:
    counts = np.arange(model.sizes[-2], dtype=np.int32)
    drive = counts @ model.stages[-1].weights
    expected = drive.reshape(3, 2).mean(axis=1) - drive.mean()
    assert learning.expression_evidence(model, counts) == pytest.approx(expected, rel=1e-4)


def test_read_out_of_a_hidden_layer_is_fixed_and_grows_with_the_labels() -> None:
    readout = learning.hidden_readout(0, 50, 3)
    assert np.abs(readout).max() <= 50**-0.5
    np.testing.assert_array_equal(learning.hidden_readout(0, 50, 4)[:, :3], readout)
    assert (learning.hidden_readout(1, 50, 3) != readout).all()


def test_an_index_is_a_teacher_who_is_sure(model: Model) -> None:
    features, _ = synthetic(1, seed=4)
    taught = []
    for target in (1, np.int64(1), np.eye(3, dtype=np.float32)[1]):
        network = Network(model, network_parameters(VALUES))
        for face in features:
            counts = network.present(face, 60).counts
            learning.teach(network, counts, target, SupervisedParameters())
        taught.append(weights_file.to_bytes(network.model))
    assert taught[0] == taught[1] == taught[2] != weights_file.to_bytes(model)


def test_layers_that_predict_what_the_teacher_says_learn_nothing(model: Model) -> None:
    network = Network(model, network_parameters(VALUES))
    before = network.model.copy()
    counts = [np.ones(n, np.int32) for n in model.sizes]
    rule = SupervisedParameters(tolerance=0.02)
    predicted = softmax(counts[1] @ learning.hidden_readout(0, model.sizes[1], 3))
    learning.teach(network, counts, predicted, rule)
    np.testing.assert_array_equal(before.stages[0].weights, network.model.stages[0].weights)
    now = network.model.copy()
    said = softmax(rule.kappa * learning.expression_evidence(now, counts[1]))
    learning.teach(network, counts, said, rule)
    np.testing.assert_array_equal(now.stages[1].weights, network.model.stages[1].weights)


def test_only_neurons_that_fired_and_their_inputs_learn(model: Model) -> None:
    network = Network(model, network_parameters(VALUES))
    counts = [np.zeros(n, np.int32) for n in model.sizes]
    counts[0][2], counts[1][2] = 3, 4
    rule = SupervisedParameters(eta_w=7e-3, eta_v=1e-3, kappa=0.0)
    learning.teach(network, counts, 1, rule)
    hidden, expression = network.model.stages
    change = hidden.wiring.matrix(hidden.weights) - hidden.wiring.matrix(model.stages[0].weights)
    assert np.argwhere(change).tolist() == [[2, 2]]
    readout = learning.hidden_readout(0, model.sizes[1], 3)
    errors = np.eye(3)[1] - softmax(4 * readout[2].astype(float))
    mean = model.stages[0].wiring.column_means(model.stages[0].weights)[2]
    assert change[2, 2] == pytest.approx(7e-3 * mean * 3 * readout[2] @ errors, rel=1e-2)
    grown = expression.weights - model.stages[1].weights
    assert np.unique(np.argwhere(grown)[:, 0]).tolist() == [2]
    # With kappa 0, all labels have p = 1/3: the true one wins, the others lose.
    assert grown[2] == pytest.approx(4e-3 * np.array([-1, -1, 2, 2, -1, -1]) / 3, rel=1e-3)


def test_every_hidden_layer_learns_from_its_own_error() -> None:
    layers = (HiddenLayer(3, 1, 8), HiddenLayer(2, 2, 8))
    model = small_model(Architecture(hidden=layers))
    network = Network(model, NetworkParameters())
    features, _ = synthetic(1, seed=3)
    learning.teach(network, network.present(features[0], 60).counts, 1, SupervisedParameters())
    for before, after in zip(model.stages[:-1], network.model.stages[:-1], strict=True):
        assert (after.theta != before.theta).any() and (after.weights != before.weights).any()


def test_thresholds_stay_above_rest(model: Model) -> None:
    network = Network(model, NetworkParameters())
    network.shift_thresholds(0, np.full(model.sizes[1], -1.0, np.float32))
    lif = network.parameters.lif
    theta = network.model.stages[0].theta
    assert (lif.v_th + theta > max(lif.v_rest, lif.v_reset)).all()


def test_lesson_waits_for_a_whole_presentation(model: Model) -> None:
    network = Network(model, NetworkParameters())
    lesson, rule = PresentationCounts(), SupervisedParameters(presentation=0.060)
    features, _ = synthetic(1, seed=3)
    state = network.new_face()
    learnt = []
    for _ in range(4):
        lesson.add(network.advance(state, features[0], 33))
        learnt.append(lesson.learn(network, 0, rule))
    assert learnt == [False, True, False, True]


@pytest.mark.parametrize("fixture", ["model", "shallow_model"])
def test_unsupervised_learning_keeps_bounds_and_norms(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(fixture)
    parameters = dataclasses.replace(NetworkParameters(), s_target=10.0)
    network = Network(model, parameters)
    before = network.model.copy()
    features, _ = synthetic(20, seed=5)
    for face in features:
        network.advance(network.new_face(), face, 60, plastic=True)
    last = network.model.stages[-1]
    assert np.isfinite(last.weights).all() and (last.weights >= 0).all()
    assert norms(network.model, -1) == pytest.approx(np.full(6, 10.0), rel=1e-4)
    if fixture == "model":
        np.testing.assert_array_equal(network.model.stages[0].weights, before.stages[0].weights)


def stared_at(known: Model, face: np.ndarray, tau_w: float) -> Network:
    """Return a network that four hours of one face have taught without labels.

    The rate of learning is a hundred times the default, and the time a hundredth.
    """
    window = STDPParameters(a_pre=1e-3, a_post=-1.05e-3)
    constants = dataclasses.replace(DEFAULTS, stdp=window, tau_w=tau_w)
    network = Network(known, constants)
    rng = np.random.default_rng(0)
    for _ in range(round(4 * 3600 / 100 / 0.06)):
        noise = rng.normal(0, 0.02, face.shape).astype(np.float32)
        network.advance(network.new_face(), np.clip(face + noise, 0, 1), 60, plastic=True)
        weights = network.model.stages[-1].weights
        assert window.w_min <= weights.min() <= weights.max() <= window.w_max
    network.parameters = DEFAULTS
    return network


def labels_said(network: Network, faces: np.ndarray) -> np.ndarray:
    """Return the index of the label that is said of each face."""
    model = network.model
    counts = np.array([network.present(face, 60).counts[-1] for face in faces])
    return np.asarray(label_means(counts, model.neuron_label, len(model.labels)).argmax(axis=1))


def test_what_is_known_outlives_hours_of_one_face() -> None:
    known = trained_model()
    faces, _ = synthetic(1, seed=5)
    others, _ = synthetic(100, seed=9)
    before = Network(known, DEFAULTS)
    forgotten = []
    for face in faces:
        after = stared_at(known, face, DEFAULTS.tau_w / 100)
        assert labels_said(after, face[None]) == labels_said(before, face[None])
        assert (labels_said(after, others) == labels_said(before, others)).mean() >= 0.99
        overwritten = stared_at(known, face, 0.0)
        forgotten.append((labels_said(overwritten, others) != labels_said(before, others)).mean())
    assert max(forgotten) > 0.2


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1e3), st.integers(0, 1000))
def test_weights_return_to_the_known_ones(elapsed: float, seed: int) -> None:
    known, weights = np.random.default_rng(seed).uniform(-1, 1, (2, 5, 3)).astype(np.float32)
    returned = homeostasis.consolidated(weights, known, elapsed)
    expected = known + (weights - known) * np.exp(-elapsed)
    np.testing.assert_allclose(returned, expected, atol=3e-7)
    assert (np.minimum(weights, known) <= returned).all()
    assert (returned <= np.maximum(weights, known)).all()


def test_answers_are_the_same_while_others_learn(model: Model) -> None:
    features, _ = synthetic(1, seed=5)
    off, on, alone = (Network(model, network_parameters(VALUES)) for _ in range(3))
    alone.parameters = dataclasses.replace(
        alone.parameters, competition=alone.parameters.expression.alpha
    )
    recording = RecordedLayers(("expression",))
    seen = [
        network.advance(network.new_face(), features[0], 60, recording, plastic)
        for network, plastic in ((off, False), (on, True), (alone, True))
    ]
    rasters = [activity.layers["expression"].raster for activity in seen]
    np.testing.assert_array_equal(rasters[0], rasters[1])
    before, competing, equals = (n.model.stages[-1].weights for n in (off, on, alone))
    assert (competing != before).any()
    assert (competing != equals).any()


def test_supervised_learning_holds_the_hidden_norms(model: Model) -> None:
    network = Network(model, network_parameters(VALUES))
    features, truth = synthetic(10, seed=6)
    lesson = PresentationCounts()
    for face, label in zip(features, truth, strict=True):
        lesson.add(network.advance(network.new_face(), face, 60))
        assert lesson.learn(network, int(label), SupervisedParameters(eta_w=3e-3))
    assert norms(network.model, 0) == pytest.approx(np.full(32, 10.0), rel=1e-4)
    assert network.version > 1


def test_plain_kernels_teach_the_same(model: Model) -> None:
    features, truth = synthetic(3, seed=4)
    results = []
    for compiled in (False, True):
        network = Network(model, NetworkParameters(), compiled)
        for face, label in zip(features, truth, strict=True):
            counts = network.present(face, 60).counts
            learning.teach(network, counts, int(label), SupervisedParameters())
            network.normalise()
        results.append(weights_file.to_bytes(network.model))
    assert results[0] == results[1]


def test_a_new_label_is_learnt_beside_the_old_ones(model: Model) -> None:
    grown = model.with_label("wink")
    assert grown.labels == (*model.labels, "wink")
    assert grown.sizes == (288, 32, 8)
    assert grown.neuron_label.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert weights_file.from_bytes(weights_file.to_bytes(grown)).labels == grown.labels
