"""Leaky integrate-and-fire neurons.

The membrane potential V follows

    tau_m dV/dt = -(V - V_rest) + R_m I(t)

A neuron fires when V reaches V_th, and V is then held at V_reset for t_ref. Where the current is
constant over a step the equation has the exact solution that `step` uses (no Euler error, stable
for every dt):

    V(t + dt) = V_inf + (V(t) - V_inf) exp(-dt / tau_m)        V_inf = V_rest + R_m I

Time is a whole number of steps. A spike belongs to the step at whose end V reached the threshold,
and the round(t_ref / dt) steps that follow are refractory.

Synaptic drive, traces and thresholds decay exponentially. A value below `SILENT` counts as zero:
after a second or two without spikes it would otherwise become a denormal float (below 1.2e-38),
with which a processor is about 30 times slower. Weights, potentials and currents are of order 1e-3
and above, so in single precision the difference has no effect.

Reference: Gerstner, Kistler, Naud, Paninski, Neuronal Dynamics, 2014, sections 1.3 and 5.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32s = NDArray[np.float32]
Int32s = NDArray[np.int32]
Bools = NDArray[np.bool_]

SILENT = np.float32(1e-30)
"""The smallest magnitude that is kept, in the unit of the value that decays."""


@dataclass(frozen=True)
class LIFParameters:
    """Constants of the neurons, SI units: seconds, ohms, volts."""

    tau_m: float = 0.010
    r_m: float = 1.0
    v_rest: float = -0.070
    v_th: float = -0.050
    v_reset: float = -0.075
    t_ref: float = 0.002

    def __post_init__(self) -> None:
        """Refuse constants with which a neuron could never fire or never rest (ValueError)."""
        if not (self.tau_m > 0 and self.r_m > 0 and self.t_ref >= 0):
            raise ValueError("tau_m and r_m must be above 0, and t_ref must not be negative")
        if not max(self.v_rest, self.v_reset) < self.v_th:
            raise ValueError("v_rest and v_reset must lie below v_th")

    @property
    def rheobase_v(self) -> float:
        """Distance between resting potential and threshold, volts."""
        return self.v_th - self.v_rest

    @property
    def rheobase(self) -> float:
        """The smallest constant current that brings a neuron to its threshold, amperes."""
        return self.rheobase_v / self.r_m


class LIFState(NamedTuple):
    """State of a layer of n neurons."""

    v: Float32s
    """Membrane potential, volts (n)."""

    refractory: Int32s
    """Number of refractory steps that remain (n)."""


class LIFStep(NamedTuple):
    """The constants of one step of length dt, rounded once to float32."""

    decay: np.float32
    v_rest: np.float32
    v_th: np.float32
    v_reset: np.float32
    r_m: np.float32
    refractory_steps: np.int32


def discretise(parameters: LIFParameters, dt: float) -> LIFStep:
    """Return the constants of a step of `dt` seconds."""
    return LIFStep(
        decay=np.float32(math.exp(-dt / parameters.tau_m)),
        v_rest=np.float32(parameters.v_rest),
        v_th=np.float32(parameters.v_th),
        v_reset=np.float32(parameters.v_reset),
        r_m=np.float32(parameters.r_m),
        refractory_steps=np.int32(round(parameters.t_ref / dt)),
    )


def resting(n: int, parameters: LIFParameters) -> LIFState:
    """Return `n` neurons at rest."""
    return LIFState(np.full(n, parameters.v_rest, dtype=np.float32), np.zeros(n, dtype=np.int32))


def step(
    state: LIFState, current: Float32s, constants: LIFStep, theta: Float32s
) -> tuple[LIFState, Bools]:
    """Advance a layer by one step.

    Parameters
    ----------
    state : the layer before the step; not changed.
    current : input current of each neuron during the step, amperes (n).
    constants : from `discretise`.
    theta : adaptive part of the threshold of each neuron, volts (n).

    Returns
    -------
    The layer after the step, and which neurons fired (n).
    """
    v_inf = constants.v_rest + constants.r_m * current
    v = v_inf + (state.v - v_inf) * constants.decay
    held = state.refractory > 0
    v = np.where(held, constants.v_reset, v)
    fired = (v >= constants.v_th + theta) & ~held
    v = np.where(fired, constants.v_reset, v)
    refractory = np.where(
        fired, constants.refractory_steps, np.maximum(state.refractory - 1, 0)
    ).astype(np.int32)
    return LIFState(v, refractory), fired


def decayed(values: Float32s, factor: np.float32 | Float32s) -> Float32s:
    """Return `values` times `factor`, and 0 where the result is below `SILENT`."""
    faded = values * factor
    return np.where(np.abs(faded) >= SILENT, faded, np.float32(0))
