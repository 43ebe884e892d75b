"""Names: a few labelled faces say what was found without labels.

The hidden layer answers a face with n_i spikes of neuron i. Beside what is usual among unlabelled
faces, mean m_i and deviation sd_i, that is

    x_i = (n_i - m_i) / sd_i

How one face's x differs from moment to moment is how its expression changes: who it is, the light
and the camera stay. Neurons that compete for these differences (`competition`) come to stand for
movements, directions d_k of x. A face shows movement k as strongly as

    r_k = sum_i d_ki x_i / s_k         s_k: deviation of it among unlabelled faces

Labelled faces connect their label l with the movements that they show, by the covariance rule
(Sejnowski, J. Mathematical Biology 4, 1977): c_lk is the mean of r_k over the faces of l. Both
steps are sums, and come to one projection from the hidden to the expression layer,

    v_il = sum_k c_lk d_ki / (s_k sd_i)

Added to it is what the same rule gives for the hidden neurons themselves, the mean of x_i / sd_i.
Movements carry a name over to all that moves together, single neurons keep what no movement has;
movements count `MOVED` times as much, by the norms of both.

Weights are not negative: what is missing is added for all labels alike, and feed-forward inhibition
takes it away again. Last, the neurons of each label see a face of that name and any other face in
turn, and shift their threshold until they fire for these `TARGET` times in the mean. That puts it
half-way between what is theirs and what is usual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Stage
from fer_snn.core.network import Network
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.synapses import homeostasis
from fer_train.presentation import Progress
from fer_train.training import Bytes, restored

LEAST_DEVIATION = np.float32(0.01)
"""Spikes. Neurons that never differ say nothing, and must not divide by nothing."""
LEAST_NORM = 1e-6
LEVELLING = 1500
"""Faces that are shown while thresholds are shifted."""
MOVED = 2.0
"""How much movements count beside hidden neurons; see the module."""
TARGET = 3.0
"""Spikes of an expression neuron in a presentation."""
FIRST_SHIFT, LAST_SHIFT = 6e-3, 1e-4
"""Of a threshold for each spike too many, volts; it falls with the square of what is left."""

Counts = NDArray[np.uint16]
"""Spikes of the hidden neurons (faces, neurons)."""


@dataclass(frozen=True)
class Usual:
    """Mean and deviation of the spikes of each hidden neuron among unlabelled faces (neurons)."""

    mean: Float32s
    deviation: Float32s

    @staticmethod
    def of(counts: Counts) -> Usual:
        """Return what is usual among some faces."""
        mean, deviation = counts.mean(axis=0), counts.std(axis=0)
        return Usual(mean.astype(np.float32), deviation.astype(np.float32) + LEAST_DEVIATION)

    def relative(self, counts: Counts) -> Float32s:
        """Return x of some faces (faces, neurons)."""
        return (counts - self.mean) / self.deviation


def hidden_counts(network: Network, faces: Bytes, n_steps: int, progress: Progress) -> Counts:
    """Return the spikes of the hidden layer for faces (faces, channels, rows, cols) in 255ths."""
    counts = np.zeros((len(faces), network.model.sizes[1]), dtype=np.uint16)
    for k, face in enumerate(faces):
        counts[k] = network.present(restored(face), n_steps).counts[1]
        progress(k + 1, len(faces))
    return counts


def changes(x: Float32s, clip: NDArray[np.int64]) -> Float32s:
    """Return how x (frames, neurons) differs from its mean in each frame's clip."""
    differences = x.copy()
    for number in np.unique(clip):
        differences[clip == number] -= x[clip == number].mean(axis=0)
    return differences


def projection(
    movements: Float32s, usual: Usual, unlabelled: Counts, named: Counts, truth: NDArray[np.int64]
) -> Float32s:
    """Return v (hidden neurons, labels).

    Parameters
    ----------
    movements:
        d (hidden neurons, movements).
    unlabelled, named:
        Spikes for unlabelled and for labelled faces.
    truth:
        Index of the label of each of the labelled; every label is there.
    """
    x = usual.relative(named)
    spread = (usual.relative(unlabelled) @ movements).std(axis=0)
    shown = movements / np.maximum(spread, LEAST_DEVIATION)
    labels = range(int(truth.max()) + 1)
    direct = np.stack([x[truth == label].mean(axis=0) for label in labels], axis=1)
    moved = shown @ (shown.T @ direct)
    v = _of_norm(direct, 1.0) + _of_norm(moved, MOVED)
    return np.asarray(v / usual.deviation[:, None], np.float32)


def _of_norm(matrix: Float32s, norm: float) -> Float32s:
    """Return a matrix brought to a Frobenius norm; noughts stay."""
    return matrix * np.float32(norm / max(float(np.linalg.norm(matrix)), 1e-12))


def expression_stage(v: Float32s, untrained: Stage, s_target: float) -> Stage:
    """Return an expression layer with the projection v (hidden neurons, labels).

    Parameters
    ----------
    untrained:
        Its wiring and thresholds; the neurons stand label by label.
    s_target:
        L1 norm of the weights of each neuron.
    """
    weights = v - np.minimum(v.min(axis=1, keepdims=True), 0)
    norms = weights.sum(axis=0)
    # Labels that nothing tells apart get equal weights, not none.
    weights += (max(norms.max(), LEAST_NORM) - norms) / len(weights)
    of_neurons = np.repeat(weights, untrained.wiring.width // v.shape[1], axis=1)
    return Stage(untrained.wiring, homeostasis.scaled(of_neurons, s_target), untrained.theta)


def level(
    network: Network,
    unlabelled: Bytes,
    named: Bytes,
    truth: NDArray[np.int64],
    n_steps: int,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Shift the thresholds of the expression neurons half-way; see the module.

    Parameters
    ----------
    unlabelled, named:
        Features of faces (faces, channels, rows, cols), 255ths.
    truth:
        Index of the label of each of the labelled.
    """
    labels = network.model.neuron_label
    n_labels = len(network.model.labels)
    last = len(network.model.stages) - 1
    for done in range(1, LEVELLING + 1):
        label, turn = done % n_labels, done // n_labels
        own = np.flatnonzero(truth == label)
        face = unlabelled[rng.integers(len(unlabelled))] if turn % 2 else named[rng.choice(own)]
        counts = network.present(restored(face), n_steps).counts[-1]
        shift = FIRST_SHIFT * (1 - done / LEVELLING) ** 2 + LAST_SHIFT
        surplus = counts[labels == label].mean() - TARGET
        network.shift_thresholds(last, np.where(labels == label, shift * surplus, 0))
        progress(done, LEVELLING)
