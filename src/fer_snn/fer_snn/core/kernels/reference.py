"""The steps of one frame in plain NumPy.

This is the specification of the compiled kernels, and it runs where numba is not installed. It
combines the pure functions of the neuroscience modules. Arithmetic is float32 throughout.

The order of operations is part of the result. Layers are computed one after the other from the
feature layer on, each through all steps of the frame. This equals a step-by-step computation
because there is no feedback. Spikes add their rows of weights in the order of the neurons. Means
are summed by `inhibition.lane_sum`. `compiled` uses the same order, so its spikes, potentials and
weights are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_snn.core.kernels.interface import Constants, Pathway
from fer_snn.core.kernels.joined import joined_trace, store_trace
from fer_snn.core.model import Stage
from fer_snn.core.neurons import inhibition, lif, threshold
from fer_snn.core.neurons.layers import LayerActivity, LayerState, LayerStep
from fer_snn.core.neurons.lif import Bools, Float32s, Int32s, decayed
from fer_snn.core.synapses import homeostasis
from fer_snn.core.synapses.stdp import PairSTDP
from fer_snn.core.synapses.wiring import Wiring


def run(
    n_steps: int,
    current: Float32s,
    faces: Sequence[Sequence[LayerState]],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    """Make `n_steps` steps of each face under a constant input current, one face after the other.

    Parameters
    ----------
    n_steps:
        Number of steps.
    current:
        Input currents of the feature layer, amperes (faces, n).
    faces:
        State of every layer of each face, changed in place.
    pathways:
        The projections between the layers; `plastic` ones are changed in place.
    constants:
        Constants of all neurons and synapses.
    activity:
        Record of every layer of all faces, filled in place; counts are added.
    """
    for k, (of_face, layers) in enumerate(zip(current, faces, strict=True)):
        _run(n_steps, of_face, layers, pathways, constants, [each.of(k) for each in activity])


def _run(
    n_steps: int,
    current: Float32s,
    layers: Sequence[LayerState],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    no_theta = np.zeros(len(current), dtype=np.float32)
    spikes: list[list[Bools]] = [[]]
    for step in range(n_steps):
        spikes[0].append(_fire(layers[0], current, constants.neuron, no_theta))
        _record(activity[0], step, layers[0], spikes[0][-1])
    for path, post, record in zip(pathways, layers[1:], activity[1:], strict=True):
        arriving = [
            np.concatenate(parts) for parts in zip(*(spikes[k] for k in path.below), strict=True)
        ]
        trace = joined_trace(layers, path.below)
        spikes.append(_pass(path, trace, post, arriving, constants, record))
        store_trace(trace, layers, path.below)


def _pass(
    path: Pathway,
    trace_pre: Float32s,
    post: LayerState,
    arriving: Sequence[Bools],
    constants: Constants,
    record: LayerActivity,
) -> list[Bools]:
    """Advance a layer by the spikes that arrive in each step; return its own spikes."""
    wiring, weights, theta = path.stage.wiring, path.stage.weights, path.stage.theta
    neuron = constants.neuron
    learning = (
        PairSTDP(wiring, weights, trace_pre, post.trace_post, len(arriving), constants.window)
        if path.plastic
        else None
    )
    spikes = []
    for step, arrived in enumerate(arriving):
        if learning:
            learning.potentiate(arrived)
        _arrive(post, wiring, weights, arrived, path.drive)
        if learning:
            learning.depress(arrived)
        fired = _fire(post, _current(post, wiring, path.drive, theta, neuron.r_m), neuron, theta)
        if learning:
            theta[:] = threshold.step(theta, fired, constants.adaptation)
            learning.end_step(arrived, fired)
        _record(record, step, post, fired)
        spikes.append(fired)
    if learning:
        learning.settle()
    return spikes


def add_outer_product(
    stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32
) -> None:
    """Change the weights of a stage, in place, by w_ij <- clip(w_ij + pre_i post_j).

    Parameters
    ----------
    pre:
        Number of spikes of each presynaptic neuron (n_pre); weights of silent ones do not change.
    post:
        Change per presynaptic spike, for each postsynaptic neuron (n_post).
    """
    width = stage.wiring.width
    for k, (seen, block) in enumerate(stage.wiring.blocks(stage.weights)):
        active = pre[seen] > 0
        change = pre[seen][active, None].astype(np.float32) * post[k * width :][:width]
        block[active] = np.clip(block[active] + change, w_min, w_max)


def normalise(stage: Stage, s_target: float, w_min: np.float32, w_max: np.float32) -> None:
    """Scale the weights of every neuron to the L1 norm `s_target` within bounds, in place."""
    for _, block in stage.wiring.blocks(stage.weights):
        block[:] = homeostasis.scaled(block, s_target, w_min, w_max)


def consolidate(stage: Stage, known: Float32s, elapsed: float) -> None:
    """Let weights return to `known` (like the weights) for `elapsed` time constants, in place."""
    stage.weights[:] = homeostasis.consolidated(stage.weights, known, elapsed)


def _arrive(
    layer: LayerState, wiring: Wiring, weights: Float32s, arrived: Bools, constants: LayerStep
) -> None:
    """Decay the drive, then add the rows of the neurons that fired."""
    layer.drive[:] = decayed(layer.drive, constants.decay_s)
    row, column = wiring.rows_of(arrived)
    # Not `+=`, which adds only one of several rows for the same column.
    np.add.at(layer.drive.reshape(-1, wiring.width), column, weights[row])


def _current(
    layer: LayerState, wiring: Wiring, constants: LayerStep, theta: Float32s, r_m: np.float32
) -> Float32s:
    """Return the input current of a layer; inhibition acts within each column."""
    current = (constants.gain * layer.drive).reshape(-1, wiring.width)
    for k, column in enumerate(current):
        inhibited = inhibition.feed_forward(column, constants.beta)
        column_theta = theta[k * wiring.width :][: wiring.width]
        current[k] = inhibition.lateral(inhibited, column_theta, r_m, constants.alpha)
    return current.ravel()


def _fire(layer: LayerState, current: Float32s, neuron: lif.LIFStep, theta: Float32s) -> Bools:
    state, fired = lif.step(lif.LIFState(layer.v, layer.refractory), current, neuron, theta)
    layer.v[:] = state.v
    layer.refractory[:] = state.refractory
    return fired


def _record(activity: LayerActivity, step: int, layer: LayerState, fired: Bools) -> None:
    activity.counts[fired] += 1
    if len(activity.raster):
        activity.raster[step] = fired
    if len(activity.potential):
        activity.potential[step] = layer.v
