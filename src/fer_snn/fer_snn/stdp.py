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

Reference: Morrison, Diesmann, Gerstner, Phenomenological models of synaptic plasticity based on
spike timing, 2008.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.lif import Bools, Float32s


@dataclass(frozen=True)
class STDPParameters:
    """The window: dimensionless amplitudes and bounds, time constants in seconds."""

    a_pre: float = 0.005
    a_post: float = -0.002
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


class Traces(NamedTuple):
    """Exponential traces of the spikes of both sides, dimensionless."""

    pre: Float32s
    post: Float32s


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


def step(
    weights: Float32s, traces: Traces, pre: Bools, post: Bools, constants: STDPStep
) -> tuple[Float32s, Traces]:
    """Apply the spikes of one step.

    Parameters
    ----------
    weights:
        (n_pre, n_post); not changed.
    traces:
        As they stood after the step before; not changed.
    pre, post:
        Which neurons fire in this step, (n_pre) and (n_post).
    constants:
        From `discretise`.

    Returns
    -------
    The weights and the traces after the step.
    """
    new = weights.copy()
    now = decayed(traces, constants)
    change(new, now, pre, post, constants)
    return new, raised(now, pre, post)


def decayed(traces: Traces, constants: STDPStep) -> Traces:
    """Return the traces as a step finds them, before its own spikes are added."""
    return Traces(traces.pre * constants.decay_pre, traces.post * constants.decay_post)


def change(weights: Float32s, now: Traces, pre: Bools, post: Bools, constants: STDPStep) -> None:
    """Change weights (n_pre, n_post), in place, for the spikes of a step that finds `now`."""
    low, high = constants.w_min, constants.w_max
    if pre.any():
        weights[pre] = np.clip(weights[pre] + constants.a_post * now.post, low, high)
    if post.any():
        rise = (constants.a_pre * now.pre)[:, None]
        weights[:, post] = np.clip(weights[:, post] + rise, low, high)


def raised(now: Traces, pre: Bools, post: Bools) -> Traces:
    """Return the traces with the spikes of a step added."""
    one = np.float32(1)
    return Traces(np.where(pre, now.pre + one, now.pre), np.where(post, now.post + one, now.post))
