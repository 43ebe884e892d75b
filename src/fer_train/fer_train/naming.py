"""Naming: a few labelled faces give names to what was learnt without labels.

A face causes n_i spikes in hidden neuron i. With the mean m_i and the standard deviation sd_i over
unlabelled faces, the standardised response is

    x_i = (n_i - m_i) / sd_i

Within a clip of one face, x changes only with the expression: person, light and camera stay the
same. Neurons that compete for these changes (`competition`) become selective for movements, which
are directions d_k of x. The strength of movement k in a face is

    r_k = sum_i d_ki x_i / s_k         s_k: standard deviation over unlabelled faces

Labelled faces associate their label l with movements by the covariance rule (Sejnowski, J.
Mathematical Biology 4, 1977): c_lk is the mean of r_k over the faces of l. Both steps are linear,
so they form one projection from the hidden to the expression layer:

    v_il = sum_k c_lk d_ki / (s_k sd_i)

The same rule, applied to the hidden neurons directly, gives the mean of x_i / sd_i, which is added.
Movements generalise a name to everything that moves together; single neurons keep what no movement
contains. The norm of the part from movements is `MOVED` times that of the direct part.

Weights must not be negative. Therefore a constant is added for all labels, which feed-forward
inhibition removes again. Finally, the thresholds of the neurons of each label are shifted until
they fire `TARGET` times on average, when faces of their label and arbitrary faces are presented in
turn. The threshold then lies half-way between faces of the label and all faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn import Network, Stage
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.synapses import homeostasis
from fer_train.progress import Progress
from fer_train.training_set import Bytes, restored

MIN_DEVIATION = np.float32(0.01)
"""Spikes. Avoids a division by zero for neurons whose count is constant."""
MIN_NORM = 1e-6
BALANCING = 1500
"""Number of faces that are presented while thresholds are shifted."""
MOVED = 2.0
"""Norm of the projection from movements, relative to the direct one, see the module."""
TARGET = 3.0
"""Mean number of spikes of an expression neuron in a presentation."""
FIRST_SHIFT, LAST_SHIFT = 6e-3, 1e-4
"""Shift of a threshold for each surplus spike, volts. It decreases quadratically."""

Counts = NDArray[np.uint16]
"""Spikes of the hidden neurons (faces, neurons)."""


@dataclass(frozen=True)
class CountStatistics:
    """Mean and standard deviation of the spike counts of hidden neurons (neurons)."""

    mean: Float32s
    deviation: Float32s

    @staticmethod
    def of(counts: Counts) -> CountStatistics:
        """Return the statistics over some faces."""
        mean, deviation = counts.mean(axis=0), counts.std(axis=0)
        return CountStatistics(
            mean.astype(np.float32), deviation.astype(np.float32) + MIN_DEVIATION
        )

    def standardised(self, counts: Counts) -> Float32s:
        """Return x of some faces (faces, neurons)."""
        return (counts - self.mean) / self.deviation


def hidden_counts(network: Network, faces: Bytes, n_steps: int, progress: Progress) -> Counts:
    """Return the spike counts of the hidden layer for quantised features of faces."""
    counts = np.zeros((len(faces), network.model.sizes[1]), dtype=np.uint16)
    for k, face in enumerate(faces):
        counts[k] = network.present(restored(face), n_steps).counts[1]
        progress(k + 1, len(faces))
    return counts


def changes(x: Float32s, clip: NDArray[np.int64]) -> Float32s:
    """Return x (frames, neurons) minus its mean over the clip of each frame."""
    differences = x.copy()
    for number in np.unique(clip):
        differences[clip == number] -= x[clip == number].mean(axis=0)
    return differences


def projection(
    movements: Float32s,
    statistics: CountStatistics,
    unlabelled: Counts,
    named: Counts,
    truth: NDArray[np.int64],
) -> Float32s:
    """Return the projection v (hidden neurons, labels).

    Parameters
    ----------
    movements : directions d (hidden neurons, movements).
    unlabelled, named : spike counts for unlabelled and for labelled faces.
    truth : index of the label of each labelled face. Every label must occur.
    """
    x = statistics.standardised(named)
    spread = (statistics.standardised(unlabelled) @ movements).std(axis=0)
    shown = movements / np.maximum(spread, MIN_DEVIATION)
    labels = range(int(truth.max()) + 1)
    direct = np.stack([x[truth == label].mean(axis=0) for label in labels], axis=1)
    moved = shown @ (shown.T @ direct)
    v = _of_norm(direct, 1.0) + _of_norm(moved, MOVED)
    return np.asarray(v / statistics.deviation[:, None], np.float32)


def _of_norm(matrix: Float32s, norm: float) -> Float32s:
    """Return a matrix scaled to a Frobenius norm. Zeros stay zeros."""
    return matrix * np.float32(norm / max(float(np.linalg.norm(matrix)), 1e-12))


def expression_stage(v: Float32s, untrained: Stage, s_target: float) -> Stage:
    """Return an expression layer with the projection v (hidden neurons, labels).

    Parameters
    ----------
    untrained : wiring and thresholds, with neurons ordered by label.
    s_target : L1 norm of the weights of each neuron.
    """
    weights = v - np.minimum(v.min(axis=1, keepdims=True), 0)
    norms = weights.sum(axis=0)
    # Equal weights, not zeros, for labels that cannot be told apart.
    weights += (max(norms.max(), MIN_NORM) - norms) / len(weights)
    of_neurons = np.repeat(weights, untrained.wiring.width // v.shape[1], axis=1)
    return Stage(untrained.wiring, homeostasis.scaled(of_neurons, s_target), untrained.theta)


def balance_thresholds(
    network: Network,
    unlabelled: Bytes,
    named: Bytes,
    truth: NDArray[np.int64],
    n_steps: int,
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    """Shift the thresholds of the expression neurons until they fire `TARGET` times on average.

    Parameters
    ----------
    unlabelled, named : quantised features of faces (faces, channels, rows, cols).
    truth : index of the label of each labelled face.
    """
    labels = network.model.neuron_label
    n_labels = len(network.model.labels)
    last = len(network.model.stages) - 1
    for done in range(1, BALANCING + 1):
        label, turn = done % n_labels, done // n_labels
        own = np.flatnonzero(truth == label)
        face = unlabelled[rng.integers(len(unlabelled))] if turn % 2 else named[rng.choice(own)]
        counts = network.present(restored(face), n_steps).counts[-1]
        shift = FIRST_SHIFT * (1 - done / BALANCING) ** 2 + LAST_SHIFT
        surplus = counts[labels == label].mean() - TARGET
        network.shift_thresholds(last, np.where(labels == label, shift * surplus, 0))
        progress(done, BALANCING)
