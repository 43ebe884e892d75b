"""Training without labels, with names from a few labelled faces.

1. Pair STDP learns prototypes from faces without their labels. They form the hidden layer
   (`prototypes`).
2. The thresholds of the hidden layer are shifted until each neuron fires for a share of the faces.
3. Pair STDP learns movements from the changes of the hidden spikes in clips, in which one face
   changes its expression.
4. A few labelled faces give names to the movements (`naming`).

For comparison, steps 2 to 4 are also done with random prototypes and movements. The `provenance` of
the model has both results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Values
from fer_snn import Architecture, Model, Network, SupervisedParameters
from fer_snn.core.constants import constants_in
from fer_snn.core.parameters import network_parameters, supervised_parameters
from fer_train import naming
from fer_train.competition import CONTRAST, Competition, CompetitionParameters
from fer_train.naming import CountStatistics
from fer_train.progress import Progress, Report
from fer_train.prototypes import PrototypeLayer, PrototypeParameters
from fer_train.training import calibrated
from fer_train.training_set import Bytes, Source, TrainingSet, restored, split, statistics_of

CONSTANTS: Mapping[str, float] = {
    "beta": 0.9,
    "gain": 6.0,
    "tau_m": 0.020,
    "hidden_beta": 0.95,
    "hidden_gain": 26.0,
    "hidden_tau_s": 0.010,
    "hidden_w_max": 0.05,
    "eta_theta": 4e-5,
    "tau_w": 100.0,
    "a_pre": 1e-5,
    "a_post": -1.05e-5,
}
"""Constants that differ from the defaults, which are those of the supervised training."""
MAX_FACES = 10_000
"""Train on at most this many randomly chosen faces, because they are whitened in memory."""
STATISTICS_FACES = 3000
"""Number of faces for the statistics of the hidden neurons."""
RHO = 0.3
"""Share of the faces for which a hidden neuron should fire."""
SETTLING = 3000
"""Number of faces that are presented while thresholds settle."""
SETTLING_RATE = 5.0
"""Initial factor of eta_theta while thresholds settle. It decreases to 1."""
FEATURE_CONTRAST = np.float32(2)
"""Factor of the standardised features. With it, fewer weak features are lost because neither the ON
nor the OFF neuron fires."""


@dataclass(frozen=True)
class ClipFeatures:
    """Quantised features (frames, channels, rows, cols) and number of the clip of each frame."""

    features: Bytes
    clip: NDArray[np.int64]


@dataclass(frozen=True)
class UnsupervisedParameters:
    """Constants of the training.

    Attributes
    ----------
    presentations : number of presentations of unlabelled faces, for prototypes.
    named : number of labelled faces of each label that give names.
    changes : number of presentations of changes, for movements.
    """

    seed: int = 0
    presentations: int = 40000
    named: int = 20
    prototypes: PrototypeParameters = field(default_factory=PrototypeParameters)
    movements: CompetitionParameters = field(
        default_factory=lambda: CompetitionParameters(column=24, tau_theta=50.0)
    )
    changes: int = 6000


def train(
    training_set: TrainingSet,
    clips: ClipFeatures,
    names: Source | None,
    values: Values,
    parameters: UnsupervisedParameters,
    report: Report,
) -> Model:
    """Train a network without labels, and give names to what it has learnt.

    Parameters
    ----------
    training_set : faces. Their labels are only used to hold out a tenth of each, and to measure
        with it.
    clips : faces that change their expression.
    names : faces from which those that give names are chosen; None: from the training set.
    values : parameters of the snn node.

    Returns
    -------
    The model. Its `provenance` has the results on the held-out faces, with and without plasticity.
    """
    rng = np.random.default_rng(parameters.seed)
    parts = [split(source, len(training_set.labels), rng) for source in training_set.sources]
    learnt = replace(training_set, sources=tuple(part for _, part in parts))
    named = _named(learnt, names, parameters.named, rng)
    training = _UnsupervisedTraining(learnt, clips, named, values, parameters)
    prototypes = _prototypes(learnt, parameters, rng)
    held_out = [part for part, _ in parts]
    without = training.finished(prototypes, 0, held_out, partial(_random, report))
    learning = partial(report, "prototypes")
    prototypes.competition.learn(parameters.presentations, learning)
    model = training.finished(prototypes, parameters.changes, held_out, report)
    figures = {
        **model.provenance,
        "named_faces": len(named.truth),
        "without_plasticity": without.provenance["held_out_balanced_accuracy"],
    }
    return replace(model, provenance=figures)


def _random(report: Report, stage: str, done: int, total: int) -> None:
    """Report the progress of the comparison with random prototypes."""
    report(f"random: {stage}", done, total)


def _named(
    learnt: TrainingSet, names: Source | None, count: int, rng: np.random.Generator
) -> Source:
    """Return `count` random faces of each label, from all sources if `names` is None."""
    if names is None:
        names = Source(
            np.concatenate([source.features for source in learnt.sources]),
            np.concatenate([source.truth for source in learnt.sources]),
            np.concatenate([source.shares for source in learnt.sources]),
        )
    chosen = []
    for label in range(len(learnt.labels)):
        there = np.flatnonzero(names.truth == label)
        chosen.append(rng.choice(there, min(count, len(there)), replace=False))
    return names.part(np.concatenate(chosen))


def _prototypes(
    learnt: TrainingSet, parameters: UnsupervisedParameters, rng: np.random.Generator
) -> PrototypeLayer:
    return PrototypeLayer(
        restored(_some(learnt, rng)),
        statistics_of(learnt.sources),
        learnt.orientations,
        parameters.prototypes,
        rng,
    )


def _some(learnt: TrainingSet, rng: np.random.Generator) -> Bytes:
    """Return at most `MAX_FACES` random faces of all sources (faces, channels, rows, cols)."""
    faces = np.concatenate([source.features[:, 0] for source in learnt.sources])
    if len(faces) <= MAX_FACES:
        return faces
    return faces[np.sort(rng.choice(len(faces), MAX_FACES, replace=False))]


class _UnsupervisedTraining:
    """Makes a model from prototypes at any stage of their learning."""

    def __init__(
        self,
        learnt: TrainingSet,
        clips: ClipFeatures,
        named: Source,
        values: Values,
        parameters: UnsupervisedParameters,
    ) -> None:
        self._learnt = learnt
        self._clips = clips
        self._named = named
        self._values = values
        self._parameters = parameters
        self._constants = network_parameters(values)
        self._rule = supervised_parameters(values)
        self._n_steps = self._constants.steps(self._rule.presentation)

    def finished(
        self, prototypes: PrototypeLayer, changes: int, held_out: list[Source], report: Report
    ) -> Model:
        """Return the model after `changes` presentations for movements, with names."""
        # Both calls present the same faces in the same order, so that only plasticity differs.
        rng = np.random.default_rng((self._parameters.seed, 1))
        network = Network(self._joined(prototypes, rng), self._constants)
        faces = _some(self._learnt, rng)
        rule = replace(self._rule, rho=RHO)
        _settle(network, faces, self._n_steps, rule, rng, partial(report, "thresholds"))
        self._name(network, faces, changes, rng, report)
        return calibrated(network, held_out, self._values, report)

    def _joined(self, prototypes: PrototypeLayer, rng: np.random.Generator) -> Model:
        """Return a model of the prototypes and a random expression layer."""
        constants, architecture = self._constants, Architecture()
        theta = architecture.hidden_theta * constants.lif.rheobase_v
        hidden = prototypes.hidden_stage(theta, constants.hidden_weights)
        model = self._learnt.untrained(constants, architecture, rng, hidden)
        variance = model.statistics.variance / FEATURE_CONTRAST**2
        return replace(
            model,
            statistics=replace(model.statistics, variance=variance),
            parameters=constants_in(self._values),
        )

    def _name(
        self, network: Network, faces: Bytes, changes: int, rng: np.random.Generator, report: Report
    ) -> None:
        """Set the weights and thresholds of the expression layer, see `naming`."""
        named, truth = self._named.features[:, 0], self._named.truth
        respond = partial(naming.hidden_counts, network, n_steps=self._n_steps)
        unlabelled = respond(faces[:STATISTICS_FACES], progress=partial(report, "statistics"))
        statistics = CountStatistics.of(unlabelled)
        moving = respond(self._clips.features, progress=partial(report, "clips"))
        differences = naming.changes(statistics.standardised(moving), self._clips.clip)
        differences *= CONTRAST / max(float(differences.std()), naming.MIN_DEVIATION)
        competition = Competition(differences[:, :, None], self._parameters.movements, rng)
        competition.learn(changes, partial(report, "movements"))
        (movements,) = competition.tuned()
        answers = respond(named, progress=partial(report, "named"))
        v = naming.projection(movements, statistics, unlabelled, answers, truth)
        hidden, expression = network.model.stages
        stage = naming.expression_stage(v, expression, self._constants.s_target)
        network.load(replace(network.model, stages=(hidden, stage)))
        names = partial(report, "names")
        naming.balance_thresholds(network, faces, named, truth, self._n_steps, rng, names)


def _settle(
    network: Network,
    faces: Bytes,
    n_steps: int,
    rule: SupervisedParameters,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Shift the thresholds of the hidden layer until each neuron fires for `rho` of the faces."""
    for done in range(1, SETTLING + 1):
        face = restored(faces[rng.integers(len(faces))])
        fired = network.present(face, n_steps).counts[1] > 0
        eta = rule.eta_theta * (1 + (SETTLING_RATE - 1) * (1 - done / SETTLING))
        network.shift_thresholds(0, (eta * (fired - np.float32(rule.rho))).astype(np.float32))
        progress(done, SETTLING)
