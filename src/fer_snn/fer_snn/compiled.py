"""The steps of one frame as one compiled kernel.

It is `reference.run`, fused, event-driven and without allocation per step.

Weights are stored presynaptic-major, so that a spike adds one contiguous row. Firing takes two
passes, one that a processor can do many neurons at a time and one that only visits the neurons that
fired. Operations and their order are those of `reference`, and the compiler may not reorder them
(no fastmath), so the results are equal bit for bit.

Compiled code is cached beside this file, or in the user's cache where that cannot be written. The
kernels take plain tuples and know no constant of another module: numba neither finds out when such
a constant changes nor can it read its cache when a class has moved.

Importing this module needs numba; `kernels` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from fer_snn import lif, stdp, threshold
from fer_snn.inhibition import LANES
from fer_snn.layers import LayerActivity, LayerState, LayerStep
from fer_snn.lif import Float32s, Int32s
from fer_snn.wiring import Wiring


def _jit(function: Any) -> Any:
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # numba finds no folder that it may cache in; the code then is compiled at each start.
        return numba.njit(nogil=True)(function)


@_jit
def _fire(layer, current, neuron, theta, flags, fired):  # type: ignore[no-untyped-def]
    """Advance a layer; write which neurons fired into `flags` and `fired`, return how many."""
    v, refractory, _, _, _ = layer
    decay, v_rest, v_th, v_reset, r_m, refractory_steps = neuron
    n = len(v)
    for j in range(n):
        v_inf = v_rest + r_m * current[j]
        moved = v_inf + (v[j] - v_inf) * decay
        left = refractory[j]
        held = left > 0
        moved = v_reset if held else moved
        spike = (moved >= v_th + theta[j]) and not held
        v[j] = v_reset if spike else moved
        refractory[j] = refractory_steps if spike else max(left - np.int32(1), np.int32(0))
        flags[j] = spike
    words = flags.view(np.uint64)
    k = 0
    for word in range(len(words)):
        if words[word]:
            for j in range(word * 8, min(word * 8 + 8, n)):
                if flags[j]:
                    fired[k] = j
                    k += 1
    return k


@_jit
def _arrive(drive, edges, w, arrived, decay_s):  # type: ignore[no-untyped-def]
    """Let the drive decay, then let the spikes add their rows."""
    start, row, column = edges
    width = w.shape[1]
    for j in range(len(drive)):
        drive[j] *= decay_s
    for i in arrived:
        for edge in range(start[i], start[i + 1]):
            weights = w[row[edge]]
            target = drive[column[edge] * width : (column[edge] + 1) * width]
            for k in range(width):
                target[k] += weights[k]


@_jit
def _inhibit(current, beta, alpha, lanes):  # type: ignore[no-untyped-def]
    """Apply both kinds of inhibition within one column."""
    n = len(current)
    inhibited = beta * (_lane_sum(current, lanes) / np.float32(n))
    winner = 0
    for j in range(n):
        current[j] -= inhibited
        if current[j] > current[winner]:
            winner = j
    strongest = current[winner]
    if strongest > np.float32(0):
        for j in range(n):
            current[j] -= alpha * strongest
        current[winner] = strongest


@_jit
def _lane_sum(values, lanes):  # type: ignore[no-untyped-def]
    width = len(lanes)
    whole = len(values) // width * width
    lanes[:] = np.float32(0)
    for start in range(0, whole, width):
        for lane in range(width):
            lanes[lane] += values[start + lane]
    for lane in range(len(values) - whole):
        lanes[lane] += values[whole + lane]
    total = np.float32(0)
    for lane in range(width):
        total += lanes[lane]
    return total


@_jit
def _adapt(theta, fired, adaptation):  # type: ignore[no-untyped-def]
    delta, decay = adaptation
    for j in range(len(theta)):
        theta[j] *= decay
    for j in fired:
        theta[j] += delta


@_jit
def _learn(w, edges, by_column, x, y, arrived, fired, window):  # type: ignore[no-untyped-def]
    """Pair STDP of one step; `x` and `y` are the traces of both sides."""
    a_pre, a_post, decay_pre, decay_post, w_min, w_max = window
    start, row, column = edges
    pre_of_row, first_row = by_column
    width = w.shape[1]
    for i in range(len(x)):
        x[i] *= decay_pre
    for j in range(len(y)):
        y[j] *= decay_post
    for i in arrived:
        for edge in range(start[i], start[i + 1]):
            weights = w[row[edge]]
            trace = y[column[edge] * width : (column[edge] + 1) * width]
            for k in range(width):
                weights[k] = min(max(weights[k] + a_post * trace[k], w_min), w_max)
    for j in fired:
        k = j % width
        for r in range(first_row[j // width], first_row[j // width + 1]):
            w[r, k] = min(max(w[r, k] + a_pre * x[pre_of_row[r]], w_min), w_max)
    for i in arrived:
        x[i] += np.float32(1)
    for j in fired:
        y[j] += np.float32(1)


@_jit
def _record(activity, step, v, flags, fired):  # type: ignore[no-untyped-def]
    counts, raster, potential = activity
    for j in fired:
        counts[j] += 1
    if len(raster):
        raster[step, :] = flags[: len(v)]
    if len(potential):
        potential[step, :] = v


@_jit
def _run(  # type: ignore[no-untyped-def]
    n_steps, current, layers, wirings, weights, thetas, constants,
    neuron, adaptation, window, plastic, activity, scratch,
):  # fmt: skip
    no_theta, currents, flags, fired, lanes = scratch
    for step in range(n_steps):
        count = _fire(layers[0], current, neuron, no_theta, flags[0], fired[0])
        spikes = fired[0][:count]
        _record(activity[0], step, layers[0][0], flags[0], spikes)
        for p in range(len(weights)):
            pre, post, arrived, received = layers[p], layers[p + 1], spikes, currents[p]
            edges, by_column = wirings[p]
            decay_s, gain, beta, alpha = constants[p]
            width = weights[p].shape[1]
            _arrive(post[2], edges, weights[p], arrived, decay_s)
            for j in range(len(received)):
                received[j] = gain * post[2][j]
            for begin in range(0, len(received), width):
                _inhibit(received[begin : begin + width], beta, alpha, lanes)
            count = _fire(post, received, neuron, thetas[p], flags[p + 1], fired[p + 1])
            spikes = fired[p + 1][:count]
            _adapt(thetas[p], spikes, adaptation)
            _record(activity[p + 1], step, post[0], flags[p + 1], spikes)
            if plastic[p]:
                _learn(weights[p], edges, by_column, pre[3], post[4], arrived, spikes, window)


def run(
    n_steps: int,
    current: Float32s,
    layers: Sequence[LayerState],
    wirings: Sequence[Wiring],
    weights: Sequence[Float32s],
    thetas: Sequence[Float32s],
    constants: Sequence[LayerStep],
    neuron: lif.LIFStep,
    adaptation: threshold.ThresholdStep,
    window: stdp.STDPStep,
    plastic: Sequence[bool],
    activity: Sequence[LayerActivity],
) -> None:
    """Do as `reference.run`."""
    sizes = [len(layer.v) for layer in layers]
    scratch = (
        np.zeros(sizes[0], dtype=np.float32),
        tuple(np.empty(n, dtype=np.float32) for n in sizes[1:]),
        # Whole words of eight flags, so that the silent ones are passed over eight at a time.
        tuple(np.zeros(-(-n // 8) * 8, dtype=np.uint8) for n in sizes),
        tuple(np.empty(n, dtype=np.int32) for n in sizes),
        np.empty(LANES, dtype=np.float32),
    )
    _run(
        n_steps,
        current,
        tuple(map(tuple, layers)),
        tuple((tuple(w.edges), (w.pre_of_row, w.first_row)) for w in wirings),
        tuple(weights),
        tuple(thetas),
        tuple(map(tuple, constants)),
        tuple(neuron),
        tuple(adaptation),
        tuple(window),
        tuple(plastic),
        tuple(map(tuple, activity)),
        scratch,
    )


@_jit
def _nudge(w, edges, pre, post, w_min, w_max):  # type: ignore[no-untyped-def]
    start, row, column = edges
    width = w.shape[1]
    for i in range(len(pre)):
        if pre[i] > 0:
            spikes = np.float32(pre[i])
            for edge in range(start[i], start[i + 1]):
                weights = w[row[edge]]
                change = post[column[edge] * width : (column[edge] + 1) * width]
                for k in range(width):
                    weights[k] = min(max(weights[k] + spikes * change[k], w_min), w_max)


def nudge(
    wiring: Wiring,
    weights: Float32s,
    pre: Int32s,
    post: Float32s,
    w_min: np.float32,
    w_max: np.float32,
) -> None:
    """Do as `reference.nudge`."""
    _nudge(weights, tuple(wiring.edges), pre, post, w_min, w_max)


@_jit
def _normalise(w, first_row, s_target):  # type: ignore[no-untyped-def]
    width = w.shape[1]
    norms = np.empty(width, dtype=np.float64)
    factors = np.empty(width, dtype=np.float32)
    for column in range(len(first_row) - 1):
        norms[:] = 0.0
        for r in range(first_row[column], first_row[column + 1]):
            for k in range(width):
                norms[k] += abs(np.float64(w[r, k]))
        for k in range(width):
            factors[k] = np.float32(s_target / norms[k] if norms[k] > 0 else 1.0)
        for r in range(first_row[column], first_row[column + 1]):
            for k in range(width):
                w[r, k] *= factors[k]


def normalise(wiring: Wiring, weights: Float32s, s_target: float) -> None:
    """Do as `reference.normalise`."""
    _normalise(weights, wiring.first_row, float(s_target))
