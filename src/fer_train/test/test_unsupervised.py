"""Training without labels, from faces and clips to a model."""

from __future__ import annotations

import numpy as np
import pytest

from fer_snn.core.parameters import TABLE
from fer_testing.networks import synthetic
from fer_testing.training import PROTOTYPES
from fer_train import naming, unsupervised
from fer_train.competition import CompetitionParameters
from fer_train.training_set import TrainingSet, quantised
from fer_train.unsupervised import ClipFeatures, UnsupervisedParameters

PARAMETERS = UnsupervisedParameters(
    seed=1,
    presentations=300,
    named=5,
    prototypes=PROTOTYPES,
    movements=CompetitionParameters(column=6, tau_theta=50.0),
    changes=300,
)


@pytest.fixture
def clips() -> ClipFeatures:
    features, _ = synthetic(8, seed=5)
    return ClipFeatures(quantised(features), np.arange(len(features)) % 4)


def test_what_was_learnt_without_labels_is_named_by_few_faces(
    training_set: TrainingSet, clips: ClipFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsupervised, "SETTLING", 300)
    monkeypatch.setattr(naming, "BALANCING", 600)
    stages: list[str] = []
    models = [
        unsupervised.train(
            training_set,
            clips,
            None,
            TABLE.defaults(),
            PARAMETERS,
            lambda stage, *_: stages.append(stage),
        )
        for _ in range(2)
    ]
    figures = models[0].provenance
    assert figures["named_faces"] == 15
    assert figures["held_out_balanced_accuracy"] > 0.6
    assert 0 <= figures["without_plasticity"] <= 1
    told = list(dict.fromkeys(stages))
    assert told[:3] == ["random: thresholds", "random: statistics", "random: clips"]
    after = told[told.index("prototypes") :]
    assert after[1:4] == ["thresholds", "statistics", "clips"]
    assert after[4:] == ["movements", "named", "names", "calibrating", "live"]
    for one, other in zip(models[0].stages, models[1].stages, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.theta, other.theta)
