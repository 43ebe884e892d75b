"""The three ways of learning.

off           Nothing changes.

unsupervised  Pair STDP with the exact window of `stdp`, L1 homeostasis, lateral inhibition and the
              adaptive threshold, on the projection to the expression layer (`Network.advance` with
              `plastic`). Labels play no part. While they learn, neurons compete harder than while
              they answer (`competition`), or every one of them would come to mean the same.

supervised    With a label: a rule of three factors that are all there at the synapse, applied once
              after a presentation. The expression layer compares what it said with what it is
              taught,

                  p_k = exp(kappa n_k) / sum_l exp(kappa n_l)      e_k = t_k - p_k

              where n_k is the mean number of spikes of the neurons of label k, and t_k is 1 for the
              true label, else 0. A projection to the expression layer changes by

                  dv_ij = eta_v h_i e_k(j)

              with h_i the spikes of presynaptic neuron i, and e_k(j) the error of the label of
              neuron j. A projection to the hidden layer changes by

                  dw_ij = eta_w x_i 1[h_j > 0] sum_k B_jk e_k

              with x_i the spikes of feature neuron i. The error reaches hidden neuron j through
              fixed weights: it is dealt one label, for which B_jk is 1, and -1/2 for all others. It
              is a broadcast, not backpropagation: B has nothing to do with the weights v.

              Nothing is learnt from faces that are answered right and surely (p of the true label
              within `tolerance` of 1). Weights are clipped to their bounds and scaled to their L1
              norm. Each hidden neuron keeps a threshold at which it fires for a share rho of all
              faces: theta_j <- theta_j + eta_theta (1[h_j > 0] - rho).

Learning from several faces in one frame: in the order of their ids, each with the weights that the
one before left.

References: Fremaux and Gerstner, Neuromodulated spike-timing-dependent plasticity, and theory of
three-factor learning rules, 2016; Lillicrap et al., Random synaptic feedback weights support error
backpropagation for deep learning, 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from fer_snn.core.model import Model
from fer_snn.core.network import FrameActivity, Network
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import label_means, softmax

OTHER_LABELS = np.float32(-0.5)
"""Feedback to a hidden neuron from the labels that it was not dealt."""


class Learning(str, Enum):
    """How the network learns."""

    OFF = "off"
    UNSUPERVISED = "unsupervised"
    SUPERVISED = "supervised"


@dataclass(frozen=True)
class SupervisedParameters:
    """Constants of the supervised rule.

    Attributes
    ----------
    eta_w, eta_v : change of a weight to the hidden and to the expression layer, per presynaptic
        spike and unit of error.
    eta_theta : change of the threshold of a hidden neuron per face, volts.
    rho : share of the faces for which a hidden neuron shall fire.
    kappa : what a spike is worth in p_k.
    tolerance : error below which nothing is learnt.
    presentation : seconds of simulated time that a lesson lasts.
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


def label_errors(model: Model, counts: Int32s, label: int, kappa: float) -> Float32s:
    """Return e_k for every label, from the spikes of each expression neuron."""
    mean_spikes = label_means(counts, model.neuron_label, len(model.labels))
    errors = -softmax(kappa * mean_spikes)
    errors[label] += 1.0
    return errors.astype(np.float32)


def feedback(n_hidden: int, n_labels: int) -> Float32s:
    """Return B (hidden neurons, labels): labels are dealt to the hidden neurons in turn."""
    dealt = np.arange(n_hidden)[:, None] % n_labels == np.arange(n_labels)
    return np.where(dealt, np.float32(1), OTHER_LABELS)


def teach(
    network: Network, counts: Sequence[Int32s], label: int, parameters: SupervisedParameters
) -> None:
    """Change the network after a presentation of a face that shows a label.

    L1 norms are left to the caller: `Network.normalise`.

    Parameters
    ----------
    counts:
        Spikes of each neuron in the presentation, for every layer from the input on.
    label:
        Index of the label.
    """
    model = network.model
    errors = label_errors(model, counts[-1], label, parameters.kappa)
    hidden = len(model.stages) > 1
    if hidden:
        fired = counts[1] > 0
        network.shift_thresholds(0, parameters.eta_theta * (fired - np.float32(parameters.rho)))
    if errors[label] < parameters.tolerance:
        return
    if hidden:
        broadcast = feedback(len(fired), len(model.labels)) @ errors
        factor = np.where(fired, np.float32(parameters.eta_w) * broadcast, np.float32(0))
        network.nudge(0, counts[0], factor)
    named = model.neuron_label >= 0
    own_error = np.where(named, errors[model.neuron_label], np.float32(0))
    network.nudge(len(model.stages) - 1, counts[-2], np.float32(parameters.eta_v) * own_error)


class Lesson:
    """Spikes of a face since it was last learnt from; a presentation may span several frames."""

    def __init__(self) -> None:
        """Start with no spikes."""
        self._steps = 0
        self._counts: list[Int32s] = []

    def add(self, activity: FrameActivity) -> None:
        """Count the spikes of a frame."""
        counts = activity.counts
        if self._counts:
            counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
        self._counts = counts
        self._steps += activity.steps

    def learn(self, network: Network, label: int, parameters: SupervisedParameters) -> bool:
        """Learn that this was `label` once a presentation is over; return whether it was."""
        # Half a nanosecond of tolerance: the product carries rounding.
        if self._steps * network.parameters.dt < parameters.presentation - 5e-10:
            return False
        teach(network, self._counts, label, parameters)
        network.normalise()
        self._steps, self._counts = 0, []
        return True
