"""Supervised training: labelled faces in, a model out, bit for bit equal for equal seeds.

Randomly chosen faces are presented to neurons at rest, in a random variant, and mirrored or not.
All layers learn at once, each from its own local error (`local_errors`). The learning rates
decrease to zero. A part of the faces is held out, and the confidence is calibrated on them.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Values
from fer_snn import Architecture, Model, Network, ReadoutCalibration
from fer_snn.core.constants import constants_in
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.parameters import network_parameters, readout_parameters, supervised_parameters
from fer_snn.core.readout import Floats, label_means
from fer_snn.core.synapses.learning import hidden_readout
from fer_train import metrics
from fer_train.checkpoint import Checkpoint, digest_of
from fer_train.local_errors import LocalErrorRule
from fer_train.presentation import present_all, stream_all
from fer_train.progress import Progress, Report
from fer_train.training_set import Sampler, Source, TrainingSet, restored, split

LIVE_PRESENTATIONS = 2
"""Number of presentations of a face in the live calibration, after as many to settle."""
LEAST_CALIBRATION = 200
"""A source needs so many held-out faces for a calibration of its own."""
KAPPAS = np.geomspace(0.01, 20.0, 400)
"""Grid on which kappa is searched."""
INITIAL_READOUT = 1.0
"""Share of the read-outs of the hidden layers in the initial weights of the expression layer."""
WEIGHT_BITS = 8
"""Resolution of trained weights, as neuromorphic processors have it (Davies et al., Loihi, 2018).
The answers are as good as with floats, and the file has a third of the size."""
PRESENTATIONS_PER_FACE, LEAST_PRESENTATIONS = 12, 20_000
"""Number of presentations of a training."""


@dataclass(frozen=True)
class TrainingParameters:
    """Constants of the training.

    Attributes
    ----------
    presentations : number of presentations; None for `PRESENTATIONS_PER_FACE` times
        the number of faces, but at least `LEAST_PRESENTATIONS`.
    batch : number of presentations between two changes of the weights.
    balance : how much more often rare labels are drawn than they come, 0 to 1; see `Sampler`.
    """

    seed: int = 0
    presentations: int | None = None
    batch: int = 128
    balance: float = 0.15
    architecture: Architecture = field(default_factory=Architecture)


def train(
    training_set: TrainingSet,
    values: Values,
    parameters: TrainingParameters,
    report: Report,
    checkpoint: Path | None = None,
) -> Model:
    """Train a network.

    Parameters
    ----------
    values : parameters of the snn node.
    checkpoint : file from which an interrupted training continues, and to which this one writes its
        state; None for neither.

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
    rule = supervised_parameters(values)
    model = replace(_with_readout(model, rule.kappa), parameters=constants_in(values))
    network = Network(model, constants)
    kept = None
    if checkpoint is not None:
        settings = (parameters, sorted(constants_in(values).items()))
        kept = Checkpoint(checkpoint, digest_of(learnt, *settings))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        teacher = LocalErrorRule(network, rule, rng, pool)
        _learn(teacher, learnt, parameters, partial(report, "learning"), kept)
    trained = calibrated(network, [part for part, _ in parts], values, report)
    if kept:
        kept.remove()
    return trained


def _with_readout(model: Model, kappa: float) -> Model:
    """Return a model whose expression layer begins with the read-outs of the hidden layers."""
    *hidden, last = model.stages
    if not hidden:
        return model
    readout = np.concatenate(
        [
            hidden_readout(layer, stage.wiring.n_post, len(model.labels))
            for layer, stage in enumerate(hidden)
        ]
    )
    weights = last.weights.mean() + INITIAL_READOUT / kappa * readout[:, model.neuron_label]
    stage = replace(last, weights=np.maximum(weights, 0).astype(np.float32))
    return replace(model, stages=(*hidden, stage))


def _rounded(model: Model) -> Model:
    """Return the model with weights of `WEIGHT_BITS` bits: multiples of a power of two."""
    stages = []
    for stage in model.stages:
        step = 2.0 ** np.ceil(np.log2(stage.weights.max() / (2**WEIGHT_BITS - 1)))
        weights = np.rint(stage.weights / step) * step
        stages.append(replace(stage, weights=weights.astype(np.float32)))
    return replace(model, stages=tuple(stages))


def _learn(
    teacher: LocalErrorRule,
    training_set: TrainingSet,
    parameters: TrainingParameters,
    progress: Progress,
    checkpoint: Checkpoint | None,
) -> None:
    """Teach a network in batches, with decreasing rates; round its weights."""
    n_faces = sum(len(source.truth) for source in training_set.sources)
    presentations = parameters.presentations or max(
        PRESENTATIONS_PER_FACE * n_faces, LEAST_PRESENTATIONS
    )
    batches = -(-presentations // parameters.batch)
    sampler = Sampler(training_set, parameters.balance, teacher.rng)
    done = checkpoint.restore(teacher) if checkpoint and checkpoint.path.exists() else 0
    for number in range(done, batches):
        faces, shares = zip(*(sampler() for _ in range(parameters.batch)), strict=True)
        teacher.learn(faces, np.stack(shares), 1 - number / batches)
        if checkpoint:
            checkpoint.save(teacher, number + 1)
        progress((number + 1) * parameters.batch, batches * parameters.batch)
    teacher.network.load(_rounded(teacher.network.model))


def calibrated(network: Network, held_out: list[Source], values: Values, report: Report) -> Model:
    """Return the trained model with its calibrations and the results on the held-out faces."""
    model, presentation = network.model, supervised_parameters(values).presentation
    n_steps = network.parameters.steps(presentation)
    faces = restored(np.concatenate([source.features[:, 0] for source in held_out]))
    truth = np.concatenate([source.truth for source in held_out])
    bar = partial(report, "calibrating")
    responses = present_all(network, faces, n_steps, bar)
    ends = np.cumsum([len(source.truth) for source in held_out])
    fitted = _fit_cautiously(responses.rates_hz(model, presentation), truth, ends, presentation)
    said, _ = responses.said(model, fitted, readout_parameters(values))
    table = metrics.confusion(truth, said, len(model.labels))
    figures = {
        "held_out_faces": len(truth),
        "held_out_balanced_accuracy": round(metrics.balanced_accuracy(table), 4),
        "held_out_ci95": [round(bound, 4) for bound in metrics.accuracy_interval(table)],
    }
    live = _fit_live(network, faces, truth, ends, presentation, partial(report, "live"))
    return replace(model, calibration=fitted, live_calibration=live, provenance=figures)


def _fit_live(
    network: Network,
    faces: Float32s,
    truth: NDArray[np.int64],
    ends: NDArray[np.int64],
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
    rates_hz = np.empty_like(means)
    rates_hz[order] = means / (settled_steps * dt)
    return _fit_cautiously(rates_hz, truth, ends, presentation)


def _fit_cautiously(
    rates_hz: Floats, truth: NDArray[np.int64], ends: NDArray[np.int64], presentation: float
) -> ReadoutCalibration:
    """Fit to all faces, and to each source that has enough; return the least certain calibration.

    Easy faces, such as rendered ones, would otherwise make it too sure of hard ones.

    Parameters
    ----------
    ends : number of the faces of the first source, of the first two, and so on.
    """
    parts = [np.arange(len(truth)), *np.split(np.arange(len(truth)), ends[:-1])]
    fits = [
        fit_calibration(rates_hz[part], truth[part], presentation)
        for part in parts
        if part is parts[0] or len(part) >= LEAST_CALIBRATION
    ]
    return min(fits, key=lambda fit: fit.kappa)


def fit_calibration(
    rates_hz: Floats, truth: NDArray[np.int64], presentation: float
) -> ReadoutCalibration:
    """Return the calibration with the highest likelihood of the true labels.

    With it, the confidence is the probability that the answer is right.

    Parameters
    ----------
    rates_hz : mean rate of the neurons of each label for held-out faces, hertz (faces, labels).
    truth : index of the true label of each face (faces).
    presentation : duration of a presentation, seconds.
    """
    evidence = rates_hz * presentation
    evidence = evidence - evidence.max(axis=1, keepdims=True)
    true = evidence[np.arange(len(truth)), truth]
    losses = [
        float((np.log(np.exp(kappa * evidence).sum(axis=1)) - kappa * true).mean())
        for kappa in KAPPAS
    ]
    return ReadoutCalibration(float(KAPPAS[int(np.argmin(losses))]), presentation)
