"""Supervised training: labelled faces in, a model out, bit for bit equal for equal seeds.

Randomly chosen faces are presented to neurons at rest, with equal probability of each label, in a
random variant, and mirrored or not. After each, the supervised rule of `learning` is applied. The
learning rates decrease to zero. The weights of the model are the mean over the last part of the
training. A part of the faces is held out, and the confidence is calibrated on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Values
from fer_snn import (
    Architecture,
    FeatureStatistics,
    Model,
    Network,
    NetworkParameters,
    ReadoutCalibration,
    Stage,
    SupervisedParameters,
    teach,
    untrained_model,
)
from fer_snn.core.constants import constants_in
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.parameters import (
    network_parameters,
    readout_parameters,
    supervised_parameters,
)
from fer_snn.core.readout import Floats, label_means
from fer_train import metrics
from fer_train.faces import mirrored
from fer_train.presentation import present_all, stream_all
from fer_train.progress import Progress, Report

LEVELS = 255
"""Features from 0 to 1 are stored in this many steps, which takes a quarter of the memory."""
LIVE_PRESENTATIONS = 2
"""Number of presentations of a face in the live calibration, after as many to settle."""
MIN_THRESHOLD_RATE = 0.1
NORMALISE_EVERY, AVERAGE_EVERY = 100, 500
"""Number of presentations between two normalisations, and between two samples of the mean."""
BLOCKS = 10
"""Held-out faces are neighbours by name, so that most faces of a person are on the same side."""
KAPPAS = np.geomspace(0.01, 20.0, 400)
"""Grid on which kappa is searched."""

UNCLEAR = -1
"""Stands for the label of a face of which people said no label most often."""

Bytes = NDArray[np.uint8]
"""Quantised features."""


@dataclass(frozen=True)
class TrainingParameters:
    """Constants of the training.

    Attributes
    ----------
    seed : seed of all random choices.
    presentations : number of presentations.
    averaged : last part of the training, over which the weights are averaged, 0 to 1.
    architecture : architecture of the network.
    """

    seed: int = 0
    presentations: int = 80000
    averaged: float = 0.4
    architecture: Architecture = field(default_factory=Architecture)


@dataclass(frozen=True)
class Source:
    """Faces of one folder or table.

    Attributes
    ----------
    features : quantised features of each face and of its variants (faces, 1 + variants, channels,
        rows, cols).
    truth : index of the label of each face (faces); `UNCLEAR` for none. Such faces are learnt, and
        never held out.
    shares : what the teacher says: the share of every label in each face (faces, labels), sum 1.
    share : probability of this source, relative to the others.
    """

    features: Bytes
    truth: NDArray[np.int64]
    shares: Float32s
    share: float

    def shown(self, label: int) -> NDArray[np.bool_]:
        """Return which faces stand for a label (faces): by their own label, or else by shares."""
        most = self.shares[:, label] == self.shares.max(axis=1)
        return (self.truth == label) | ((self.truth == UNCLEAR) & most)

    def part(self, chosen: NDArray[np.int64]) -> Source:
        """Return some of the faces."""
        return replace(
            self,
            features=self.features[chosen],
            truth=self.truth[chosen],
            shares=self.shares[chosen],
        )


@dataclass(frozen=True)
class TrainingSet:
    """Sources of faces, their labels, and the specification of their features."""

    sources: tuple[Source, ...]
    labels: tuple[str, ...]
    feature_spec: str
    orientations: int

    @property
    def feature_shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of the feature map."""
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
    """Return features from 0 to 1 as bytes."""
    return np.rint(features * LEVELS).clip(0, LEVELS).astype(np.uint8)


def restored(features: Bytes) -> Float32s:
    """Return features from bytes."""
    return features.astype(np.float32) / np.float32(LEVELS)


def train(
    training_set: TrainingSet, values: Values, parameters: TrainingParameters, report: Report
) -> Model:
    """Train a network.

    Parameters
    ----------
    values:
        Parameters of the snn node.

    Returns
    -------
    The model. Its `provenance` has the results on the held-out faces.
    """
    rng = np.random.default_rng(parameters.seed)
    n_labels = len(training_set.labels)
    parts = [split(source, n_labels, rng) for source in training_set.sources]
    learnt = replace(training_set, sources=tuple(part for _, part in parts))
    constants = network_parameters(values)
    model = learnt.untrained(constants, parameters.architecture, rng)
    network = Network(replace(model, parameters=constants_in(values)), constants)
    bar = partial(report, "learning")
    network.load(_learn(network, learnt, supervised_parameters(values), parameters, rng, bar))
    return calibrated(network, [part for part, _ in parts], values, report)


def split(source: Source, n_labels: int, rng: np.random.Generator) -> tuple[Source, Source]:
    """Return the held-out part, a tenth of each label and at least one face, and the rest."""
    held_out = []
    for label in range(n_labels):
        runs = np.array_split(np.flatnonzero(source.truth == label), BLOCKS)
        runs = [run for run in runs if len(run)]
        if len(runs) > 1:
            held_out.append(runs[rng.integers(len(runs))])
    chosen = np.sort(np.concatenate(held_out)) if held_out else np.zeros(0, dtype=np.int64)
    return source.part(chosen), source.part(np.setdiff1d(np.arange(len(source.truth)), chosen))


def statistics_of(sources: tuple[Source, ...]) -> FeatureStatistics:
    """Return the statistics of all unchanged faces."""
    faces = np.concatenate([s.features[:, 0].reshape(len(s.features), -1) for s in sources])
    mean = faces.mean(axis=0, dtype=np.float64) / LEVELS
    variance = faces.var(axis=0, dtype=np.float64) / LEVELS**2
    return FeatureStatistics(mean.astype(np.float32), variance.astype(np.float32), len(faces))


def _learn(
    network: Network,
    training_set: TrainingSet,
    rule: SupervisedParameters,
    parameters: TrainingParameters,
    rng: np.random.Generator,
    progress: Progress,
) -> Model:
    """Teach a network with decreasing rates; return its mean over the last part."""
    n_steps, total = network.parameters.steps(rule.presentation), parameters.presentations
    sample = _Sampler(training_set, rng)
    average = _Average()
    for done in range(1, total + 1):
        rate = 1 - (done - 1) / total
        face, shares = sample()
        counts = network.present(face, n_steps).counts
        teach(network, counts, shares, rule.scaled(rate, MIN_THRESHOLD_RATE))
        if done % NORMALISE_EVERY == 0:
            network.normalise()
        last_part = done > total * (1 - parameters.averaged)
        if (last_part and done % AVERAGE_EVERY == 0) or done == total:
            average.add(network.model)
        progress(done, total)
    return average.of(network.model)


class _Sampler:
    """Chooses random faces: label, source, face, variant, and whether to mirror it."""

    def __init__(self, training_set: TrainingSet, rng: np.random.Generator) -> None:
        self._training_set = training_set
        self._rng = rng
        sources = training_set.sources
        self._classes = [
            [np.flatnonzero(source.shown(label)) for source in sources]
            for label in range(len(training_set.labels))
        ]

    def __call__(self) -> tuple[Float32s, Float32s]:
        rng, sources = self._rng, self._training_set.sources
        label = int(rng.integers(len(self._training_set.labels)))
        faces_of = self._classes[label]
        # A source without faces of this label is not chosen.
        share = np.array([s.share * (len(f) > 0) for s, f in zip(sources, faces_of, strict=True)])
        chosen = int(rng.choice(len(sources), p=share / share.sum()))
        number = rng.choice(faces_of[chosen])
        variants = sources[chosen].features[number]
        face = variants[rng.integers(len(variants))]
        if rng.random() < 0.5:  # noqa: PLR2004 (a fair coin)
            face = mirrored(face, self._training_set.orientations)
        return restored(face), sources[chosen].shares[number]


class _Average:
    """Mean of weights and thresholds over several samples."""

    def __init__(self) -> None:
        self._sums: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._samples = 0

    def add(self, model: Model) -> None:
        """Add the present weights and thresholds."""
        now = [(s.weights.astype(np.float64), s.theta.astype(np.float64)) for s in model.stages]
        if self._sums:
            now = [(w + a, t + b) for (w, t), (a, b) in zip(now, self._sums, strict=True)]
        self._sums = now
        self._samples += 1

    def of(self, model: Model) -> Model:
        """Return a model with the means."""
        means = [(w / self._samples, t / self._samples) for w, t in self._sums]
        stages = tuple(
            Stage(stage.wiring, weights.astype(np.float32), theta.astype(np.float32))
            for stage, (weights, theta) in zip(model.stages, means, strict=True)
        )
        return replace(model, stages=stages)


def calibrated(network: Network, held_out: list[Source], values: Values, report: Report) -> Model:
    """Return the trained model with its calibrations and the results on the held-out faces."""
    model, presentation = network.model, supervised_parameters(values).presentation
    n_steps = network.parameters.steps(presentation)
    faces = restored(np.concatenate([source.features[:, 0] for source in held_out]))
    truth = np.concatenate([source.truth for source in held_out])
    bar = partial(report, "calibrating")
    responses = present_all(network, faces, n_steps, bar)
    fitted = fit_calibration(responses.rates_hz(model, presentation), truth, presentation)
    said, _ = responses.said(model, fitted, readout_parameters(values))
    table = metrics.confusion(truth, said, len(model.labels))
    figures = {
        "held_out_faces": len(truth),
        "held_out_balanced_accuracy": round(metrics.balanced_accuracy(table), 4),
        "held_out_ci95": [round(bound, 4) for bound in metrics.accuracy_interval(table)],
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
    """Fit the calibration for faces that follow each other without a reset."""
    model, dt = network.model, network.parameters.dt
    settled_steps = network.parameters.steps(LIVE_PRESENTATIONS * presentation)
    # In random order. Otherwise faces of the same label would follow each other.
    order = np.random.default_rng(0).permutation(len(truth))
    counts = stream_all(network, faces[order], 2 * settled_steps, progress)
    means = label_means(counts, model.neuron_label, len(model.labels))
    return fit_calibration(means / (settled_steps * dt), truth[order], presentation)


def fit_calibration(
    rates_hz: Floats, truth: NDArray[np.int64], presentation: float
) -> ReadoutCalibration:
    """Return the calibration with the highest likelihood of the true labels.

    With it, the confidence is the probability that the answer is right.

    Parameters
    ----------
    rates_hz:
        Mean rate of the neurons of each label for held-out faces, hertz (faces, labels).
    truth:
        Index of the true label of each face (faces).
    presentation:
        Duration of a presentation, seconds.
    """
    evidence = rates_hz * presentation
    evidence = evidence - evidence.max(axis=1, keepdims=True)
    true = evidence[np.arange(len(truth)), truth]
    losses = [
        float((np.log(np.exp(kappa * evidence).sum(axis=1)) - kappa * true).mean())
        for kappa in KAPPAS
    ]
    return ReadoutCalibration(float(KAPPAS[int(np.argmin(losses))]), presentation)
