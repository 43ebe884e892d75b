"""What each mechanism of the network is worth: trainings without one of them.

Every arm is trained with several gains, because a network that lost a mechanism may only need
another drive; the gain is chosen by the faces that training holds out, and the figure is that on
faces which had no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Value, Values
from fer_snn.core.network import Network
from fer_snn.core.parameters import TABLE, network_parameters, supervised_parameters
from fer_snn.core.untrained import Architecture
from fer_train import metrics
from fer_train.presentation import present_all
from fer_train.training import (
    Bytes,
    Curriculum,
    Report,
    TrainingParameters,
    restored,
    train,
)

HIDDEN, EXPRESSION = "hidden_gain", "gain"


def _as_they_are(features: Bytes, orientations: int) -> Bytes:
    return features


def _without_orientations(features: Bytes, orientations: int) -> Bytes:
    """Return the mean over the orientations of each scale (..., scales, rows, cols)."""
    *faces_, channels, rows, cols = features.shape
    scales = features.reshape(*faces_, channels // orientations, orientations, rows, cols)
    return np.rint(scales.mean(axis=-3)).astype(np.uint8)


@dataclass(frozen=True)
class Arm:
    """A network without something.

    Attributes
    ----------
    name : for the table.
    changes : parameters that differ from the defaults.
    tuned : name of the gain that is tuned.
    factors : by what it is multiplied.
    architecture : of the network.
    features : what becomes of the features first; called with them and the orientations.
    """

    name: str
    changes: Mapping[str, Value] = field(default_factory=dict)
    tuned: str = HIDDEN
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    architecture: Architecture = field(default_factory=Architecture)
    features: Callable[[Bytes, int], Bytes] = _as_they_are


ARMS = (
    Arm("all mechanisms"),
    Arm("no plasticity of the hidden layer", {"eta_w": 0.0}),
    Arm("no plasticity at all", {"eta_w": 0.0, "eta_v": 0.0, "eta_theta": 0.0}),
    Arm("no hidden layer", tuned=EXPRESSION, architecture=Architecture(window=0)),
    Arm("no L1 homeostasis", {"hidden_s_target": 0.0}),
    # Without inhibition the mean drive stays, which is some twenty times what was left of it.
    Arm(
        "no inhibition",
        {"hidden_beta": 0.0, "beta": 0.0},
        factors=(0.02, 0.05, 0.1, 0.2),
    ),
    Arm("no adaptive threshold", {"eta_theta": 0.0}),
    Arm("no orientation channels", features=_without_orientations),
)


@dataclass(frozen=True)
class Outcome:
    """What became of an arm: the best gain, and the balanced accuracies it led to."""

    arm: str
    gain: float
    held_out: float
    test: float


@dataclass(frozen=True)
class Exam:
    """Faces that have no part in training: features (faces, channels, rows, cols) and labels."""

    features: Bytes
    truth: NDArray[np.int64]


def examine(
    arm: Arm, curriculum: Curriculum, exam: Exam, parameters: TrainingParameters, report: Report
) -> Outcome:
    """Train an arm with every gain; return what the best by the faces held out comes to."""
    sources = tuple(
        replace(source, features=arm.features(source.features, curriculum.orientations))
        for source in curriculum.sources
    )
    kept = len(sources[0].features[0, 0]) == len(curriculum.sources[0].features[0, 0])
    orientations = curriculum.orientations if kept else 1
    learnt = replace(curriculum, sources=sources, orientations=orientations)
    seen = arm.features(exam.features, curriculum.orientations)
    parameters = replace(parameters, architecture=arm.architecture)
    outcomes = []
    for factor in arm.factors:
        gain = factor * cast(float, TABLE.defaults()[arm.tuned])
        values = TABLE.merged(TABLE.defaults(), {**arm.changes, arm.tuned: gain})
        model = train(learnt, values, parameters, partial(_named, report, f"{arm.name} x{factor}"))
        held_out = cast(float, model.provenance["held_out_balanced_accuracy"])
        test = _accuracy(Network(model, network_parameters(values)), values, seen, exam.truth)
        outcomes.append(Outcome(arm.name, gain, held_out, test))
    return max(outcomes, key=lambda outcome: outcome.held_out)


def _named(report: Report, name: str, stage: str, done: int, total: int) -> None:
    if stage == "learning":
        report(name, done, total)


def _accuracy(network: Network, values: Values, features: Bytes, truth: NDArray[np.int64]) -> float:
    n_steps = network.parameters.steps(supervised_parameters(values).presentation)
    rates = present_all(network, restored(features), n_steps).rates_hz(network.model, 1.0)
    # Silence is no answer.
    said = np.where(rates.any(axis=1), rates.argmax(axis=1), -1)
    return metrics.balanced_accuracy(metrics.confusion(truth, said, len(network.model.labels)))
