"""Compiled kernels: layers that advance, and weights that do not learn; see `compiled`."""

import numpy as np

from fer_snn.core.kernels.code_cache import compiled_function


@compiled_function
def fire(v, refractory, current, neuron, theta, flags):  # type: ignore[no-untyped-def]
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


@compiled_function
def note(flags, words, first, time, counts, spikes, noted):  # type: ignore[no-untyped-def]
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


@compiled_function
def no_spikes(most):  # type: ignore[no-untyped-def]
    """Return space for spikes: the neuron and the step of each."""
    return np.empty(most + 8, dtype=np.uint32), np.empty(most + 8, dtype=np.uint32)


@compiled_function
def no_flags(n):  # type: ignore[no-untyped-def]
    """Return flags for n neurons, and the same as words; see `note`."""
    flags = np.zeros(-(-n // 8) * 8, dtype=np.uint8)
    return flags, flags.view(np.uint64)


@compiled_function
def fade(values, factor, silent):  # type: ignore[no-untyped-def]
    """Do the same as `lif.decayed`, in place."""
    for j in range(len(values)):
        faded = values[j] * factor
        values[j] = faded if abs(faded) >= silent else np.float32(0)


@compiled_function
def arrive(drive, w, rows, first, end):  # type: ignore[no-untyped-def]
    """Add some rows of weights to the drive (width) one after the other."""
    for arrived in range(first, end):
        r = rows[arrived]
        for k in range(w.shape[1]):
            drive[k] += np.float32(w[r, k])


@compiled_function
def copy(values, to):  # type: ignore[no-untyped-def]
    """Copy the first of some values to an array."""
    for j in range(len(to)):
        to[j] = values[j]


@compiled_function
def scale(values, factor, to):  # type: ignore[no-untyped-def]
    """Write the first of some values, times a factor, to an array."""
    for j in range(len(to)):
        to[j] = factor * values[j]


@compiled_function
def inhibit(current, theta, r_m, beta, alpha, lanes):  # type: ignore[no-untyped-def]
    """Apply both kinds of inhibition within one column."""
    n = len(current)
    inhibited = beta * (lane_sum(current, lanes) / np.float32(n))
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


@compiled_function
def lane_sum(values, lanes):  # type: ignore[no-untyped-def]
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


@compiled_function
def record(activity, face, step, first, v, flags):  # type: ignore[no-untyped-def]
    """Record spikes and potentials of some neurons, if they are asked for."""
    _, raster, potential = activity
    end = first + len(v)
    if raster.shape[1]:
        copy(flags, raster[face, step, first:end])
    if potential.shape[1]:
        copy(v, potential[face, step, first:end])


@compiled_function
def input_layer(n_steps, current, v, refractory, neuron, activity, block):  # type: ignore[no-untyped-def]
    """Advance the feature layer of every face; return its spikes.

    A block of neurons makes all steps before the next one, because it fits into the fastest cache.
    """
    faces, n = v.shape
    theta, (flags, words) = np.zeros(block, dtype=np.float32), no_flags(block)
    spikes, noted = no_spikes(faces * n_steps * n), 0
    for face in range(faces):
        for first in range(0, n, block):
            end = min(first + block, n)
            flags[:] = 0
            block_v, block_refractory = v[face, first:end], refractory[face, first:end]
            block_current, counts = current[face, first:end], activity[0][face, first:end]
            for step in range(n_steps):
                fire(block_v, block_refractory, block_current, neuron, theta, flags)
                time = face * n_steps + step
                noted = note(flags, words, first, time, counts, spikes, noted)
                record(activity, face, step, first, block_v, flags)
    return spikes[0][:noted], spikes[1][:noted]


@compiled_function
def rows_in_order(spikes, edges, columns, n_times):  # type: ignore[no-untyped-def]
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


@compiled_function
def project(  # type: ignore[no-untyped-def]
    n_steps, received, edges, w, unit, width, theta, v, refractory, drive, constants, neuron,
    activity, silent,
):  # fmt: skip
    """Advance a layer of every face by the spikes that arrive; return the same as `input_layer`.

    A column makes all steps of all faces before the next one, because its weights fit into a cache.
    Weights are `w` times `unit`, a power of two, and so is the drive meanwhile, without rounding.
    """
    decay_s, gain, beta, alpha = constants
    faces, n = v.shape
    columns = n // width
    rows, begin = rows_in_order(received, edges, columns, faces * n_steps)
    summed, current = np.zeros(w.shape[1], dtype=np.float32), np.empty(width, dtype=np.float32)
    flags, words = no_flags(width)
    lanes = np.empty(16, dtype=np.float32)
    spikes, noted = no_spikes(faces * n_steps * n), 0
    for column in range(columns):
        first, end = column * width, (column + 1) * width
        column_theta = theta[first:end]
        for face in range(faces):
            column_v, column_refractory = v[face, first:end], refractory[face, first:end]
            column_drive, counts = drive[face, first:end], activity[0][face, first:end]
            scale(column_drive, np.float32(1 / unit), summed[:width])
            for step in range(n_steps):
                time = face * n_steps + step
                fade(summed, decay_s, np.float32(silent / unit))
                now = column * faces * n_steps + time
                arrive(summed, w, rows, begin[now], begin[now + 1])
                scale(summed, unit, current)
                scale(current, gain, current)
                inhibit(current, column_theta, neuron[4], beta, alpha, lanes)
                fire(column_v, column_refractory, current, neuron, column_theta, flags)
                noted = note(flags, words, first, time, counts, spikes, noted)
                record(activity, face, step, first, column_v, flags)
            scale(summed, unit, column_drive)
    return spikes[0][:noted], spikes[1][:noted]
