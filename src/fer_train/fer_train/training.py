"""Training: labelled faces in, a model out, bit for bit the same for the same seed.

The faces are shown one by one to neurons at rest, each in one of its variants and mirrored or not,
all by lot and every class as often; the supervised rule of `learning` is applied after each. The
learning rates fall to zero. The weights of the model are the mean over the last part of the
training. A share of the faces is held out; the confidence is calibrated on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Values
from fer_snn.core.model import Model, Stage
from fer_snn.core.network import Network, NetworkParameters
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.parameters import (
    MODEL_CONSTANTS,
    network_parameters,
    readout_parameters,
    supervised_parameters,
)
from fer_snn.core.readout import ReadoutCalibration, label_means
from fer_snn.core.synapses.learning import SupervisedParameters, teach
from fer_snn.core.untrained import Architecture, untrained_model
from fer_train import calibration, metrics
from fer_train.faces import mirrored
from fer_train.presentation import Progress, present_all, stream_all

LEVELS = 255
"""Features are kept in so many steps from 0 to 1: four times as many faces fit into memory."""
LIVE_PRESENTATIONS = 2
"""The live calibration looks at a face for so many presentations, after as many to settle."""
LEAST_THRESHOLD_RATE = 0.1
NORMALISE_EVERY, AVERAGE_EVERY = 100, 500
"""Presentations between two of each."""
BLOCKS = 10
"""Faces are held out in runs of neighbours by name, so that one person's mostly stay together."""

Bytes = NDArray[np.uint8]
Report = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and of how much."""


@dataclass(frozen=True)
class TrainingParameters:
    """How to train.

    Attributes
    ----------
    seed : of everything that is drawn.
    presentations : faces shown.
    averaged : share of the training, at its end, over which the weights are averaged.
    architecture : of the network.
    """

    seed: int = 0
    presentations: int = 80000
    averaged: float = 0.4
    architecture: Architecture = field(default_factory=Architecture)


@dataclass(frozen=True)
class Source:
    """Faces of one folder.

    Attributes
    ----------
    features : (faces, 1 + variants, channels, rows, cols) in 255ths; first the face as it is.
    truth : index of each face's label (faces).
    share : how often a face is drawn from this source; relative to the others.
    """

    features: Bytes
    truth: NDArray[np.int64]
    share: float

    def part(self, chosen: NDArray[np.int64]) -> Source:
        """Return some of the faces."""
        return replace(self, features=self.features[chosen], truth=self.truth[chosen])


@dataclass(frozen=True)
class Curriculum:
    """What is to be learnt: sources of faces, the names of their labels, and their features."""

    sources: tuple[Source, ...]
    labels: tuple[str, ...]
    feature_spec: str
    orientations: int

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns of the feature map."""
        channels, rows, cols = self.sources[0].features.shape[2:]
        return channels, rows, cols

    def untrained(
        self,
        constants: NetworkParameters,
        architecture: Architecture,
        rng: np.random.Generator,
        hidden: Stage | None = None,
    ) -> Model:
        """Return an untrained network for these features and labels; see `untrained_model`."""
        return untrained_model(
            self.labels,
            self.feature_spec,
            self.feature_shape,
            statistics_of(self.sources),
            constants,
            architecture,
            rng,
            hidden,
        )


def quantised(features: Float32s) -> Bytes:
    """Return features 0..1 in 255ths."""
    return np.rint(features * LEVELS).clip(0, LEVELS).astype(np.uint8)


def restored(features: Bytes) -> Float32s:
    """Return features from 255ths."""
    return features.astype(np.float32) / np.float32(LEVELS)


def train(
    curriculum: Curriculum, values: Values, parameters: TrainingParameters, report: Report
) -> Model:
    """Train a network.

    Parameters
    ----------
    values:
        Constants of network and rule, as the node's parameters.

    Returns
    -------
    The model; its `provenance` has the figures on the faces held out.
    """
    rng = np.random.default_rng(parameters.seed)
    n_labels = len(curriculum.labels)
    parts = [split(source, n_labels, rng) for source in curriculum.sources]
    learnt = replace(curriculum, sources=tuple(part for _, part in parts))
    constants = network_parameters(values)
    model = learnt.untrained(constants, parameters.architecture, rng)
    model = replace(model, parameters={name: float(values[name]) for name in MODEL_CONSTANTS})  # type: ignore[arg-type]
    network = Network(model, constants)
    bar = partial(report, "learning")
    network.load(_learn(network, learnt, supervised_parameters(values), parameters, rng, bar))
    return calibrated(network, [part for part, _ in parts], values, report)


def split(source: Source, n_labels: int, rng: np.random.Generator) -> tuple[Source, Source]:
    """Hold out a tenth of every class, at least one face of it; return it and the rest."""
    held_out = []
    for label in range(n_labels):
        runs = np.array_split(np.flatnonzero(source.truth == label), BLOCKS)
        runs = [run for run in runs if len(run)]
        if len(runs) > 1:
            held_out.append(runs[rng.integers(len(runs))])
    chosen = np.sort(np.concatenate(held_out)) if held_out else np.zeros(0, dtype=np.int64)
    return source.part(chosen), source.part(np.setdiff1d(np.arange(len(source.truth)), chosen))


def statistics_of(sources: tuple[Source, ...]) -> FeatureStatistics:
    """Return the statistics of all faces as they are."""
    faces = np.concatenate([s.features[:, 0].reshape(len(s.features), -1) for s in sources])
    mean = faces.mean(axis=0, dtype=np.float64) / LEVELS
    variance = faces.var(axis=0, dtype=np.float64) / LEVELS**2
    return FeatureStatistics(mean.astype(np.float32), variance.astype(np.float32), len(faces))


def _learn(
    network: Network,
    curriculum: Curriculum,
    rule: SupervisedParameters,
    parameters: TrainingParameters,
    rng: np.random.Generator,
    progress: Progress,
) -> Model:
    """Teach a network, at rates that fall to zero; return its mean over the last part of it."""
    n_steps, total = network.parameters.steps(rule.presentation), parameters.presentations
    draw = _Lottery(curriculum, rng)
    average = _Average()
    for done in range(1, total + 1):
        rate = 1 - (done - 1) / total
        face, label = draw()
        counts = network.present(face, n_steps).counts
        teach(network, counts, label, rule.scaled(rate, LEAST_THRESHOLD_RATE))
        if done % NORMALISE_EVERY == 0:
            network.normalise()
        last_part = done > total * (1 - parameters.averaged)
        if (last_part and done % AVERAGE_EVERY == 0) or done == total:
            average.add(network.model)
        progress(done, total)
    return average.of(network.model)


class _Lottery:
    """Draws faces: the source by its share, then the label, the face, its variant, its side."""

    def __init__(self, curriculum: Curriculum, rng: np.random.Generator) -> None:
        self._curriculum = curriculum
        self._rng = rng
        self._classes = [
            [np.flatnonzero(source.truth == label) for source in curriculum.sources]
            for label in range(len(curriculum.labels))
        ]

    def __call__(self) -> tuple[Float32s, int]:
        rng, sources = self._rng, self._curriculum.sources
        label = int(rng.integers(len(self._curriculum.labels)))
        faces_of = self._classes[label]
        # A source without this label has no part in its draw.
        share = np.array([s.share * (len(f) > 0) for s, f in zip(sources, faces_of, strict=True)])
        chosen = int(rng.choice(len(sources), p=share / share.sum()))
        variants = sources[chosen].features[rng.choice(faces_of[chosen])]
        face = variants[rng.integers(len(variants))]
        if rng.random() < 0.5:  # noqa: PLR2004 (a fair coin)
            face = mirrored(face, self._curriculum.orientations)
        return restored(face), label


class _Average:
    """Mean of weights and thresholds over several moments."""

    def __init__(self) -> None:
        self._sums: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._moments = 0

    def add(self, model: Model) -> None:
        """Take the present moment in."""
        now = [(s.weights.astype(np.float64), s.theta.astype(np.float64)) for s in model.stages]
        if self._sums:
            now = [(w + a, t + b) for (w, t), (a, b) in zip(now, self._sums, strict=True)]
        self._sums = now
        self._moments += 1

    def of(self, model: Model) -> Model:
        """Return the model with the means."""
        means = [(w / self._moments, t / self._moments) for w, t in self._sums]
        stages = tuple(
            Stage(stage.wiring, weights.astype(np.float32), theta.astype(np.float32))
            for stage, (weights, theta) in zip(model.stages, means, strict=True)
        )
        return replace(model, stages=stages)


def calibrated(network: Network, held_out: list[Source], values: Values, report: Report) -> Model:
    """Return the trained model with its calibrations, and the figures on the faces held out."""
    model, presentation = network.model, supervised_parameters(values).presentation
    n_steps = network.parameters.steps(presentation)
    faces = restored(np.concatenate([source.features[:, 0] for source in held_out]))
    truth = np.concatenate([source.truth for source in held_out])
    bar = partial(report, "calibrating")
    responses = present_all(network, faces, n_steps, bar)
    fitted = calibration.fit(responses.rates_hz(model, presentation), truth, presentation)
    said, _ = responses.said(model, fitted, readout_parameters(values))
    table = metrics.confusion(truth, said, len(model.labels))
    figures = {
        "held_out_faces": len(truth),
        "held_out_balanced_accuracy": round(metrics.balanced_accuracy(table), 4),
    }
    live = _fit_live(network, faces, truth, presentation, partial(report, "live"))
    return replace(model, calibration=fitted, live_calibration=live, provenance=figures)


def _fit_live(
    network: Network,
    faces: Float32s,
    truth: NDArray[np.int64],
    presentation: float,
    progress: Progress,
) -> ReadoutCalibration:
    """Fit what a spike is worth where faces follow each other without rest."""
    model, dt = network.model, network.parameters.dt
    settled_steps = network.parameters.steps(LIVE_PRESENTATIONS * presentation)
    # By lot, or faces of one label would follow each other.
    order = np.random.default_rng(0).permutation(len(truth))
    counts = stream_all(network, faces[order], 2 * settled_steps, progress)
    means = label_means(counts, model.neuron_label, len(model.labels))
    return calibration.fit(means / (settled_steps * dt), truth[order], presentation)
