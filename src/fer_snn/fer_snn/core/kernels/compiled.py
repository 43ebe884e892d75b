"""The steps of one frame as compiled kernels.

They do the same as `reference`, but fused, event-driven and without allocation per step. The
operations and their order are those of `reference`, and the compiler may not reorder them (no
fastmath), so the results are equal bit for bit.

- Inner loops are functions of their own, which are compiled alone: within a large one LLVM does not
  know which arrays overlap, and uses no vectors.
- Weights are stored presynaptic-major, so a spike adds one contiguous row. The same visit applies
  deferred potentiation and depression (`stdp`), so learning touches no other weights.
- Layers are advanced one after the other through all steps of a frame, in all faces. Within a layer
  that does not learn, the columns follow each other as well: inhibition stays within a column. So
  each row of weights is read from memory once, and not again in each step and for each face.
- Spikes are kept in any order in which the neurons of a step ascend, as that of their rows matters.
- Weights that are whole multiples of a power of two are read as bytes (`packed`): a frame reads
  each weight from memory that it needs, which takes longer than the arithmetic.
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
from fer_snn.core.kernels.joined import (
    in_steps,
    joined_spikes,
    joined_state,
    joined_trace,
    store_state,
    store_trace,
)
from fer_snn.core.model import Stage
from fer_snn.core.neurons.layers import LayerActivity, LayerState
from fer_snn.core.neurons.lif import SILENT, Float32s, Int32s
from fer_snn.core.synapses import homeostasis, stdp

BLOCK = 512
"""Neurons of the feature layer that are advanced together: their state takes 6 kB."""

KERNELS: list[Any] = []
"""All compiled functions of this module."""


def _jit(function: Any) -> Any:
    KERNELS.append(numba.njit(nogil=True)(function))
    return KERNELS[-1]


@_jit
def _fire(v, refractory, current, neuron, theta, flags):  # type: ignore[no-untyped-def]
    """Advance some neurons of a layer by a step; write to `flags` which of them fired."""
    decay, v_rest, v_th, v_reset, r_m, refractory_steps = neuron
    for j in range(len(v)):
        v_inf = v_rest + r_m * current[j]
        moved = v_inf + (v[j] - v_inf) * decay
        left = refractory[j]
        held = left > 0
        moved = v_reset if held else moved
        spike = (moved >= v_th + theta[j]) & (not held)
        v[j] = v_reset if spike else moved
        refractory[j] = refractory_steps if spike else max(left - np.int32(1), np.int32(0))
        flags[j] = spike


@_jit
def _note(flags, words, first, time, counts, spikes, noted):  # type: ignore[no-untyped-def]
    """Add the neurons that fired to `spikes`; return the number of all that are noted.

    `words` are the flags, which end in zeros, eight at a time: mostly, none of these has fired.
    """
    neurons, times = spikes
    for word in range(len(words)):
        if words[word]:
            for j in range(8 * word, 8 * word + 8):
                # Without a branch, which a processor would mostly mispredict.
                neurons[noted] = first + j
                times[noted] = time
                noted += flags[j]
            for j in range(8 * word, min(8 * word + 8, len(counts))):
                counts[j] += flags[j]
    return noted


@_jit
def _no_spikes(most):  # type: ignore[no-untyped-def]
    """Return space for spikes: the neuron and the step of each."""
    return np.empty(most + 8, dtype=np.uint32), np.empty(most + 8, dtype=np.uint32)


@_jit
def _no_flags(n):  # type: ignore[no-untyped-def]
    """Return flags for n neurons, and the same as words; see `_note`."""
    flags = np.zeros(-(-n // 8) * 8, dtype=np.uint8)
    return flags, flags.view(np.uint64)


@_jit
def _fade(values, factor, silent):  # type: ignore[no-untyped-def]
    """Do the same as `lif.decayed`, in place."""
    for j in range(len(values)):
        faded = values[j] * factor
        values[j] = faded if abs(faded) >= silent else np.float32(0)


@_jit
def _arrive(drive, w, rows, first, end):  # type: ignore[no-untyped-def]
    """Add some rows of weights to the drive (width) one after the other."""
    for arrived in range(first, end):
        r = rows[arrived]
        for k in range(w.shape[1]):
            drive[k] += np.float32(w[r, k])


@_jit
def _copy(values, to):  # type: ignore[no-untyped-def]
    for j in range(len(to)):
        to[j] = values[j]


@_jit
def _scale(values, factor, to):  # type: ignore[no-untyped-def]
    for j in range(len(to)):
        to[j] = factor * values[j]


@_jit
def _clip(weight, w_min, w_max):  # type: ignore[no-untyped-def]
    return min(max(weight, w_min), w_max)


@_jit
def _arrive_learning(drive, edges, w, arrived, x, depression, last, pending, window):  # type: ignore[no-untyped-def]
    """Add the rows of the neurons that fired to the drive; potentiate before, depress after."""
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
    """Do the same as `inhibition.lane_sum`; `lanes` is space for the partial sums."""
    # `inhibition.LANES` as a number, so that the compiler makes one vector of the loop.
    whole = len(values) // 16 * 16
    lanes[:] = np.float32(0)
    for start in range(0, whole, 16):
        for lane in range(16):
            lanes[lane] += values[start + lane]
    for lane in range(len(values) - whole):
        lanes[lane] += values[whole + lane]
    total = np.float32(0)
    for lane in range(16):
        total += lanes[lane]
    return total


@_jit
def _adapt(theta, fired, adaptation, silent):  # type: ignore[no-untyped-def]
    delta, decay = adaptation
    _fade(theta, decay, silent)
    for j in fired:
        theta[j] += delta


@_jit
def _record(activity, face, step, first, v, flags):  # type: ignore[no-untyped-def]
    _, raster, potential = activity
    end = first + len(v)
    if raster.shape[1]:
        _copy(flags, raster[face, step, first:end])
    if potential.shape[1]:
        _copy(v, potential[face, step, first:end])


@_jit
def _input(n_steps, current, v, refractory, neuron, activity, block):  # type: ignore[no-untyped-def]
    """Advance the feature layer of every face; return its spikes.

    A block of neurons makes all steps before the next one, because it fits into the fastest cache.
    """
    faces, n = v.shape
    theta, (flags, words) = np.zeros(block, dtype=np.float32), _no_flags(block)
    spikes, noted = _no_spikes(faces * n_steps * n), 0
    for face in range(faces):
        for first in range(0, n, block):
            end = min(first + block, n)
            flags[:] = 0
            block_v, block_refractory = v[face, first:end], refractory[face, first:end]
            block_current, counts = current[face, first:end], activity[0][face, first:end]
            for step in range(n_steps):
                _fire(block_v, block_refractory, block_current, neuron, theta, flags)
                time = face * n_steps + step
                noted = _note(flags, words, first, time, counts, spikes, noted)
                _record(activity, face, step, first, block_v, flags)
    return spikes[0][:noted], spikes[1][:noted]


@_jit
def _rows_in_order(spikes, edges, columns, n_times):  # type: ignore[no-untyped-def]
    """Return the rows of weights that spikes add, by column and step, and where each begins."""
    neurons, times = spikes
    start, row, column = edges
    stride, one = np.uint32(n_times), np.uint32(1)
    place = np.zeros(columns * n_times + 1, dtype=np.uint32)
    for spike in range(len(neurons)):
        i, time = neurons[spike], times[spike]
        for edge in range(start[i], start[i + one]):
            place[column[edge] * stride + time] += one
    total = np.uint32(0)
    for k in range(len(place)):
        total, place[k] = total + place[k], total
    rows, begin = np.empty(total, dtype=np.uint32), place.copy()
    for spike in range(len(neurons)):
        i, time = neurons[spike], times[spike]
        for edge in range(start[i], start[i + one]):
            k = column[edge] * stride + time
            rows[place[k]] = row[edge]
            place[k] += one
    return rows, begin


@_jit
def _project(  # type: ignore[no-untyped-def]
    n_steps, received, edges, w, unit, width, theta, v, refractory, drive, constants, neuron,
    activity, silent,
):  # fmt: skip
    """Advance a layer of every face by the spikes that arrive; return the same as `_input`.

    A column makes all steps of all faces before the next one, because its weights fit into a cache.
    Weights are `w` times `unit`, a power of two, and so is the drive meanwhile, without rounding.
    """
    decay_s, gain, beta, alpha = constants
    faces, n = v.shape
    columns = n // width
    rows, begin = _rows_in_order(received, edges, columns, faces * n_steps)
    summed, current = np.zeros(w.shape[1], dtype=np.float32), np.empty(width, dtype=np.float32)
    flags, words = _no_flags(width)
    lanes = np.empty(16, dtype=np.float32)
    spikes, noted = _no_spikes(faces * n_steps * n), 0
    for column in range(columns):
        first, end = column * width, (column + 1) * width
        column_theta = theta[first:end]
        for face in range(faces):
            column_v, column_refractory = v[face, first:end], refractory[face, first:end]
            column_drive, counts = drive[face, first:end], activity[0][face, first:end]
            _scale(column_drive, np.float32(1 / unit), summed[:width])
            for step in range(n_steps):
                time = face * n_steps + step
                _fade(summed, decay_s, np.float32(silent / unit))
                now = column * faces * n_steps + time
                _arrive(summed, w, rows, begin[now], begin[now + 1])
                _scale(summed, unit, current)
                _scale(current, gain, current)
                _inhibit(current, column_theta, neuron[4], beta, alpha, lanes)
                _fire(column_v, column_refractory, current, neuron, column_theta, flags)
                noted = _note(flags, words, first, time, counts, spikes, noted)
                _record(activity, face, step, first, column_v, flags)
            _scale(summed, unit, column_drive)
    return spikes[0][:noted], spikes[1][:noted]


@_jit
def _project_learning(  # type: ignore[no-untyped-def]
    received, edges, w, width, x, post, theta, constants, neuron, adaptation, window, block,
    activity, silent,
):  # fmt: skip
    """Advance a layer of one face, step by step, while its weights learn; see `_project`."""
    decay_s, gain, beta, alpha = constants
    v, refractory, drive, _, y = post
    n, padded = len(v), w.shape[1]
    columns = n // width
    everywhere = columns == 1 and len(w) == len(x)
    by_column, y_by_column = drive.reshape(columns, width), y.reshape(columns, width)
    summed = np.zeros((columns, padded), dtype=np.float32)
    depression = np.zeros((columns, padded), dtype=np.float32)
    for c in range(columns):
        _copy(by_column[c], summed[c, :width])
    current, (flags, words) = np.empty(n, dtype=np.float32), _no_flags(n)
    lanes = np.empty(16, dtype=np.float32)
    last, now = np.zeros(len(x), dtype=np.uint32), 0
    pending, trace_decay = _no_pending_potentiation(block, columns, padded, window)
    arriving, first = received
    n_steps = len(first) - 1
    spikes, noted = _no_spikes(n_steps * n), 0
    for step in range(n_steps):
        arrived = arriving[first[step] : first[step + 1]]
        _fade(summed.reshape(-1), decay_s, silent)
        _fade(y, window[3], silent)
        for c in range(columns):
            _scale(y_by_column[c], window[1], depression[c, :width])
        if everywhere:
            _arrive_learning_everywhere(summed, w, arrived, x, depression, last, pending, window)
        else:
            _arrive_learning(summed, edges, w, arrived, x, depression, last, pending, window)
        for c in range(columns):
            begin, end = c * width, (c + 1) * width
            _scale(summed[c], gain, current[begin:end])
            _inhibit(current[begin:end], theta[begin:end], neuron[4], beta, alpha, lanes)
        _fire(v, refractory, current, neuron, theta, flags)
        begin, noted = noted, _note(flags, words, 0, step, activity[0][0], spikes, noted)
        fired = spikes[0][begin:noted]
        _record(activity, 0, step, 0, v, flags)
        _adapt(theta, fired, adaptation, silent)
        now += 1
        _end_step(now, edges, w, arrived, fired, x, y_by_column, last, pending, trace_decay, window)
        if now == block or step == n_steps - 1:
            _settle(now, edges, w, x, last, pending, trace_decay, window, silent)
            now = 0
    for c in range(columns):
        _copy(summed[c], by_column[c])
    return spikes[0][:noted], spikes[1][:noted]


def run(
    n_steps: int,
    current: Float32s,
    faces: Sequence[Sequence[LayerState]],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    """Do the same as `reference.run`."""
    if len(faces) > 1 and any(path.plastic for path in pathways):
        for k in range(len(faces)):
            own = [record.of(slice(k, k + 1)) for record in activity]
            run(n_steps, current[k : k + 1], faces[k : k + 1], pathways, constants, own)
        return
    neuron, below = tuple(constants.neuron), [face[0] for face in faces]
    v, refractory, _ = state = joined_state(below)
    spikes = [_input(n_steps, current, v, refractory, neuron, tuple(activity[0]), BLOCK)]
    store_state(state, below)
    for number, (path, record) in enumerate(zip(pathways, activity[1:], strict=True), 1):
        stage, sizes = path.stage, [len(faces[0][k].v) for k in path.below]
        received = joined_spikes([spikes[k] for k in path.below], sizes)
        edges, drive = tuple(stage.wiring.edges), tuple(path.drive)
        if path.plastic:
            [face] = faces
            trace = joined_trace(face, path.below)
            fired = _project_learning(
                in_steps(received, n_steps), edges, stage.padded_weights, stage.wiring.width, trace,
                tuple(face[number]), stage.theta, drive, neuron, tuple(constants.adaptation),
                tuple(constants.window), min(n_steps, stdp.BLOCK), tuple(record), SILENT,
            )  # fmt: skip
            store_trace(trace, face, path.below)
        else:
            layer = [face[number] for face in faces]
            state = joined_state(layer)
            fired = _project(
                n_steps, received, edges, *(path.packed or (stage.padded_weights, np.float32(1))),
                stage.wiring.width, stage.theta, *state, drive, neuron, tuple(record), SILENT,
            )  # fmt: skip
            store_state(state, layer)
        spikes.append(fired)


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
