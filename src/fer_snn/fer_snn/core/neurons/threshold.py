"""Adaptive threshold: a neuron that fires often becomes harder to fire.

    theta_j <- theta_j exp(-dt / tau_theta),   then + delta at each spike of j

A neuron fires at V_th + theta. theta changes slowly, over many faces; it makes the neurons of a
layer share the work instead of one winning everything. It belongs to the network, as the weights
do, and is frozen while nothing is learnt.

Neurons that were trained have thresholds of their own, theta0, and come back to these:

    theta_j - theta0_j <- (theta_j - theta0_j) exp(-dt / tau_theta)

The equation is linear, so theta0 (1 - exp(-n dt / tau_theta)) after n steps of the first form gives
the second; `towards_rest` adds it at the end of a frame.

Reference: Zhang and Linden, The other side of the engram: experience-driven changes in neuronal
intrinsic excitability, 2003; the form is that of Diehl and Cook, 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.core.neurons.decay import decayed
from fer_snn.core.neurons.lif import Bools, Float32s


@dataclass(frozen=True)
class ThresholdParameters:
    """How the threshold adapts: volts per spike, and seconds."""

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
    """Return what brings theta back to `rest` (n, volts) after `n_steps` calls of `step`."""
    return rest * np.float32(1 - float(constants.decay) ** n_steps)


def step(theta: Float32s, fired: Bools, constants: ThresholdStep) -> Float32s:
    """Return theta (n, volts) after a step in which the neurons `fired` (n) did."""
    now = decayed(theta, constants.decay)
    return np.where(fired, now + constants.delta, now)
