"""The steps of one frame as compiled kernels.

They do the same as `reference`, but fused, event-driven and without allocation per step. The
operations and their order are those of `reference`, and the compiler may not reorder them (no
fastmath), so the results are equal bit for bit.

- Weights are stored presynaptic-major, so a spike adds one contiguous row. The same visit applies
  deferred potentiation and depression (`stdp`), so learning touches no other weights.
- Layers are advanced one after the other through all steps of a frame, by two kernels.
- Rows are padded to whole vectors (`model.Stage.padded_weights`). The padding is computed along
  with the weights and never read.
- Indices that are read from arrays are unsigned: signed ones might count from the end.
- Compiled code is cached beside this file, or in the user's cache if that folder is read-only
  (`interface` enables the cache, if its files are whole). The kernels take plain tuples and use no
  constants of other modules, because numba does not notice when such a constant changes and cannot
  read its cache after a class has moved.

Importing this module needs numba; see `interface.choose`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from fer_snn.core.kernels.interface import Constants, Pathway
from fer_snn.core.kernels.several_below import joined_spikes, joined_trace, store_trace
from fer_snn.core.model import Stage
from fer_snn.core.neurons.inhibition import LANES
from fer_snn.core.neurons.layers import LayerActivity, LayerState
from fer_snn.core.neurons.lif import SILENT, Float32s, Int32s
from fer_snn.core.synapses import homeostasis, stdp

KERNELS: list[Any] = []
"""All compiled functions of this module."""


def _jit(function: Any) -> Any:
    KERNELS.append(numba.njit(nogil=True)(function))
    return KERNELS[-1]


@_jit
def _fire(v, refractory, current, neuron, theta, flags, fired):  # type: ignore[no-untyped-def]
    """Advance a layer; write the neurons that fired to `flags` and `fired`, return their number."""
    decay, v_rest, v_th, v_reset, r_m, refractory_steps = neuron
    n = len(v)
    for j in range(n):
        v_inf = v_rest + r_m * current[j]
        moved = v_inf + (v[j] - v_inf) * decay
        left = refractory[j]
        held = left > 0
        moved = v_reset if held else moved
        spike = (moved >= v_th + theta[j]) & (not held)
        v[j] = v_reset if spike else moved
        refractory[j] = refractory_steps if spike else max(left - np.int32(1), np.int32(0))
        flags[j] = spike
    # Eight neurons at a time: mostly, none of them has fired.
    words = flags[: n // 8 * 8].view(np.uint64)
    k = 0
    for word in range(len(words)):
        if words[word]:
            for j in range(8 * word, 8 * word + 8):
                # Without a branch, which a processor would mostly mispredict.
                fired[k] = j
                k += flags[j]
    for j in range(8 * len(words), n):
        fired[k] = j
        k += flags[j]
    return k


@_jit
def _fade(values, factor, silent):  # type: ignore[no-untyped-def]
    """Do the same as `lif.decayed`, in place."""
    for j in range(len(values)):
        faded = values[j] * factor
        values[j] = faded if abs(faded) >= silent else np.float32(0)


@_jit
def _arrive(drive, edges, w, arrived):  # type: ignore[no-untyped-def]
    """Add the rows of the neurons that fired to the drive (columns, width)."""
    start, row, column = edges
    for i in arrived:
        for edge in range(start[i], start[i + 1]):
            r, c = row[edge], column[edge]
            for k in range(w.shape[1]):
                drive[c, k] += w[r, k]


@_jit
def _clip(weight, w_min, w_max):  # type: ignore[no-untyped-def]
    return min(max(weight, w_min), w_max)


@_jit
def _arrive_learning(drive, edges, w, arrived, x, depression, last, pending, window):  # type: ignore[no-untyped-def]
    """Do the same as `_arrive`, with potentiation before and depression after."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for edge in range(start[i], start[i + 1]):
            r, c = row[edge], column[edge]
            for k in range(w.shape[1]):
                weight = _clip(w[r, k] + gain * pending[since, c, k], w_min, w_max)
                drive[c, k] += weight
                w[r, k] = _clip(weight + depression[c, k], w_min, w_max)


@_jit
def _arrive_learning_everywhere(drive, w, arrived, x, depression, last, pending, window):  # type: ignore[no-untyped-def]
    """Do the same as `_arrive_learning`, 25 % faster, for one column that sees the whole map."""
    a_pre, _, _, _, w_min, w_max = window
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for k in range(w.shape[1]):
            weight = _clip(w[i, k] + gain * pending[since, 0, k], w_min, w_max)
            drive[0, k] += weight
            w[i, k] = _clip(weight + depression[0, k], w_min, w_max)


@_jit
def _no_pending_potentiation(n_steps, columns, padded, window):  # type: ignore[no-untyped-def]
    """Do the same as `stdp.no_pending_potentiation` and `stdp.trace_decay`."""
    pending = np.empty((n_steps + 1, columns, padded), dtype=np.float32)
    pending[0] = np.float32(0)
    trace_decay = np.ones(n_steps + 1, dtype=np.float32)
    for k in range(n_steps):
        trace_decay[k + 1] = trace_decay[k] * window[2]
    return pending, trace_decay


@_jit
def _end_step(now, edges, w, arrived, fired, x, y, last, pending, trace_decay, window):  # type: ignore[no-untyped-def]
    """Do the same as `stdp.PairSTDP.end_step`."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    width = y.shape[1]
    for i in arrived:
        trace = x[i] * trace_decay[now - last[i]]
        for edge in range(start[i], start[i + 1]):
            r, first = row[edge], column[edge] * width
            for j in fired:
                if first <= j < first + width:
                    k = j - first
                    w[r, k] = _clip(w[r, k] + a_pre * trace, w_min, w_max)
        x[i] = trace + np.float32(1)
        last[i] = now
    for j in fired:
        c, k = j // width, j % width
        y[c, k] += np.float32(1)
        for since in range(now):
            pending[since, c, k] += trace_decay[now - since]
    pending[now] = np.float32(0)


@_jit
def _settle(now, edges, w, x, last, pending, trace_decay, window, silent):  # type: ignore[no-untyped-def]
    """Do the same as `stdp.PairSTDP.settle`."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in range(len(x)):
        if x[i] != np.float32(0):
            gain, since = a_pre * x[i], last[i]
            for edge in range(start[i], start[i + 1]):
                r, c = row[edge], column[edge]
                for k in range(w.shape[1]):
                    w[r, k] = _clip(w[r, k] + gain * pending[since, c, k], w_min, w_max)
            faded = x[i] * trace_decay[now - since]
            x[i] = faded if abs(faded) >= silent else np.float32(0)
        last[i] = 0
    pending[0] = np.float32(0)


@_jit
def _inhibit(current, theta, r_m, beta, alpha, lanes):  # type: ignore[no-untyped-def]
    """Apply both kinds of inhibition within one column."""
    n = len(current)
    inhibited = beta * (_lane_sum(current, lanes) / np.float32(n))
    for j in range(n):
        current[j] -= inhibited
    if alpha == np.float32(0):
        return
    winner = 0
    for j in range(n):
        if r_m * current[j] - theta[j] > r_m * current[winner] - theta[winner]:
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
def _adapt(theta, fired, adaptation, silent):  # type: ignore[no-untyped-def]
    delta, decay = adaptation
    _fade(theta, decay, silent)
    for j in fired:
        theta[j] += delta


@_jit
def _record(activity, step, v, flags, fired):  # type: ignore[no-untyped-def]
    counts, raster, potential = activity
    for j in fired:
        counts[j] += 1
    if len(raster):
        raster[step, :] = flags
    if len(potential):
        potential[step, :] = v


@_jit
def _input(n_steps, current, v, refractory, neuron, activity):  # type: ignore[no-untyped-def]
    """Advance the feature layer; return its spikes, and the index of the first of each step."""
    n = len(v)
    theta, flags = np.zeros(n, dtype=np.float32), np.empty(n, dtype=np.uint8)
    spikes, start = np.empty(n_steps * n, dtype=np.uint32), np.zeros(n_steps + 1, dtype=np.int32)
    for step in range(n_steps):
        begin = start[step]
        end = begin + _fire(v, refractory, current, neuron, theta, flags, spikes[begin:])
        _record(activity, step, v, flags, spikes[begin:end])
        start[step + 1] = end
    return spikes, start


@_jit
def _project(  # type: ignore[no-untyped-def]
    received, edges, w, width, x, post, theta, constants, neuron, adaptation, window,
    plastic, block, activity, silent, n_lanes,
):  # fmt: skip
    """Advance a layer by the spikes of the layer below; return the same as `_input`."""
    decay_s, gain, beta, alpha = constants
    v, refractory, drive, _, y = post
    n, padded = len(v), w.shape[1]
    columns = n // width
    everywhere = columns == 1 and len(w) == len(x)
    by_column, y_by_column = drive.reshape(columns, width), y.reshape(columns, width)
    summed = np.zeros((columns, padded), dtype=np.float32)
    depression = np.zeros((columns, padded), dtype=np.float32)
    summed[:, :width] = by_column
    current, flags = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.uint8)
    lanes = np.empty(n_lanes, dtype=np.float32)
    last, now = np.zeros(len(x), dtype=np.uint32), 0
    pending, trace_decay = _no_pending_potentiation(
        block if plastic else 0, columns, padded, window
    )
    arriving, first = received
    n_steps = len(first) - 1
    spikes, start = np.empty(n_steps * n, dtype=np.uint32), np.zeros(n_steps + 1, dtype=np.int32)
    for step in range(n_steps):
        arrived = arriving[first[step] : first[step + 1]]
        _fade(summed.reshape(-1), decay_s, silent)
        if plastic:
            _fade(y, window[3], silent)
            depression[:, :width] = window[1] * y_by_column
            if everywhere:
                _arrive_learning_everywhere(
                    summed, w, arrived, x, depression, last, pending, window
                )
            else:
                _arrive_learning(summed, edges, w, arrived, x, depression, last, pending, window)
        else:
            _arrive(summed, edges, w, arrived)
        for c in range(columns):
            for k in range(width):
                current[c * width + k] = gain * summed[c, k]
        for column in range(0, n, width):
            end = column + width
            _inhibit(current[column:end], theta[column:end], neuron[4], beta, alpha, lanes)
        begin = start[step]
        end = begin + _fire(v, refractory, current, neuron, theta, flags, spikes[begin:])
        fired = spikes[begin:end]
        start[step + 1] = end
        _record(activity, step, v, flags, fired)
        if plastic:
            _adapt(theta, fired, adaptation, silent)
            now += 1
            _end_step(
                now, edges, w, arrived, fired, x, y_by_column, last, pending, trace_decay, window
            )
            if now == block or step == n_steps - 1:
                _settle(now, edges, w, x, last, pending, trace_decay, window, silent)
                now = 0
    by_column[:] = summed[:, :width]
    return spikes, start


def run(
    n_steps: int,
    current: Float32s,
    layers: Sequence[LayerState],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    """Do the same as `reference.run`."""
    first, neuron = layers[0], tuple(constants.neuron)
    spikes = [_input(n_steps, current, first.v, first.refractory, neuron, tuple(activity[0]))]
    for path, post, record in zip(pathways, layers[1:], activity[1:], strict=True):
        stage = path.stage
        trace = joined_trace(layers, path.below)
        fired = _project(
            joined_spikes([spikes[k] for k in path.below], [len(layers[k].v) for k in path.below]),
            tuple(stage.wiring.edges),
            stage.padded_weights,
            stage.wiring.width,
            trace,
            tuple(post),
            stage.theta,
            tuple(path.drive),
            neuron,
            tuple(constants.adaptation),
            tuple(constants.window),
            path.plastic,
            min(n_steps, stdp.BLOCK),
            tuple(record),
            SILENT,
            LANES,
        )
        spikes.append(fired)
        if path.plastic:
            store_trace(trace, layers, path.below)


@_jit
def _add_outer_product(w, width, edges, pre, post, w_min, w_max):  # type: ignore[no-untyped-def]
    start, row, column = edges
    for i in range(len(pre)):
        if pre[i] > 0:
            spikes = np.float32(pre[i])
            for edge in range(start[i], start[i + 1]):
                weights = w[row[edge]]
                change = post[column[edge] * width : (column[edge] + 1) * width]
                for k in range(width):
                    weights[k] = _clip(weights[k] + spikes * change[k], w_min, w_max)


def add_outer_product(
    stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32
) -> None:
    """Do the same as `reference.add_outer_product`."""
    wiring = stage.wiring
    _add_outer_product(
        stage.padded_weights, wiring.width, tuple(wiring.edges), pre, post, w_min, w_max
    )


@_jit
def _normalise(w, width, first_row, s_target, bounds, rounds):  # type: ignore[no-untyped-def]
    w_min, w_max = bounds
    norms = np.empty(width, dtype=np.float64)
    factors = np.empty(width, dtype=np.float32)
    for column in range(len(first_row) - 1):
        for _ in range(rounds):
            norms[:] = 0.0
            for r in range(first_row[column], first_row[column + 1]):
                for k in range(width):
                    norms[k] += abs(np.float64(w[r, k]))
            for k in range(width):
                factors[k] = np.float32(s_target / norms[k] if norms[k] > 0 else 1.0)
            clipped = 0
            for r in range(first_row[column], first_row[column + 1]):
                for k in range(width):
                    unbounded = w[r, k] * factors[k]
                    bounded = _clip(unbounded, w_min, w_max)
                    clipped |= unbounded != bounded
                    w[r, k] = bounded
            if not clipped:
                break


def normalise(stage: Stage, s_target: float, w_min: np.float32, w_max: np.float32) -> None:
    """Do the same as `reference.normalise`."""
    wiring, bounds, rounds = stage.wiring, (w_min, w_max), homeostasis.ROUNDS
    _normalise(
        stage.padded_weights, wiring.width, wiring.first_row, float(s_target), bounds, rounds
    )
