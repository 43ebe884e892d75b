"""Training without labels: prototypes first, their names from a handful of labelled faces after.

The hidden layer is made of prototypes (`prototypes`) that pair STDP forms of faces whose labels
nobody looks at. Its thresholds settle until every neuron fires for a share rho of the faces. Then a
few labelled faces say what the neurons mean: the projection to the expression layer learns them by
the rule of `learning` with eta_w = 0, so that nothing below it changes. The same is done with
prototypes that plasticity has not touched, whose figure stands beside in the model's `provenance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fer_common.parameters import Values
from fer_snn.learning import SupervisedParameters
from fer_snn.model import Model
from fer_snn.network import Network
from fer_snn.parameters import MODEL_CONSTANTS, network_parameters, supervised_parameters
from fer_snn.presentation import present, steps_of
from fer_snn.prototypes import PrototypeLayer, PrototypeParameters
from fer_snn.training import (
    Architecture,
    Curriculum,
    Lessons,
    Report,
    Source,
    assembled,
    calibrated,
    learn,
    restored,
    split,
    statistics_of,
)

MOST_FACES = 10_000
"""Of more faces so many, by lot, are learnt from: they have to fit into memory decorrelated."""
SETTLING = 3000
"""Faces that are shown while thresholds settle."""
SETTLING_RATE = 5.0
"""eta_theta at the beginning of it, in units of the rule's; it falls to one."""
NAMING = Lessons(2000, averaged=0.4, normalise_every=50, average_every=50)
"""Of the labelled faces."""
NAMING_KAPPA = 0.3
"""What a spike is worth meanwhile: with few faces it pays to go on learning from those that are
answered rightly (docs/experiments.md)."""


@dataclass(frozen=True)
class UnsupervisedParameters:
    """How to train.

    Attributes
    ----------
    seed : of everything that is drawn.
    presentations : unlabelled faces shown.
    named : labelled faces of each expression that give names.
    prototypes : how these are learnt.
    """

    seed: int = 0
    presentations: int = 80000
    named: int = 20
    prototypes: PrototypeParameters = field(default_factory=PrototypeParameters)


def train(
    curriculum: Curriculum,
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
    held_out = [part for part, _ in parts]
    named = _named(learnt, names, parameters.named, rng)
    blank = _prototypes(learnt, parameters, rng)
    without = _finished(
        blank, learnt, named, held_out, values, parameters.seed, partial(_random, report)
    )
    blank.learn(parameters.presentations, partial(report, "prototypes"))
    model = _finished(blank, learnt, named, held_out, values, parameters.seed, report)
    figures = {
        **model.provenance,
        "named_faces": len(named.sources[0].truth),
        "without_plasticity": without.provenance["held_out_balanced_accuracy"],
    }
    return replace(model, provenance=figures)


def _random(report: Report, stage: str, done: int, total: int) -> None:
    """Report what is done with prototypes that have not learnt."""
    report(f"random: {stage}", done, total)


def _named(
    learnt: Curriculum, names: Source | None, count: int, rng: np.random.Generator
) -> Curriculum:
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
    part = names.part(np.concatenate(chosen))
    # As they are: a few faces, disturbed, say more of what disturbs them than of expressions.
    return replace(learnt, sources=(replace(part, features=part.features[:, :1]),))


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


def _some(learnt: Curriculum, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return at most `MOST_FACES` faces of all sources (faces, channels, rows, cols)."""
    faces = np.concatenate([source.features[:, 0] for source in learnt.sources])
    if len(faces) <= MOST_FACES:
        return faces
    return faces[np.sort(rng.choice(len(faces), MOST_FACES, replace=False))]


def _finished(
    prototypes: PrototypeLayer,
    learnt: Curriculum,
    named: Curriculum,
    held_out: list[Source],
    values: Values,
    seed: int,
    report: Report,
) -> Model:
    """Return the model of a layer of prototypes: thresholds settled, named, calibrated."""
    # The same faces in the same order, whatever came before: what differs is plasticity alone.
    rng = np.random.default_rng((seed, 1))
    constants, rule = network_parameters(values), supervised_parameters(values)
    network = Network(_joined(prototypes, learnt, values, rng), constants)
    n_steps = steps_of(rule.presentation, constants.dt)
    _settle(network, _some(learnt, rng), n_steps, rule, rng, report)
    rule = replace(rule, eta_w=0.0, eta_theta=0.0, kappa=NAMING_KAPPA)
    network.load(learn(network, named, rule, NAMING, rng, partial(report, "names")))
    return calibrated(network, held_out, values, report)


def _joined(
    prototypes: PrototypeLayer, learnt: Curriculum, values: Values, rng: np.random.Generator
) -> Model:
    """Return the model of prototypes and a random expression layer."""
    constants, architecture = network_parameters(values), Architecture()
    rheobase_v = constants.lif.v_th - constants.lif.v_rest
    hidden = prototypes.hidden_stage(
        architecture.hidden_theta * rheobase_v, constants.hidden_weights.s_target
    )
    model = assembled(learnt, hidden, constants, architecture, rng)
    return replace(
        model, parameters={name: float(cast(float, values[name])) for name in MODEL_CONSTANTS}
    )


def _settle(
    network: Network,
    faces: NDArray[np.uint8],
    n_steps: int,
    rule: SupervisedParameters,
    rng: np.random.Generator,
    report: Report,
) -> None:
    """Shift the thresholds of the hidden layer until each neuron fires for a share of the faces."""
    for done in range(1, SETTLING + 1):
        fired = present(network, restored(faces[rng.integers(len(faces))]), n_steps)[1] > 0
        eta = rule.eta_theta * (1 + (SETTLING_RATE - 1) * (1 - done / SETTLING))
        network.shift_thresholds(0, (eta * (fired - np.float32(rule.rho))).astype(np.float32))
        report("thresholds", done, SETTLING)
