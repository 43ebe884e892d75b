"""Compiled kernels: layers that advance, and weights that do not learn; see `compiled`."""

import numpy as np

from fer_snn.core.kernels.code_cache import compiled_function


@compiled_function
def fire(v, refractory, current, inhibition, neuron, theta, flags):  # type: ignore[no-untyped-def]
    """Advance some neurons of a layer by a step; write to `flags` which of them fired.

    The same `inhibition` (amperes) is subtracted from the current of each.
    """
    decay, v_rest, v_th, v_reset, r_m, refractory_steps = neuron
    for j in range(len(v)):
        v_inf = v_rest + r_m * (current[j] - inhibition)
        moved = v_inf + (v[j] - v_inf) * decay
        left = refractory[j]
        held = left > 0
        moved = v_reset if held else moved
        spike = (moved >= v_th + theta[j]) & (not held)
        v[j] = v_reset if spike else moved
        refractory[j] = refractory_steps if spike else max(left - np.int32(1), np.int32(0))
        flags[j] = spike


@compiled_function
def note(flags, words, first, time, spikes, noted):  # type: ignore[no-untyped-def]
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
    return noted


@compiled_function
def count(neurons, begin, end, first, counts):  # type: ignore[no-untyped-def]
    """Count some spikes of the neurons from number `first` on."""
    for k in range(begin, end):
        counts[neurons[k] - np.uint32(first)] += np.int32(1)


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
    # Four rows at a time read and write the drive a quarter as often; the sums are the same.
    one, two, three, four = np.uint32(1), np.uint32(2), np.uint32(3), np.uint32(4)
    while end - first >= four:
        a, b, c, d = rows[first], rows[first + one], rows[first + two], rows[first + three]
        for k in range(w.shape[1]):
            drive[k] = (
                drive[k] + np.float32(w[a, k]) + np.float32(w[b, k])
                + np.float32(w[c, k]) + np.float32(w[d, k])
            )  # fmt: skip
        first += four
    while first < end:
        r = rows[first]
        for k in range(w.shape[1]):
            drive[k] += np.float32(w[r, k])
        first += one


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
def excite(drive, unit, gain, current, lanes):  # type: ignore[no-untyped-def]
    """Write the currents that a drive in some unit causes; return their sum.

    The order of the sum is that of `inhibition.lane_sum`; `lanes` is space for the partial sums.
    """
    # `inhibition.LANES` as a number, so that the compiler makes one vector of the loop.
    n = len(current)
    lanes[:] = np.float32(0)
    for start in range(0, n // 16 * 16, 16):
        for lane in range(16):
            current[start + lane] = gain * (unit * drive[start + lane])
            lanes[lane] += current[start + lane]
    for lane in range(n % 16):
        current[n // 16 * 16 + lane] = gain * (unit * drive[n // 16 * 16 + lane])
        lanes[lane] += current[n // 16 * 16 + lane]
    total = np.float32(0)
    for lane in range(16):
        total += lanes[lane]
    return total


@compiled_function
def inhibit(current, total, theta, r_m, beta, alpha):  # type: ignore[no-untyped-def]
    """Apply both kinds of inhibition within one column; return what `fire` has yet to subtract.

    `total` is the sum of the currents.
    """
    n = len(current)
    inhibition = beta * (total / np.float32(n))
    if alpha == np.float32(0):
        return inhibition
    for j in range(n):
        current[j] -= inhibition
    winner = 0
    for j in range(n):
        if r_m * current[j] - theta[j] > r_m * current[winner] - theta[winner]:
            winner = j
    strongest = current[winner]
    if strongest > np.float32(0):
        for j in range(n):
            current[j] -= alpha * strongest
        current[winner] = strongest
    return np.float32(0)


@compiled_function
def is_recorded(activity):  # type: ignore[no-untyped-def]
    """Return whether spikes or potentials are asked for."""
    return activity[1].shape[1] > 0 or activity[2].shape[1] > 0


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
    none, recorded = np.float32(0), is_recorded(activity)
    spikes, noted = no_spikes(faces * n_steps * n), 0
    for face in range(faces):
        for first in range(0, n, block):
            end = min(first + block, n)
            flags[:] = 0
            block_v, block_refractory = v[face, first:end], refractory[face, first:end]
            block_current, counts = current[face, first:end], activity[0][face, first:end]
            begin = noted
            for step in range(n_steps):
                fire(block_v, block_refractory, block_current, none, neuron, theta, flags)
                time = face * n_steps + step
                noted = note(flags, words, first, time, spikes, noted)
                if recorded:
                    record(activity, face, step, first, block_v, flags)
            count(spikes[0], begin, noted, first, counts)
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
    lanes, recorded = np.empty(16, dtype=np.float32), is_recorded(activity)
    spikes, noted = no_spikes(faces * n_steps * n), 0
    for column in range(columns):
        first, end = column * width, (column + 1) * width
        column_theta = theta[first:end]
        for face in range(faces):
            column_v, column_refractory = v[face, first:end], refractory[face, first:end]
            column_drive, counts = drive[face, first:end], activity[0][face, first:end]
            begin_of_face = noted
            scale(column_drive, np.float32(1 / unit), summed[:width])
            for step in range(n_steps):
                time = face * n_steps + step
                fade(summed, decay_s, np.float32(silent / unit))
                now = column * faces * n_steps + time
                arrive(summed, w, rows, begin[now], begin[now + 1])
                total = excite(summed, unit, gain, current, lanes)
                inhibition = inhibit(current, total, column_theta, neuron[4], beta, alpha)
                fire(column_v, column_refractory, current, inhibition, neuron, column_theta, flags)
                noted = note(flags, words, first, time, spikes, noted)
                if recorded:
                    record(activity, face, step, first, column_v, flags)
            count(spikes[0], begin_of_face, noted, first, counts)
            scale(summed, unit, column_drive)
    return spikes[0][:noted], spikes[1][:noted]
