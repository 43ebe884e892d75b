"""Ablation: the accuracy of networks that lack one mechanism.

Each variant is trained with several gains, because a network without a mechanism may only need
another drive. The gain is chosen by the faces that training holds out; the result is measured on
test faces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Value, Values
from fer_snn import Architecture, Network
from fer_snn.core.parameters import TABLE, network_parameters, supervised_parameters
from fer_train import metrics
from fer_train.presentation import present_all
from fer_train.progress import Report
from fer_train.training import TrainingParameters, train
from fer_train.training_set import Bytes, TrainingSet, restored

HIDDEN, EXPRESSION = "hidden_gain", "gain"


def _unchanged(features: Bytes, orientations: int) -> Bytes:
    return features


def _without_orientations(features: Bytes, orientations: int) -> Bytes:
    """Return the mean over the orientations of each scale (..., scales, rows, cols)."""
    *faces, channels, rows, cols = features.shape
    scales = features.reshape(*faces, channels // orientations, orientations, rows, cols)
    return np.rint(scales.mean(axis=-3)).astype(np.uint8)


@dataclass(frozen=True)
class AblationVariant:
    """A network that lacks a mechanism.

    Attributes
    ----------
    changes : parameters that differ from the defaults.
    tuned : name of the gain that is tuned.
    factors : factors of this gain.
    architecture : architecture of the network.
    hard : whether the teacher names the label with the most votes, and no shares.
    features : function of the features and the number of orientations that changes the features.
    """

    name: str
    changes: Mapping[str, Value] = field(default_factory=dict)
    tuned: str = HIDDEN
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    architecture: Architecture = field(default_factory=Architecture)
    hard: bool = False
    features: Callable[[Bytes, int], Bytes] = _unchanged


def _without(layer: int) -> Architecture:
    """Return the default architecture without one hidden layer.

    The layer behind the first takes its window and stride, so that the map has the same size.
    """
    hidden = Architecture().hidden
    kept = [*hidden[:layer], *hidden[layer + 1 :]]
    if layer == 0:
        kept[0] = replace(kept[0], window=hidden[0].window, stride=hidden[0].stride)
    return Architecture(hidden=tuple(kept))


VARIANTS = (
    AblationVariant("all mechanisms"),
    AblationVariant("no plasticity of the hidden layers", {"eta_w": 0.0}),
    AblationVariant("no plasticity at all", {"eta_w": 0.0, "eta_v": 0.0, "eta_theta": 0.0}),
    *(
        AblationVariant(f"no hidden layer {k + 1}", architecture=_without(k))
        for k in range(len(Architecture().hidden))
    ),
    AblationVariant("no hidden layer", tuned=EXPRESSION, architecture=Architecture(hidden=())),
    AblationVariant("no L1 homeostasis", {"hidden_s_target": 0.0, "s_target": 0.0}),
    # Inhibition subtracts the mean drive. Without it, the gain must be much lower.
    AblationVariant(
        "no inhibition", {"hidden_beta": 0.0, "beta": 0.0}, factors=(0.02, 0.05, 0.1, 0.2)
    ),
    AblationVariant("no adaptive threshold", {"eta_theta": 0.0}),
    AblationVariant("majority instead of votes", hard=True),
    AblationVariant("no orientation channels", features=_without_orientations),
)


@dataclass(frozen=True)
class VariantResult:
    """The best gain of a variant, and the balanced accuracies with it."""

    variant: str
    gain: float
    held_out: float
    test: float


@dataclass(frozen=True)
class UnseenFaces:
    """Faces that are not used in training: features (faces, channels, rows, cols) and labels."""

    features: Bytes
    truth: NDArray[np.int64]


def evaluate_variant(
    variant: AblationVariant,
    training_set: TrainingSet,
    test: UnseenFaces,
    parameters: TrainingParameters,
    report: Report,
) -> VariantResult:
    """Train a variant with each gain; return the result of the best one on held-out faces."""
    sources = tuple(
        replace(
            source.majority() if variant.hard else source,
            features=variant.features(source.features, training_set.orientations),
        )
        for source in training_set.sources
    )
    kept = len(sources[0].features[0, 0]) == len(training_set.sources[0].features[0, 0])
    orientations = training_set.orientations if kept else 1
    changed = replace(training_set, sources=sources, orientations=orientations)
    seen = variant.features(test.features, training_set.orientations)
    parameters = replace(parameters, architecture=variant.architecture)
    results = []
    for factor in variant.factors:
        gain = factor * cast(float, TABLE.defaults()[variant.tuned])
        values = TABLE.merged(TABLE.defaults(), {**variant.changes, variant.tuned: gain})
        model = train(
            changed, values, parameters, partial(_named, report, f"{variant.name} x{factor}")
        )
        held_out = cast(float, model.provenance["held_out_balanced_accuracy"])
        network = Network(model, network_parameters(values))
        accuracy = _accuracy(network, values, seen, test.truth)
        results.append(VariantResult(variant.name, gain, held_out, accuracy))
    return max(results, key=lambda result: result.held_out)


def _named(report: Report, name: str, stage: str, done: int, total: int) -> None:
    if stage == "learning":
        report(name, done, total)


def _accuracy(network: Network, values: Values, features: Bytes, truth: NDArray[np.int64]) -> float:
    n_steps = network.parameters.steps(supervised_parameters(values).presentation)
    rates = present_all(network, restored(features), n_steps).rates_hz(network.model, 1.0)
    # Without spikes there is no answer.
    said = np.where(rates.any(axis=1), rates.argmax(axis=1), -1)
    return metrics.balanced_accuracy(metrics.confusion(truth, said, len(network.model.labels)))
