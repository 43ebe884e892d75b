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

Both read the traces before the spikes of the present step are added; this makes dw(0) = 0. In a
step in which both sides fire, both events are applied with the traces of earlier spikes, the
presynaptic one first; the order matters only for clipping. w is clipped after each event.

In this form a postsynaptic spike changes the weights of all its inputs. The potentiation can be
deferred until a weight is read, that is, until its presynaptic neuron fires next. If i last fired
in step s and left the trace x_i(s), the spikes of j since then have the effect

    w_ij <- w_ij + A_pre x_i(s) R_j(s)      R_j(s) = sum of exp(-(t - s) dt / tau_pre)
                                                     over the steps t > s in which j fired

R_j(s), the pending potentiation, is kept for each step s of the present block of `BLOCK` steps, and
grows with each spike of j. It is applied at the end of each block and of each frame, so between
frames the weights are those of the equations above. All terms of the sum have the sign of A_pre, so
clipping once gives the same as clipping after each spike, as weights are always within bounds. What
remains is the rounding of a sum, less than 1e-6 with the default amplitudes.

Reference: Morrison, Diesmann, Gerstner, Phenomenological models of synaptic plasticity based on
spike timing, 2008.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fer_snn.core.neurons.lif import Bools, Float32s, decayed
from fer_snn.core.synapses.wiring import Wiring


@dataclass(frozen=True)
class STDPParameters:
    """Amplitudes and bounds (dimensionless), and time constants (seconds) of the window."""

    a_pre: float = 2e-7
    a_post: float = -2.1e-7
    tau_pre: float = 0.020
    tau_post: float = 0.020
    w_min: float = 0.0
    w_max: float = 1.0

    def __post_init__(self) -> None:
        """Refuse time constants that are not positive, and w_min above w_max (ValueError)."""
        if not (self.tau_pre > 0 and self.tau_post > 0):
            raise ValueError("tau_pre and tau_post must be above 0")
        if not self.w_min < self.w_max:
            raise ValueError("w_min must lie below w_max")


BLOCK = 64
"""Maximum number of steps for which potentiation is deferred; it limits the memory."""


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
    """Return dw before clipping of a pair of spikes with `dt` = t_post - t_pre seconds."""
    if dt > 0:
        return parameters.a_pre * math.exp(-dt / parameters.tau_pre)
    if dt < 0:
        return parameters.a_post * math.exp(dt / parameters.tau_post)
    return 0.0


def no_pending_potentiation(n_steps: int, columns: int, width: int) -> Float32s:
    """Return R (steps of a block + 1, columns, width); only its first step is set, to 0."""
    pending = np.empty((min(n_steps, BLOCK) + 1, columns, width), dtype=np.float32)
    pending[0] = 0
    return pending


def trace_decay(constants: STDPStep, n: int) -> Float32s:
    """Return the factors by which a presynaptic trace decays in 0, 1, ... n - 1 steps (n)."""
    factors = np.full(n, constants.decay_pre, dtype=np.float32)
    factors[:1] = 1
    return np.multiply.accumulate(factors)


def potentiated(
    weights: Float32s, trace: Float32s, pending: Float32s | Bools, constants: STDPStep
) -> Float32s:
    """Return rows of weights (rows, width) with their deferred potentiation.

    Parameters
    ----------
    weights : after the last presynaptic spike.
    trace : x_i after that spike (rows).
    pending : r_j since then (rows, width).
    constants : from `discretise`.
    """
    return clipped(weights + (constants.a_pre * trace)[:, None] * pending, constants)


def depressed(weights: Float32s, trace: Float32s, constants: STDPStep) -> Float32s:
    """Return rows of weights after a presynaptic spike at postsynaptic traces (rows, width)."""
    return clipped(weights + constants.a_post * trace, constants)


def clipped(weights: Float32s, constants: STDPStep) -> Float32s:
    """Return the weights, limited to their bounds."""
    return np.clip(weights, constants.w_min, constants.w_max)


class PairSTDP:
    """Pair STDP of one projection in one frame, in plain NumPy.

    It changes weights and traces in place; potentiation is deferred until `settle`. The order in
    each step is: `potentiate`, arrival of the spikes, `depress`, firing, `end_step`.
    """

    def __init__(
        self,
        wiring: Wiring,
        weights: Float32s,
        trace_pre: Float32s,
        trace_post: Float32s,
        n_steps: int,
        constants: STDPStep,
    ) -> None:
        """Take weights (rows, width) and the traces of both sides, (n_pre) and (n_post)."""
        self._wiring, self._weights, self._constants = wiring, weights, constants
        self._x, self._y = trace_pre, trace_post.reshape(-1, wiring.width)
        self._pending = no_pending_potentiation(n_steps, *self._y.shape)
        self._trace_decay = trace_decay(constants, len(self._pending))
        # Number of steps of the block so far, and that number when each neuron last fired.
        self._now = 0
        self._last = np.zeros(wiring.n_pre, dtype=np.int32)

    def potentiate(self, arrived: Bools) -> None:
        """Apply the deferred potentiation to the weights of presynaptic neurons (n_pre)."""
        row, column = self._wiring.rows_of(arrived)
        pre = self._wiring.pre_of_row[row]
        pending = self._pending[self._last[pre], column]
        self._weights[row] = potentiated(self._weights[row], self._x[pre], pending, self._constants)

    def depress(self, arrived: Bools) -> None:
        """Decay the postsynaptic traces, then apply the presynaptic spikes (n_pre)."""
        self._y[:] = decayed(self._y, self._constants.decay_post)
        row, column = self._wiring.rows_of(arrived)
        self._weights[row] = depressed(self._weights[row], self._y[column], self._constants)

    def end_step(self, arrived: Bools, fired: Bools) -> None:
        """End a step with the spikes of both sides, (n_pre) and (n_post)."""
        by_column = fired.reshape(self._y.shape)
        self._now += 1
        # Neurons that fire now are potentiated at once, with the trace from before the step.
        x = self._x[arrived] * self._trace_decay[self._now - self._last[arrived]]
        self._x[arrived] = x
        row, column = self._wiring.rows_of(arrived)
        self._weights[row] = potentiated(
            self._weights[row],
            self._x[self._wiring.pre_of_row[row]],
            by_column[column],
            self._constants,
        )
        self._x[arrived] = x + np.float32(1)
        self._y[by_column] += np.float32(1)
        self._last[arrived] = self._now
        self._pending[: self._now, by_column] += self._trace_decay[self._now : 0 : -1, None]
        self._pending[self._now] = 0
        if self._now == BLOCK:
            self.settle()

    def settle(self) -> None:
        """Apply all deferred potentiation, and update the traces to the present step."""
        self.potentiate(self._x != 0)
        self._x[:] = decayed(self._x, self._trace_decay[self._now - self._last])
        self._last[:] = self._now = 0
        self._pending[0] = 0
