"""The supervised rule for batches of faces: all layers learn at once, each from its local error.

It is the rule of `fer_snn.core.synapses.learning`. Instead of after each face, the weights change
after a batch, by the sum over its faces. Presentations of a batch then do not depend on each other,
so all cores work, and the result does not depend on their number. The changes of the last batches
act again with a decaying share (momentum), which halves the number of faces that are needed.

While the expression layer learns, a random half of its inputs fails to release at each presentation
(dropout), which helps with faces that were not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np

from fer_snn import Network, SupervisedParameters
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.synapses.learning import (
    expression_evidence,
    hidden_readout,
    label_errors,
    own_errors,
)

MOMENTUM = np.float32(0.9)
RELEASE = 0.5
"""Probability with which a spike count reaches the expression layer while it learns."""
HIDDEN_RATE, DEEPER_RATE, EXPRESSION_RATE = 10.0, 3.0, 0.01
"""Factors of eta_w (first and further hidden layers) and eta_v, which are those of lessons. A
lesson teaches one face by the expression layer and must not overwrite others; a training shows all
faces, and forms the hidden layers. The layers above see spikes that know the faces of the training:
what they learn fast holds for these faces alone."""
LABEL_SMOOTHING = np.float32(0.05)
"""Share of the teacher's certainty that is spread over all labels."""
LEAST_THRESHOLD_RATE = 0.1
TOGETHER = 16
"""Number of faces that a thread presents at once, so that it reads the weights less often."""


@dataclass
class LocalErrorRule:
    """Teaches a network in batches.

    An expression layer above hidden layers begins as the sum of their read-outs, and then learns
    slowly (`EXPRESSION_RATE`).

    Attributes
    ----------
    network : the network, changed in place.
    rng : draws which inputs of the expression layer fail.
    pool : threads that present the faces of a batch.
    changes : decaying sum of the changes of each projection, shaped like its weights.
    """

    network: Network
    rule: SupervisedParameters
    rng: np.random.Generator
    pool: ThreadPoolExecutor

    def __post_init__(self) -> None:
        """Start without changes."""
        self.changes = [np.zeros_like(stage.weights) for stage in self.network.model.stages]

    def learn(self, faces: Sequence[Float32s], shares: Float32s, rate: float) -> None:
        """Present a batch of faces, then change all weights and thresholds.

        Parameters
        ----------
        faces : features of each face (channels, rows, cols).
        shares : what the teacher says: share of every label (faces, labels).
        rate : factor of the learning rates, 0 to 1.
        """
        n_labels = shares.shape[1]
        targets = shares * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / np.float32(n_labels)
        counts = self._present(faces)
        last = len(counts) - 2
        for layer in range(last):
            self._teach_hidden(layer, counts[layer], counts[layer + 1], targets, rate)
        pre = self.network.model.presynaptic(last, counts)
        self._teach_expression(pre, targets, rate)
        self.network.normalise()

    def _present(self, faces: Sequence[Float32s]) -> list[Float32s]:
        """Return the spike counts of each layer but the last as (faces, neurons)."""
        n_steps = self.network.parameters.steps(self.rule.presentation)

        def counts_of(some: Sequence[Float32s]) -> list[list[Int32s]]:
            at_rest = [self.network.new_face() for _ in some]
            return [shown.counts for shown in self.network.advance_faces(at_rest, some, n_steps)]

        groups = [faces[k : k + TOGETHER] for k in range(0, len(faces), TOGETHER)]
        counts = chain.from_iterable(self.pool.map(counts_of, groups))
        return [np.array(layer, dtype=np.float32) for layer in zip(*counts, strict=True)]

    def _teach_hidden(
        self, layer: int, pre: Float32s, post: Float32s, targets: Float32s, rate: float
    ) -> None:
        stage = self.network.model.stages[layer]
        fired = post > 0
        share = fired.mean(axis=0, dtype=np.float32)
        eta_theta = self.rule.eta_theta * len(pre) * max(rate, LEAST_THRESHOLD_RATE)
        shift = eta_theta * (share - np.float32(self.rule.rho))
        self.network.shift_thresholds(layer, shift.astype(np.float32))
        readout = hidden_readout(layer, stage.wiring.n_post, targets.shape[1])
        factor = (label_errors(post @ readout, targets) @ readout.T) * fired
        factor *= stage.wiring.column_means(stage.weights)
        eta = self.rule.eta_w * (DEEPER_RATE if layer else HIDDEN_RATE)
        self._change(layer, pre, factor, eta * rate)

    def _teach_expression(self, pre: Float32s, targets: Float32s, rate: float) -> None:
        model = self.network.model
        released = self.rng.random(pre.shape, dtype=np.float32) < RELEASE
        pre = pre * released / np.float32(RELEASE)
        errors = label_errors(expression_evidence(model, pre), targets, self.rule.kappa)
        deep = len(model.stages) > 1
        eta = self.rule.eta_v * (EXPRESSION_RATE if deep else HIDDEN_RATE)
        self._change(len(self.changes) - 1, pre, own_errors(model, errors), eta * rate)

    def _change(self, number: int, pre: Float32s, post: Float32s, eta: float) -> None:
        """Change a projection by the sum over faces of the products pre_i post_j.

        Parameters
        ----------
        pre, post : a factor of each presynaptic and of each postsynaptic neuron (faces, neurons).
        """
        stage = self.network.model.stages[number]
        bounds = self.network.parameters.weight_bounds(len(self.changes))[number]
        by_neuron = np.ascontiguousarray(pre.T)
        by_column = post.reshape(len(post), -1, stage.wiring.width)

        def change_column(column: int) -> None:
            seen, total = changes[column]
            total *= MOMENTUM
            total += (1 - MOMENTUM) * (by_neuron[seen] @ by_column[:, column])
            _, weights = columns[column]
            weights += np.float32(eta) * total
            np.clip(weights, bounds.w_min, bounds.w_max, out=weights)

        changes = stage.wiring.blocks(self.changes[number])
        columns = stage.wiring.blocks(stage.weights)
        list(self.pool.map(change_column, range(len(columns))))
