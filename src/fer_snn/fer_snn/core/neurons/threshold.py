"""Adaptive threshold: the threshold of a neuron rises with each of its spikes.

    theta_j <- theta_j exp(-dt / tau_theta),   then + delta at each spike of j

A neuron fires at V_th + theta. theta changes slowly, over many faces. It prevents one neuron of a
layer from winning every time. Like the weights, it belongs to the network and is frozen while the
network does not learn.

Trained neurons have resting values theta0 of their own, to which theta returns:

    theta_j - theta0_j <- (theta_j - theta0_j) exp(-dt / tau_theta)

The equation is linear, so adding theta0 (1 - exp(-n dt / tau_theta)) after n steps of the first
form gives the second. `towards_rest` returns this term, which is added at the end of a frame.

Reference: Zhang and Linden, The other side of the engram: experience-driven changes in neuronal
intrinsic excitability, 2003; the form is that of Diehl and Cook, 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.core.neurons.lif import Bools, Float32s, decayed


@dataclass(frozen=True)
class ThresholdParameters:
    """Rise per spike (volts) and time constant of the decay (seconds)."""

    delta: float = 1e-7
    tau_theta: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a time constant that is not positive (ValueError)."""
        if not self.tau_theta > 0:
            raise ValueError("tau_theta must be above 0")


class ThresholdStep(NamedTuple):
    """The constants of one step, rounded once to float32."""

    delta: np.float32
    decay: np.float32


def discretise(parameters: ThresholdParameters, dt: float) -> ThresholdStep:
    """Return the constants of a step of `dt` seconds."""
    return ThresholdStep(
        np.float32(parameters.delta), np.float32(math.exp(-dt / parameters.tau_theta))
    )


def towards_rest(rest: Float32s, n_steps: int, constants: ThresholdStep) -> Float32s:
    """Return the term that moves theta back to `rest` (n, volts) after `n_steps` steps."""
    return rest * np.float32(1 - float(constants.decay) ** n_steps)


def step(theta: Float32s, fired: Bools, constants: ThresholdStep) -> Float32s:
    """Return theta (n, volts) after a step in which some neurons `fired` (n)."""
    now = decayed(theta, constants.decay)
    return np.where(fired, now + constants.delta, now)
