"""Compiled kernels: weights and thresholds that learn; see `compiled`."""

import numpy as np

from fer_snn.core.kernels.code_cache import compiled_function
from fer_snn.core.kernels.compiled_layers import (
    copy,
    count,
    excite,
    fade,
    fire,
    inhibit,
    no_flags,
    no_spikes,
    note,
    record,
    scale,
)


@compiled_function
def clip(weight, w_min, w_max):  # type: ignore[no-untyped-def]
    """Return a weight within its bounds."""
    return min(max(weight, w_min), w_max)


@compiled_function
def arrive_learning(drive, edges, w, arrived, x, depression, last, pending, window):  # type: ignore[no-untyped-def]
    """Add the rows of the neurons that fired to the drive; potentiate before, depress after."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for edge in range(start[i], start[i + 1]):
            r, c = row[edge], column[edge]
            for k in range(w.shape[1]):
                weight = clip(w[r, k] + gain * pending[since, c, k], w_min, w_max)
                drive[c, k] += weight
                w[r, k] = clip(weight + depression[c, k], w_min, w_max)


@compiled_function
def arrive_learning_everywhere(drive, w, arrived, x, depression, last, pending, window):  # type: ignore[no-untyped-def]
    """Do the same as `arrive_learning`, 25 % faster, for one column that sees the whole map."""
    a_pre, _, _, _, w_min, w_max = window
    for i in arrived:
        gain, since = a_pre * x[i], last[i]
        for k in range(w.shape[1]):
            weight = clip(w[i, k] + gain * pending[since, 0, k], w_min, w_max)
            drive[0, k] += weight
            w[i, k] = clip(weight + depression[0, k], w_min, w_max)


@compiled_function
def no_pending_potentiation(n_steps, columns, padded, window):  # type: ignore[no-untyped-def]
    """Do the same as `stdp.no_pending_potentiation` and `stdp.trace_decay`."""
    pending = np.empty((n_steps + 1, columns, padded), dtype=np.float32)
    pending[0] = np.float32(0)
    trace_decay = np.ones(n_steps + 1, dtype=np.float32)
    for k in range(n_steps):
        trace_decay[k + 1] = trace_decay[k] * window[2]
    return pending, trace_decay


@compiled_function
def end_step(now, edges, w, arrived, fired, x, y, last, pending, trace_decay, window):  # type: ignore[no-untyped-def]
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
                    w[r, k] = clip(w[r, k] + a_pre * trace, w_min, w_max)
        x[i] = trace + np.float32(1)
        last[i] = now
    for j in fired:
        c, k = j // width, j % width
        y[c, k] += np.float32(1)
        for since in range(now):
            pending[since, c, k] += trace_decay[now - since]
    pending[now] = np.float32(0)


@compiled_function
def settle(now, edges, w, x, last, pending, trace_decay, window, silent):  # type: ignore[no-untyped-def]
    """Do the same as `stdp.PairSTDP.settle`."""
    a_pre, _, _, _, w_min, w_max = window
    start, row, column = edges
    for i in range(len(x)):
        if x[i] != np.float32(0):
            gain, since = a_pre * x[i], last[i]
            for edge in range(start[i], start[i + 1]):
                r, c = row[edge], column[edge]
                for k in range(w.shape[1]):
                    w[r, k] = clip(w[r, k] + gain * pending[since, c, k], w_min, w_max)
            faded = x[i] * trace_decay[now - since]
            x[i] = faded if abs(faded) >= silent else np.float32(0)
        last[i] = 0
    pending[0] = np.float32(0)


@compiled_function
def adapt(theta, fired, adaptation, silent):  # type: ignore[no-untyped-def]
    """Do the same as `threshold.step`, in place."""
    delta, decay = adaptation
    fade(theta, decay, silent)
    for j in fired:
        theta[j] += delta


@compiled_function
def project_learning(  # type: ignore[no-untyped-def]
    received, edges, w, width, x, post, theta, constants, neuron, adaptation, window, block,
    activity, silent,
):  # fmt: skip
    """Advance a layer of one face, step by step, while its weights learn; see `project`."""
    decay_s, gain, beta, alpha = constants
    v, refractory, drive, _, y = post
    n, padded = len(v), w.shape[1]
    columns = n // width
    everywhere = columns == 1 and len(w) == len(x)
    by_column, y_by_column = drive.reshape(columns, width), y.reshape(columns, width)
    summed = np.zeros((columns, padded), dtype=np.float32)
    depression = np.zeros((columns, padded), dtype=np.float32)
    for c in range(columns):
        copy(by_column[c], summed[c, :width])
    current, (flags, words) = np.empty(width, dtype=np.float32), no_flags(n)
    lanes = np.empty(16, dtype=np.float32)
    last, now = np.zeros(len(x), dtype=np.uint32), 0
    pending, trace_decay = no_pending_potentiation(block, columns, padded, window)
    arriving, first = received
    n_steps = len(first) - 1
    spikes, noted = no_spikes(n_steps * n), 0
    for step in range(n_steps):
        arrived = arriving[first[step] : first[step + 1]]
        fade(summed.reshape(-1), decay_s, silent)
        fade(y, window[3], silent)
        for c in range(columns):
            scale(y_by_column[c], window[1], depression[c, :width])
        if everywhere:
            arrive_learning_everywhere(summed, w, arrived, x, depression, last, pending, window)
        else:
            arrive_learning(summed, edges, w, arrived, x, depression, last, pending, window)
        for c in range(columns):
            begin, end = c * width, (c + 1) * width
            column_theta = theta[begin:end]
            total = excite(summed[c], np.float32(1), gain, current, lanes)
            inhibition = inhibit(current, total, column_theta, neuron[4], beta, alpha)
            fire(
                v[begin:end], refractory[begin:end], current, inhibition, neuron, column_theta,
                flags[begin:end],
            )  # fmt: skip
        begin, noted = noted, note(flags, words, 0, step, spikes, noted)
        fired = spikes[0][begin:noted]
        record(activity, 0, step, 0, v, flags)
        adapt(theta, fired, adaptation, silent)
        now += 1
        end_step(now, edges, w, arrived, fired, x, y_by_column, last, pending, trace_decay, window)
        if now == block or step == n_steps - 1:
            settle(now, edges, w, x, last, pending, trace_decay, window, silent)
            now = 0
    for c in range(columns):
        copy(summed[c], by_column[c])
    count(spikes[0], 0, noted, 0, activity[0][0])
    return spikes[0][:noted], spikes[1][:noted]


@compiled_function
def add_outer_product(w, width, edges, pre, post, w_min, w_max):  # type: ignore[no-untyped-def]
    """Do the same as `reference.add_outer_product`."""
    start, row, column = edges
    for i in range(len(pre)):
        if pre[i] > 0:
            spikes = np.float32(pre[i])
            for edge in range(start[i], start[i + 1]):
                weights = w[row[edge]]
                change = post[column[edge] * width : (column[edge] + 1) * width]
                for k in range(width):
                    weights[k] = clip(weights[k] + spikes * change[k], w_min, w_max)


@compiled_function
def normalise(w, width, first_row, s_target, bounds, rounds):  # type: ignore[no-untyped-def]
    """Do the same as `reference.normalise`."""
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
                    bounded = clip(unbounded, w_min, w_max)
                    clipped |= unbounded != bounded
                    w[r, k] = bounded
            if not clipped:
                break


@compiled_function
def consolidate(w, known, share):  # type: ignore[no-untyped-def]
    """Do the same as `homeostasis.consolidated`, in place."""
    for r in range(known.shape[0]):
        for k in range(known.shape[1]):
            weight, goal = w[r, k], known[r, k]
            low, high = min(weight, goal), max(weight, goal)
            w[r, k] = clip(weight + share * (goal - weight), low, high)
