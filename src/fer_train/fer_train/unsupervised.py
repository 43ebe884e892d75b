"""Training without labels: prototypes and movements first, their names from a few labelled faces.

The hidden layer is made of prototypes (`prototypes`) that pair STDP forms of faces whose labels
nobody looks at. Its thresholds settle until every neuron fires for a share of the faces. Then clips
are shown, in which one face each changes its expression; of how the hidden spikes change meanwhile
pair STDP forms movements, and a few labelled faces connect these with names (`naming`). The same is
done with neurons that plasticity has not touched, whose figure stands beside in the model's
`provenance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fer_common.core.parameters import Values
from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.parameters import MODEL_CONSTANTS, network_parameters, supervised_parameters
from fer_snn.core.synapses.learning import SupervisedParameters
from fer_snn.core.untrained import Architecture
from fer_train import naming
from fer_train.competition import CONTRAST, Competition, CompetitionParameters
from fer_train.naming import Usual
from fer_train.presentation import Progress
from fer_train.prototypes import PrototypeLayer, PrototypeParameters
from fer_train.training import (
    Bytes,
    Curriculum,
    Report,
    Source,
    calibrated,
    restored,
    split,
    statistics_of,
)

MOST_FACES = 10_000
"""Of more faces so many, by lot, are learnt from: they have to fit into memory decorrelated."""
USUAL_FACES = 3000
"""So many show what is usual for the hidden neurons."""
RHO = 0.3
"""Share of the faces for which a hidden neuron shall fire."""
SETTLING = 3000
"""Faces that are shown while thresholds settle."""
SETTLING_RATE = 5.0
"""eta_theta at the beginning of it, in units of the rule's; it falls to one."""
FEATURE_CONTRAST = np.float32(2)
"""Deviations of the features from the usual count so many times, so that weak ones are not lost in
the silent zone of the feature neurons."""


@dataclass(frozen=True)
class Clips:
    """Features of faces that change (frames, channels, rows, cols), 255ths; each frame's clip."""

    features: Bytes
    clip: NDArray[np.int64]


@dataclass(frozen=True)
class UnsupervisedParameters:
    """How to train.

    Attributes
    ----------
    seed : of everything that is drawn.
    presentations : unlabelled faces shown to prototypes.
    named : labelled faces of each expression that give names.
    prototypes : how these are learnt.
    movements : how neurons compete for changes.
    changes : presentations of these.
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
    curriculum: Curriculum,
    clips: Clips,
    names: Source | None,
    values: Values,
    parameters: UnsupervisedParameters,
    report: Report,
) -> Model:
    """Train a network without labels and name what it has learnt.

    Parameters
    ----------
    curriculum:
        Faces; their labels serve to hold a tenth of each class out and to measure with that.
    clips:
        Faces that change.
    names:
        Faces from which those with names are drawn; None for those of the curriculum.
    values:
        Constants of network and rule, as the node's parameters.

    Returns
    -------
    The model; its `provenance` has the figures on the faces held out, with plasticity and without.
    """
    rng = np.random.default_rng(parameters.seed)
    parts = [split(source, len(curriculum.labels), rng) for source in curriculum.sources]
    learnt = replace(curriculum, sources=tuple(part for _, part in parts))
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
    """Report what is done with neurons that have not learnt."""
    report(f"random: {stage}", done, total)


def _named(
    learnt: Curriculum, names: Source | None, count: int, rng: np.random.Generator
) -> Source:
    """Draw `count` faces of every label, from all sources alike where none is for names."""
    if names is None:
        names = Source(
            np.concatenate([source.features for source in learnt.sources]),
            np.concatenate([source.truth for source in learnt.sources]),
            1.0,
        )
    chosen = []
    for label in range(len(learnt.labels)):
        there = np.flatnonzero(names.truth == label)
        chosen.append(rng.choice(there, min(count, len(there)), replace=False))
    return names.part(np.concatenate(chosen))


def _prototypes(
    learnt: Curriculum, parameters: UnsupervisedParameters, rng: np.random.Generator
) -> PrototypeLayer:
    return PrototypeLayer(
        restored(_some(learnt, rng)),
        statistics_of(learnt.sources),
        learnt.orientations,
        parameters.prototypes,
        rng,
    )


def _some(learnt: Curriculum, rng: np.random.Generator) -> Bytes:
    """Return at most `MOST_FACES` faces of all sources (faces, channels, rows, cols)."""
    faces = np.concatenate([source.features[:, 0] for source in learnt.sources])
    if len(faces) <= MOST_FACES:
        return faces
    return faces[np.sort(rng.choice(len(faces), MOST_FACES, replace=False))]


class _UnsupervisedTraining:
    """Makes a model of prototypes, as far as these have learnt."""

    def __init__(
        self,
        learnt: Curriculum,
        clips: Clips,
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
        """Return the model: thresholds settled, movements learnt from `changes`, named."""
        # The same faces in the same order, whatever came before: what differs is plasticity alone.
        rng = np.random.default_rng((self._parameters.seed, 1))
        network = Network(self._joined(prototypes, rng), self._constants)
        faces = _some(self._learnt, rng)
        rule = replace(self._rule, rho=RHO)
        _settle(network, faces, self._n_steps, rule, rng, partial(report, "thresholds"))
        self._name(network, faces, changes, rng, report)
        return calibrated(network, held_out, self._values, report)

    def _joined(self, prototypes: PrototypeLayer, rng: np.random.Generator) -> Model:
        """Return the model of prototypes and a random expression layer."""
        constants, architecture = self._constants, Architecture()
        theta = architecture.hidden_theta * constants.lif.rheobase_v
        hidden = prototypes.hidden_stage(theta, constants.hidden_weights)
        model = self._learnt.untrained(constants, architecture, rng, hidden)
        usual = model.statistics
        return replace(
            model,
            statistics=replace(usual, variance=usual.variance / FEATURE_CONTRAST**2),
            parameters={name: float(cast(float, self._values[name])) for name in MODEL_CONSTANTS},
        )

    def _name(
        self,
        network: Network,
        faces: Bytes,
        changes: int,
        rng: np.random.Generator,
        report: Report,
    ) -> None:
        """Give the expression layer its weights and thresholds."""
        named, truth = self._named.features[:, 0], self._named.truth
        respond = partial(naming.hidden_counts, network, n_steps=self._n_steps)
        unlabelled = respond(faces[:USUAL_FACES], progress=partial(report, "usual"))
        usual = Usual.of(unlabelled)
        moving = respond(self._clips.features, progress=partial(report, "clips"))
        differences = naming.changes(usual.relative(moving), self._clips.clip)
        differences *= CONTRAST / max(float(differences.std()), naming.LEAST_DEVIATION)
        competition = Competition(differences[:, :, None], self._parameters.movements, rng)
        competition.learn(changes, partial(report, "movements"))
        (movements,) = competition.tuned()
        answers = respond(named, progress=partial(report, "named"))
        v = naming.projection(movements, usual, unlabelled, answers, truth)
        hidden, expression = network.model.stages
        stage = naming.expression_stage(v, expression, self._constants.s_target)
        network.load(replace(network.model, stages=(hidden, stage)))
        names = partial(report, "names")
        naming.level(network, faces, named, truth, self._n_steps, rng, names)


def _settle(
    network: Network,
    faces: Bytes,
    n_steps: int,
    rule: SupervisedParameters,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Shift the thresholds of the hidden layer until each neuron fires for a share of the faces."""
    for done in range(1, SETTLING + 1):
        face = restored(faces[rng.integers(len(faces))])
        fired = network.present(face, n_steps).counts[1] > 0
        eta = rule.eta_theta * (1 + (SETTLING_RATE - 1) * (1 - done / SETTLING))
        network.shift_thresholds(0, (eta * (fired - np.float32(rule.rho))).astype(np.float32))
        progress(done, SETTLING)
