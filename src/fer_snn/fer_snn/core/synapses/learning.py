"""The three modes of learning.

off           Nothing changes.

unsupervised  Pair STDP with the exact window of `stdp`, L1 homeostasis, lateral inhibition and the
              adaptive threshold, on the projection to the expression layer (`Network.advance` with
              `plastic`). Labels are not used. Neurons compete harder while they learn than while
              they answer (`competition`); otherwise they would all learn the same.

supervised    With a label: a three-factor rule, applied once after each presentation. All factors
              are available at the synapse. The expression layer compares its answer with the label,

                  p_k = exp(kappa n_k) / sum_l exp(kappa n_l)      e_k = t_k - p_k

              where n_k is the mean number of spikes of the neurons of label k, and t_k is the share
              of label k in what the teacher says: 1 for the true label and 0 for the others, or,
              where people disagreed, the share of those who named k. A projection to the expression
              layer changes by

                  dv_ij = eta_v h_i e_k(j)

              with h_i the number of spikes of presynaptic neuron i, and e_k(j) the error of the
              label of neuron j. A projection to the hidden layer changes by

                  dw_ij = eta_w x_i 1[h_j > 0] sum_k B_jk e_k

              with x_i the number of spikes of feature neuron i. The error reaches hidden neuron j
              through fixed weights: each hidden neuron is assigned one label, for which B_jk is 1;
              for all others it is -1/2. This is a broadcast, not backpropagation, because B does
              not depend on the weights v.

              Nothing is learnt from faces that are answered as the teacher would (no label has an
              error e_k of `tolerance` or more). Weights are clipped to their bounds and scaled to
              their L1 norm. The threshold of each hidden neuron is adjusted until it fires for a
              share rho of all faces: theta_j <- theta_j + eta_theta (1[h_j > 0] - rho).

Several faces in one frame are learnt in the order of their ids, each with the weights that the
face before has changed.

References: Fremaux and Gerstner, Neuromodulated spike-timing-dependent plasticity, and theory of
three-factor learning rules, 2016; Lillicrap et al., Random synaptic feedback weights support error
backpropagation for deep learning, 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Model
from fer_snn.core.network import FrameActivity, Network
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import label_means, softmax

Target: TypeAlias = int | NDArray[np.floating]
"""What a face shows: the index of a label, or the share t_k of every label (labels), sum 1."""

OTHER_LABELS = np.float32(-0.5)
"""Feedback to a hidden neuron from labels other than its own."""


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
    eta_w, eta_v : learning rate of the weights to the hidden and to the expression layer, per
        presynaptic spike and unit of error.
    eta_theta : change of the threshold of a hidden neuron per face, volts.
    rho : share of the faces for which a hidden neuron should fire.
    kappa : evidence of a spike in p_k.
    tolerance : error below which nothing is learnt.
    presentation : duration of a presentation, seconds of simulated time.
    """

    eta_w: float = 4e-5
    eta_v: float = 1e-3
    eta_theta: float = 4e-5
    rho: float = 0.4
    kappa: float = 1.0
    tolerance: float = 0.02
    presentation: float = 0.060

    def scaled(self, rate: float, least_theta: float = 0.0) -> SupervisedParameters:
        """Return all rates times `rate`, that of the thresholds at least times `least_theta`."""
        return replace(
            self,
            eta_w=self.eta_w * rate,
            eta_v=self.eta_v * rate,
            eta_theta=self.eta_theta * max(rate, least_theta),
        )


def label_errors(model: Model, counts: Int32s, target: Target, kappa: float) -> Float32s:
    """Return e_k of every label, given the number of spikes of each expression neuron."""
    n_labels = len(model.labels)
    said = softmax(kappa * label_means(counts, model.neuron_label, n_labels))
    shares = np.arange(n_labels) == target if np.ndim(target) == 0 else target
    return (shares - said).astype(np.float32)


def feedback(n_hidden: int, n_labels: int) -> Float32s:
    """Return B (hidden neurons, labels); labels are assigned to the hidden neurons in turn."""
    dealt = np.arange(n_hidden)[:, None] % n_labels == np.arange(n_labels)
    return np.where(dealt, np.float32(1), OTHER_LABELS)


def teach(
    network: Network, counts: Sequence[Int32s], target: Target, parameters: SupervisedParameters
) -> None:
    """Apply the supervised rule after the presentation of a face.

    The caller restores the L1 norms with `Network.normalise`.

    Parameters
    ----------
    counts:
        Number of spikes of each neuron, for every layer from the feature layer on.
    target:
        What the face shows.
    """
    model = network.model
    errors = label_errors(model, counts[-1], target, parameters.kappa)
    hidden = len(model.stages) > 1
    if hidden:
        fired = counts[1] > 0
        network.shift_thresholds(0, parameters.eta_theta * (fired - np.float32(parameters.rho)))
    if errors.max() < parameters.tolerance:
        return
    if hidden:
        broadcast = feedback(len(fired), len(model.labels)) @ errors
        factor = np.where(fired, np.float32(parameters.eta_w) * broadcast, np.float32(0))
        network.add_outer_product(0, counts[0], factor)
    named = model.neuron_label >= 0
    own_error = np.where(named, errors[model.neuron_label], np.float32(0))
    network.add_outer_product(
        len(model.stages) - 1, counts[-2], np.float32(parameters.eta_v) * own_error
    )


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
