"""Supervised training on faces that are easy to tell apart, and its calibration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fer_common.core.errors import ConfigurationError
from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.parameters import TABLE, network_parameters
from fer_snn.core.weights import weights_file
from fer_testing.networks import ARCHITECTURE, synthetic
from fer_train import checkpoint, metrics, training
from fer_train import training_set as sets
from fer_train.presentation import present_all
from fer_train.training_set import TrainingSet

QUICK = training.TrainingParameters(seed=7, presentations=1600, batch=16, architecture=ARCHITECTURE)
VALUES = TABLE.merged(
    TABLE.defaults(), {"eta_w": 0.015, "eta_v": 1.0, "eta_theta": 4e-4, "w_max": 5.0}
)


def quietly(stage: str, done: int, total: int) -> None:
    """Report nothing."""


def test_network_learns_what_it_is_shown(training_set: TrainingSet) -> None:
    model = training.train(training_set, VALUES, QUICK, quietly)
    features, truth = synthetic(30, seed=99)
    responses = present_all(Network(model, network_parameters(VALUES)), features, 60)
    said, _ = responses.said(model, model.calibration, training.readout_parameters(VALUES))
    assert (said == truth).mean() > 0.9
    assert model.provenance["held_out_balanced_accuracy"] > 0.8


def test_training_is_reproducible_to_the_bit(training_set: TrainingSet) -> None:
    short = dataclasses.replace(QUICK, presentations=120)
    first = training.train(training_set, VALUES, short, quietly)
    again = training.train(training_set, VALUES, short, quietly)
    other = training.train(training_set, VALUES, dataclasses.replace(short, seed=8), quietly)
    assert weights_file.to_bytes(first) == weights_file.to_bytes(again)
    assert weights_file.to_bytes(first) != weights_file.to_bytes(other)


def test_an_interrupted_training_continues_to_the_same_bits(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "PERIOD_S", 0.0)
    short, state = dataclasses.replace(QUICK, presentations=160), tmp_path / "state"

    def interrupted(stage: str, done: int, total: int) -> None:
        if stage == "learning" and done == 96:
            raise KeyboardInterrupt

    whole = training.train(training_set, VALUES, short, quietly)
    with pytest.raises(KeyboardInterrupt):
        training.train(training_set, VALUES, short, interrupted, state)
    other = dataclasses.replace(short, balance=0.5)
    with pytest.raises(ConfigurationError, match="other pictures or settings"):
        training.train(training_set, VALUES, other, quietly, state)
    continued = training.train(training_set, VALUES, short, quietly, state)
    assert weights_file.to_bytes(continued) == weights_file.to_bytes(whole)
    assert not state.exists()


@pytest.mark.parametrize(
    ("balance", "odds"), [(0.0, (0.5, 16, 8)), (0.5, (0.5, 4, 2)), (1.0, (0.5, 1, 0.5))]
)
def test_small_groups_come_more_often_and_a_second_source_makes_no_label_likelier(
    balance: float, odds: tuple[float, ...]
) -> None:
    def faces(truth: list[int], group: list[int]) -> sets.Source:
        features = np.reshape(np.array(group, np.uint8), (-1, 1, 1, 1, 1))
        return sets.Source(features, np.array(truth), np.eye(2, dtype=np.float32)[truth])

    sources = (faces([0] + 16 * [1], [0] + 16 * [1]), faces(16 * [0], 16 * [2]))
    draw = sets.Sampler(TrainingSet(sources, ("a", "b"), "", 1), balance, np.random.default_rng(1))
    groups = [round(float(draw()[0].item()) * sets.LEVELS) for _ in range(2000)]
    share = np.bincount(groups, minlength=3) / len(groups)
    assert share == pytest.approx(np.array(odds) / sum(odds), abs=0.04)


def test_a_network_without_normalisation_learns_too(training_set: TrainingSet) -> None:
    values = TABLE.merged(VALUES, {"hidden_s_target": 0.0, "s_target": 0.0})
    model = training.train(
        training_set, values, dataclasses.replace(QUICK, presentations=160), quietly
    )
    assert all(np.isfinite(stage.weights).all() and stage.weights.any() for stage in model.stages)


def test_trained_weights_have_eight_bits(training_set: TrainingSet) -> None:
    short = dataclasses.replace(QUICK, presentations=160)
    for stage in training.train(training_set, VALUES, short, quietly).stages:
        step = 2.0 ** np.ceil(np.log2(stage.weights.max() / 255))
        assert (stage.weights / step == np.rint(stage.weights / step)).all()


def test_what_people_said_is_learnt_as_they_said_it(training_set: TrainingSet) -> None:
    (source,) = training_set.sources
    shares = source.shares.copy()
    # Half of the people take a neutral face for a smile.
    shares[source.truth == 0] = [0.6, 0.4, 0.0]
    voted = dataclasses.replace(source, shares=shares)
    model = training.train(
        dataclasses.replace(training_set, sources=(voted,)), VALUES, QUICK, quietly
    )
    hard = training.train(training_set, VALUES, QUICK, quietly)
    features, truth = synthetic(30, seed=99)

    def smile_of_neutral(model: Model) -> float:
        responses = present_all(Network(model, network_parameters(VALUES)), features, 60)
        rates = responses.rates_hz(model, 0.06)[truth == 0]
        return float((rates[:, 1] / rates.sum(axis=1)).mean())

    assert smile_of_neutral(model) > smile_of_neutral(hard) + 0.1


def test_faces_without_a_label_are_learnt_and_never_held_out(training_set: TrainingSet) -> None:
    (source,) = training_set.sources
    truth, shares = source.truth.copy(), source.shares.copy()
    truth[::3] = sets.UNCLEAR
    shares[::3] = 1 / 3
    unclear = dataclasses.replace(source, truth=truth, shares=shares)
    held_out, learnt = sets.split(unclear, 3, np.random.default_rng(0))
    assert (held_out.truth >= 0).all()
    assert (learnt.truth == sets.UNCLEAR).sum() == (truth == sets.UNCLEAR).sum()
    voted = dataclasses.replace(training_set, sources=(unclear,))
    assert training.train(voted, VALUES, QUICK, quietly).labels == training_set.labels


def test_features_survive_their_storage() -> None:
    features = np.random.default_rng(0).random((5, 4, 6, 6), np.float32)
    stored = sets.restored(sets.quantised(features))
    assert np.abs(stored - features).max() <= 0.5 / 255 + 1e-6


def test_unsupervised_learning_does_not_unlearn(training_set: TrainingSet) -> None:
    model = training.train(training_set, VALUES, QUICK, quietly)
    network = Network(model, network_parameters(VALUES))
    features, truth = synthetic(30, seed=99)
    for face in features[np.random.default_rng(0).permutation(len(features)).repeat(5)]:
        network.advance(network.new_face(), face, 60, plastic=True)
    responses = present_all(network, features, 60)
    said, _ = responses.said(model, model.calibration, training.readout_parameters(VALUES))
    assert (said == truth).mean() > 0.9
    assert (network.model.stages[-1].weights != model.stages[-1].weights).any()


def test_fitted_confidence_is_the_accuracy() -> None:
    rng = np.random.default_rng(0)
    evidence = rng.normal(0, 1.5, (4000, 3))
    truth = np.array([rng.choice(3, p=np.exp(e) / np.exp(e).sum()) for e in evidence])
    rates = (evidence - evidence.min()) / 0.060 / 0.4
    fitted = training.fit_calibration(rates, truth, 0.060)
    assert fitted.kappa == pytest.approx(0.4, rel=0.15)
    scores = fitted.scores(rates)
    bins = metrics.reliability(scores.max(axis=1), scores.argmax(axis=1) == truth)
    ece = metrics.expected_calibration_error(bins)
    assert ece < 0.03
