"""The steps of one frame as one compiled kernel.

It is `reference.run`, fused, event-driven and without allocation per step.

Weights are stored presynaptic-major, so that a spike adds one contiguous row; while it is there,
the row is also potentiated by all that it is owed and depressed (`stdp`), so that learning visits
no other weights. Layers are advanced one after the other through all steps of a frame: two kernels,
compiled once each, serve networks of any depth. Operations and their order are those of
`reference`, and the compiler may not reorder them (no fastmath), so the results are equal bit for
bit.

Rows have room for whole vectors (`model.Stage.room`); what stands behind a row's own weights is
changed with them, and never read.

Indices that are read from arrays are unsigned: of others the compiled code would ask at each access
whether they count from the end.

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

from fer_snn.core.kernels.pathways import Constants, Pathway
from fer_snn.core.model import Stage
from fer_snn.core.neurons.decay import SILENT
from fer_snn.core.neurons.inhibition import LANES
from fer_snn.core.neurons.layers import LayerActivity, LayerState
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.synapses import stdp


def _jit(function: Any) -> Any:
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # numba finds no folder that it may cache in; the code then is compiled at each start.
        return numba.njit(nogil=True)(function)


@_jit
def _fire(v, refractory, current, neuron, theta, flags, fired):  # type: ignore[no-untyped-def]
    """Advance a layer; write which neurons fired into `flags` and `fired`, return how many."""
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
    k = 0
    for j in range(n):
        # Without a branch, which a processor would mostly guess wrong.
        fired[k] = j
        k += flags[j]
    return k


@_jit
def _fade(values, factor, silent):  # type: ignore[no-untyped-def]
    """Do as `decay.decayed`, in place."""
    for j in range(len(values)):
        faded = values[j] * factor
        values[j] = faded if abs(faded) >= silent else np.float32(0)


@_jit
def _arrive(drive, edges, w, arrived):  # type: ignore[no-untyped-def]
    """Let the spikes add their rows to the drive (columns, width)."""
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
def _arrive_learning(drive, edges, w, arrived, x, depression, last, credit, window):  # type: ignore[no-untyped-def]
    """Do as `_arrive`, to weights that are potentiated before and depressed after."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for edge in range(start[i], start[i + 1]):
            r, c = row[edge], column[edge]
            for k in range(w.shape[1]):
                weight = _clip(w[r, k] + gain * credit[since, c, k], w_min, w_max)
                drive[c, k] += weight
                w[r, k] = _clip(weight + depression[c, k], w_min, w_max)


@_jit
def _arrive_learning_everywhere(drive, w, arrived, x, depression, last, credit, window):  # type: ignore[no-untyped-def]
    """Do as `_arrive_learning`, a quarter faster, where one column sees everything in order."""
    a_pre, _, _, _, w_min, w_max = window
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for k in range(w.shape[1]):
            weight = _clip(w[i, k] + gain * credit[since, 0, k], w_min, w_max)
            drive[0, k] += weight
            w[i, k] = _clip(weight + depression[0, k], w_min, w_max)


@_jit
def _blank_credit(n_steps, columns, room, window):  # type: ignore[no-untyped-def]
    """Do as `stdp.blank_credit` and `stdp.powers`."""
    credit = np.empty((n_steps + 1, columns, room), dtype=np.float32)
    credit[0] = np.float32(0)
    powers = np.ones(n_steps + 1, dtype=np.float32)
    for k in range(n_steps):
        powers[k + 1] = powers[k] * window[2]
    return credit, powers


@_jit
def _credit(now, edges, w, arrived, fired, x, y, last, credit, powers, window):  # type: ignore[no-untyped-def]
    """Do as `plasticity.Plasticity.credit`."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    width = y.shape[1]
    for i in arrived:
        trace = x[i] * powers[now - last[i]]
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
            credit[since, c, k] += powers[now - since]
    credit[now] = np.float32(0)


@_jit
def _settle(now, edges, w, x, last, credit, powers, window, silent):  # type: ignore[no-untyped-def]
    """Do as `plasticity.Plasticity.settle`."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in range(len(x)):
        if x[i] != np.float32(0):
            gain, since = a_pre * x[i], last[i]
            for edge in range(start[i], start[i + 1]):
                r, c = row[edge], column[edge]
                for k in range(w.shape[1]):
                    w[r, k] = _clip(w[r, k] + gain * credit[since, c, k], w_min, w_max)
            faded = x[i] * powers[now - since]
            x[i] = faded if abs(faded) >= silent else np.float32(0)
        last[i] = 0
    credit[0] = np.float32(0)


@_jit
def _inhibit(current, theta, r_m, beta, alpha, lanes):  # type: ignore[no-untyped-def]
    """Apply both kinds of inhibition within one column."""
    n = len(current)
    inhibited = beta * (_lane_sum(current, lanes) / np.float32(n))
    winner = 0
    for j in range(n):
        current[j] -= inhibited
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
    """Advance the first layer; return its spikes, and where those of each step begin."""
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
    """Advance a layer by the spikes of the one below; return as `_input`."""
    decay_s, gain, beta, alpha = constants
    v, refractory, drive, _, y = post
    n, room = len(v), w.shape[1]
    columns = n // width
    everywhere = columns == 1 and len(w) == len(x)
    by_column, y_by_column = drive.reshape(columns, width), y.reshape(columns, width)
    summed = np.zeros((columns, room), dtype=np.float32)
    depression = np.zeros((columns, room), dtype=np.float32)
    summed[:, :width] = by_column
    current, flags = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.uint8)
    lanes = np.empty(n_lanes, dtype=np.float32)
    last, now = np.zeros(len(x), dtype=np.uint32), 0
    credit, powers = _blank_credit(block if plastic else 0, columns, room, window)
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
                _arrive_learning_everywhere(summed, w, arrived, x, depression, last, credit, window)
            else:
                _arrive_learning(summed, edges, w, arrived, x, depression, last, credit, window)
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
            _credit(now, edges, w, arrived, fired, x, y_by_column, last, credit, powers, window)
            if now == block or step == n_steps - 1:
                _settle(now, edges, w, x, last, credit, powers, window, silent)
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
    """Do as `reference.run`."""
    first, neuron = layers[0], tuple(constants.neuron)
    spikes = [_input(n_steps, current, first.v, first.refractory, neuron, tuple(activity[0]))]
    for path, post, record in zip(pathways, layers[1:], activity[1:], strict=True):
        stage = path.stage
        fired = _project(
            spikes[path.below],
            tuple(stage.wiring.edges),
            stage.room,
            stage.wiring.width,
            layers[path.below].trace_pre,
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


@_jit
def _nudge(w, width, edges, pre, post, w_min, w_max):  # type: ignore[no-untyped-def]
    start, row, column = edges
    for i in range(len(pre)):
        if pre[i] > 0:
            spikes = np.float32(pre[i])
            for edge in range(start[i], start[i + 1]):
                weights = w[row[edge]]
                change = post[column[edge] * width : (column[edge] + 1) * width]
                for k in range(width):
                    weights[k] = _clip(weights[k] + spikes * change[k], w_min, w_max)


def nudge(stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32) -> None:
    """Do as `reference.nudge`."""
    wiring = stage.wiring
    _nudge(stage.room, wiring.width, tuple(wiring.edges), pre, post, w_min, w_max)


@_jit
def _normalise(w, width, first_row, s_target):  # type: ignore[no-untyped-def]
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


def normalise(stage: Stage, s_target: float) -> None:
    """Do as `reference.normalise`."""
    _normalise(stage.room, stage.wiring.width, stage.wiring.first_row, float(s_target))
