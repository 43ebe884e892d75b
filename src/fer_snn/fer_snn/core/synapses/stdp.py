"""Spike-timing-dependent plasticity, pair-based with traces.

A pair of a presynaptic spike and a postsynaptic spike that are dt = t_post - t_pre apart changes
the weight by

    dw = A_pre  exp(-dt / tau_pre)      dt > 0   (pre before post: potentiation)
    dw = A_post exp(+dt / tau_post)     dt < 0   (post before pre: depression, A_post < 0)
    dw = 0                              dt = 0

and w is clipped to [w_min, w_max]. All pairs count. Two traces hold the sums over the spikes of the
past, so that nothing is remembered of single spikes:

    x_i <- x_i exp(-dt / tau_pre),   then + 1 at each presynaptic spike
    y_j <- y_j exp(-dt / tau_post),  then + 1 at each postsynaptic spike

    at a presynaptic  spike:  w_ij <- w_ij + A_post y_j     for every j
    at a postsynaptic spike:  w_ij <- w_ij + A_pre  x_i     for every i

Both read the traces before the spikes of the present step are added, which is what makes dw(0) = 0.
In a step in which both sides fire, the presynaptic event is applied first, and w is clipped after
each event.

A postsynaptic spike would so touch the weights of all its inputs. What it owes them can wait until
they are read, which is when their presynaptic neuron fires next. Let i have fired last in step s,
and left the trace x_i(s) behind. Then it has contributed to the spikes of j since then

    w_ij <- w_ij + A_pre x_i(s) R_j(s)      R_j(s) = sum of exp(-(t - s) dt / tau_pre)
                                                     over the steps t > s in which j fired

The credit R_j(s) is kept for each step s of the last `BLOCK`, and grows with each spike of j. All
that is owed is paid at the end of each frame, and of each block: outside of a frame the weights are
those of the equations above. All terms of the sum have the sign of A_pre, so for weights within
their bounds clipping once leaves the same as clipping after each spike; what differs is the
rounding of a sum, less than 1e-6 with the default amplitudes. (Weights that homeostasis took out of
bounds are clipped when they are next read.)

Reference: Morrison, Diesmann, Gerstner, Phenomenological models of synaptic plasticity based on
spike timing, 2008.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.core.neurons.lif import Bools, Float32s


@dataclass(frozen=True)
class STDPParameters:
    """The window: dimensionless amplitudes and bounds, time constants in seconds."""

    a_pre: float = 1e-5
    a_post: float = -1.05e-5
    tau_pre: float = 0.020
    tau_post: float = 0.020
    w_min: float = 0.0
    w_max: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a window without length and bounds that cross (ValueError)."""
        if not (self.tau_pre > 0 and self.tau_post > 0):
            raise ValueError("tau_pre and tau_post must be above 0")
        if not self.w_min < self.w_max:
            raise ValueError("w_min must lie below w_max")


BLOCK = 64
"""Steps after which all potentiation is paid at the latest; it bounds the memory for credit."""


class STDPStep(NamedTuple):
    """The constants of one step, rounded once to float32."""

    a_pre: np.float32
    a_post: np.float32
    decay_pre: np.float32
    decay_post: np.float32
    w_min: np.float32
    w_max: np.float32


def discretise(parameters: STDPParameters, dt: float) -> STDPStep:
    """Return the constants of a step of `dt` seconds."""
    return STDPStep(
        a_pre=np.float32(parameters.a_pre),
        a_post=np.float32(parameters.a_post),
        decay_pre=np.float32(math.exp(-dt / parameters.tau_pre)),
        decay_post=np.float32(math.exp(-dt / parameters.tau_post)),
        w_min=np.float32(parameters.w_min),
        w_max=np.float32(parameters.w_max),
    )


def window(dt: float, parameters: STDPParameters) -> float:
    """Return dw of a pair of spikes `dt` = t_post - t_pre seconds apart, before clipping."""
    if dt > 0:
        return parameters.a_pre * math.exp(-dt / parameters.tau_pre)
    if dt < 0:
        return parameters.a_post * math.exp(dt / parameters.tau_post)
    return 0.0


def blank_credit(n_steps: int, columns: int, width: int) -> Float32s:
    """Return credit R (steps of a block + 1, columns, width) of which the first step is valid."""
    credit = np.empty((min(n_steps, BLOCK) + 1, columns, width), dtype=np.float32)
    credit[0] = 0
    return credit


def powers(constants: STDPStep, n: int) -> Float32s:
    """Return what 0, 1, ... n - 1 steps leave of a presynaptic trace (n)."""
    factors = np.full(n, constants.decay_pre, dtype=np.float32)
    factors[:1] = 1
    return np.multiply.accumulate(factors)


def potentiated(
    weights: Float32s, trace: Float32s, credit: Float32s | Bools, constants: STDPStep
) -> Float32s:
    """Return rows of weights (rows, width) after the postsynaptic spikes that are owed to them.

    Parameters
    ----------
    weights:
        As the last presynaptic spike left them.
    trace:
        x_i as it stood then (rows).
    credit:
        R_j since then (rows, width).
    constants:
        From `discretise`.
    """
    return clipped(weights + (constants.a_pre * trace)[:, None] * credit, constants)


def depressed(weights: Float32s, trace: Float32s, constants: STDPStep) -> Float32s:
    """Return rows of weights after a presynaptic spike that finds the traces y (rows, width)."""
    return clipped(weights + constants.a_post * trace, constants)


def clipped(weights: Float32s, constants: STDPStep) -> Float32s:
    """Return the weights within their bounds."""
    return np.clip(weights, constants.w_min, constants.w_max)
