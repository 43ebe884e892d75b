"""Adaptive threshold: a neuron that fires often becomes harder to fire.

    theta_j <- theta_j exp(-dt / tau_theta),   then + delta at each spike of j

A neuron fires at V_th + theta. theta changes slowly, over many faces; it makes the neurons of a
layer share the work instead of one winning everything. It belongs to the network, as the weights
do, and is frozen while nothing is learnt.

Reference: Zhang and Linden, The other side of the engram: experience-driven changes in neuronal
intrinsic excitability, 2003; the form is that of Diehl and Cook, 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.decay import decayed
from fer_snn.lif import Bools, Float32s


@dataclass(frozen=True)
class ThresholdParameters:
    """How the threshold adapts: volts per spike, and seconds."""

    delta: float = 1e-5
    tau_theta: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a time constant that is not positive (ValueError)."""
        if not self.tau_theta > 0:
            raise ValueError("tau_theta must be above 0")


class ThresholdStep(NamedTuple):
    """The constants of one step, rounded once to float32."""

    delta: np.float32
    decay: np.float32


FROZEN = ThresholdStep(np.float32(0), np.float32(1))
"""The constants of a threshold that stays as it is."""


def discretise(parameters: ThresholdParameters, dt: float) -> ThresholdStep:
    """Return the constants of a step of `dt` seconds."""
    return ThresholdStep(
        np.float32(parameters.delta), np.float32(math.exp(-dt / parameters.tau_theta))
    )


def step(theta: Float32s, fired: Bools, constants: ThresholdStep) -> Float32s:
    """Return theta (n, volts) after a step in which the neurons `fired` (n) did."""
    now = decayed(theta, constants.decay)
    return np.where(fired, now + constants.delta, now)
