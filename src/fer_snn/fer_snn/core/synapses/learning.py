"""The three modes of learning.

off           Nothing changes.

unsupervised  Pair STDP with the exact window of `stdp`, L1 homeostasis, lateral inhibition and the
              adaptive threshold, on the projection to the expression layer (`Network.advance` with
              `plastic`). Labels are not used. Neurons compete harder while they learn than while
              they answer (`competition`); otherwise they would all learn the same.

supervised    With a label: a three-factor rule for each layer, applied once after each
              presentation. All factors are available at the synapse. The first two are the spikes
              of the presynaptic and of the postsynaptic neuron. The third is a prediction error of
              the postsynaptic layer, which is broadcast to its neurons:

                  e_k = t_k - p_k        p_k = exp(u_k) / sum_l exp(u_l)

              t_k is the share of label k in what the teacher says: 1 for the true label and 0 for
              the others, or, where people disagreed, the share of those who named k.

              The expression layer predicts the label by its dendrites: u_k is kappa times the mean,
              over the neurons of label k, of sum_i v_ij h_i, minus the mean over all neurons
              (feed-forward inhibition), with h_i the number of spikes of presynaptic neuron i. Its
              weights change by

                  dv_ij = eta_v h_i e_k(j)

              Each hidden layer predicts the label through a read-out of its own, with fixed random
              weights g, u_k = sum_j g_jk h_j. Its weights change by

                  dw_ij = eta_w mean_i(w_ij) x_i 1[h_j > 0] sum_k g_jk e_k

              with x_i the number of spikes of presynaptic neuron i. The mean weight of neuron j
              makes the rate the same for neurons with few and with many synapses. Nothing is passed
              back from a layer to the layer below: this is a local error, not backpropagation.

              Nothing is learnt by a layer that predicts what the teacher says (no label has an
              error e_k of `tolerance` or more). Weights are clipped to their bounds and scaled to
              their L1 norm. The threshold of each hidden neuron is adjusted until it fires for a
              share rho of all faces: theta_j <- theta_j + eta_theta (1[h_j > 0] - rho).

Several faces in one frame are learnt in the order of their ids, each with the weights that the
face before has changed.

References: Fremaux and Gerstner, Neuromodulated spike-timing-dependent plasticity, and theory of
three-factor learning rules, 2016; Kaiser, Mostafa, Neftci, Synaptic plasticity dynamics for deep
continuous local learning (DECOLLE), 2020; Urbanczik and Senn, Learning by the dendritic prediction
of somatic spiking, 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Model
from fer_snn.core.network import FrameActivity, Network
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import Floats, label_means, softmax

Target: TypeAlias = int | NDArray[np.floating]
"""What a face shows: the index of a label, or the share t_k of every label (labels), sum 1."""

READOUT_SEED = 20
"""Seed of the fixed random read-outs of the hidden layers."""


class Learning(str, Enum):
    """Mode of learning; see the module."""

    OFF = "off"
    UNSUPERVISED = "unsupervised"
    SUPERVISED = "supervised"


@dataclass(frozen=True)
class SupervisedParameters:
    """Constants of the supervised rule.

    Attributes
    ----------
    eta_w : learning rate of the weights to a hidden layer, as a share of the mean weight of the
        neuron, per presynaptic spike and unit of error.
    eta_v : learning rate of the weights to the expression layer, per presynaptic spike and unit of
        error.
    eta_theta : change of the threshold of a hidden neuron per face, volts.
    rho : share of the faces for which a hidden neuron should fire.
    kappa : factor of u_k in p_k of the expression layer.
    tolerance : error below which nothing is learnt.
    presentation : duration of a presentation, seconds of simulated time.
    """

    eta_w: float = 0.02
    eta_v: float = 2e-5
    eta_theta: float = 8e-5
    rho: float = 0.3
    kappa: float = 6.0
    tolerance: float = 0.02
    presentation: float = 0.060


@lru_cache(maxsize=16)
def hidden_readout(layer: int, n_neurons: int, n_labels: int) -> Float32s:
    """Return the fixed weights g of the read-out of a hidden layer (neurons, labels).

    They depend on nothing else, and those of a label do not change when another label is added.

    Parameters
    ----------
    layer : number of the hidden layer, from 0 on.
    """
    columns = [
        np.random.default_rng((READOUT_SEED, layer, label)).uniform(-1, 1, n_neurons)
        for label in range(n_labels)
    ]
    return (np.stack(columns, axis=1) / np.sqrt(n_neurons)).astype(np.float32)


def label_errors(evidence: Floats | Float32s, targets: Float32s, kappa: float = 1.0) -> Float32s:
    """Return e_k of every label (..., labels), given u_k and t_k of every label."""
    return (targets - softmax(np.asarray(kappa * evidence))).astype(np.float32)


def expression_evidence(model: Model, counts: Int32s | Float32s) -> Floats:
    """Return u_k of the expression layer (..., labels).

    Parameters
    ----------
    counts : number of spikes of each presynaptic neuron of the layer (..., n_pre).
    """
    drive = counts.astype(np.float32) @ model.stages[-1].weights
    drive = drive - drive.mean(axis=-1, keepdims=True)
    return label_means(drive, model.neuron_label, len(model.labels))


def own_errors(model: Model, errors: Float32s) -> Float32s:
    """Return the error of the label of each expression neuron (..., neurons); 0 without label."""
    own = errors[..., model.neuron_label]
    return np.where(model.neuron_label >= 0, own, np.float32(0))


def shares_of(target: Target, n_labels: int) -> Float32s:
    """Return the share t_k of every label (labels)."""
    shares = np.arange(n_labels) == target if np.ndim(target) == 0 else target
    return np.asarray(shares, dtype=np.float32)


def teach(
    network: Network, counts: Sequence[Int32s], target: Target, parameters: SupervisedParameters
) -> None:
    """Apply the supervised rule after the presentation of a face.

    The caller restores the L1 norms with `Network.normalise`.

    Parameters
    ----------
    counts : number of spikes of each neuron, for every layer from the feature layer on.
    target : what the face shows.
    """
    model = network.model
    n_labels, last = len(model.labels), len(model.stages) - 1
    shares = shares_of(target, n_labels)
    for layer in range(last):
        fired = counts[layer + 1] > 0
        shift = parameters.eta_theta * (fired - np.float32(parameters.rho))
        network.shift_thresholds(layer, shift.astype(np.float32))
        readout = hidden_readout(layer, len(fired), n_labels)
        errors = label_errors(counts[layer + 1] @ readout, shares)
        if errors.max() >= parameters.tolerance:
            stage = model.stages[layer]
            rate = np.float32(parameters.eta_w) * stage.wiring.column_means(stage.weights)
            factor = np.where(fired, rate * (readout @ errors), 0)
            network.add_outer_product(layer, counts[layer], factor.astype(np.float32))
    pre = model.presynaptic(last, counts)
    errors = label_errors(expression_evidence(model, pre), shares, parameters.kappa)
    if errors.max() >= parameters.tolerance:
        factor = np.float32(parameters.eta_v) * own_errors(model, errors)
        network.add_outer_product(last, pre, factor)


class PresentationCounts:
    """Spike counts of a face in a presentation, which may take several frames."""

    def __init__(self) -> None:
        """Start a presentation."""
        self._steps = 0
        self._counts: list[Int32s] = []

    def add(self, activity: FrameActivity) -> None:
        """Add the spikes of a frame."""
        counts = activity.counts
        if self._counts:
            counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
        self._counts = counts
        self._steps += activity.steps

    def learn(self, network: Network, label: int, parameters: SupervisedParameters) -> bool:
        """If the presentation is over, learn that it showed `label`; return whether it was."""
        # The tolerance of half a nanosecond is for rounding.
        if self._steps * network.parameters.dt < parameters.presentation - 5e-10:
            return False
        teach(network, self._counts, label, parameters)
        network.normalise()
        self._steps, self._counts = 0, []
        return True
