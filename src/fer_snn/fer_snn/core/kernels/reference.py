"""The steps of one frame in plain NumPy.

This is what the compiled kernel must equal, and what runs where numba is missing. It composes the
pure functions of the neuroscience modules. Arithmetic is float32 throughout. The order of
operations is part of the result: the layers follow each other from the input on, each through all
steps of the frame, which is the same as step by step because nothing flows back; spikes add their
rows of weights in the order of the neurons; means are summed by `inhibition.lane_sum`. `compiled`
keeps to the same order, so its spikes, potentials and weights are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_snn.core.kernels.pathways import Constants, Pathway
from fer_snn.core.model import Stage
from fer_snn.core.neurons import inhibition, lif, threshold
from fer_snn.core.neurons.decay import decayed
from fer_snn.core.neurons.layers import LayerActivity, LayerState, LayerStep
from fer_snn.core.neurons.lif import Bools, Float32s, Int32s
from fer_snn.core.synapses import homeostasis
from fer_snn.core.synapses.plasticity import Plasticity
from fer_snn.core.synapses.wiring import Wiring


def run(
    n_steps: int,
    current: Float32s,
    layers: Sequence[LayerState],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    """Make `n_steps` steps under a constant input current.

    Parameters
    ----------
    n_steps:
        Number of steps.
    current:
        Input current of the feature layer, amperes (n).
    layers:
        State of every layer, changed in place.
    pathways:
        Between them; `plastic` ones are changed in place.
    constants:
        Of all neurons and synapses.
    activity:
        Where to write what every layer does; counts are added to.
    """
    no_theta = np.zeros(len(current), dtype=np.float32)
    spikes: list[list[Bools]] = [[]]
    for step in range(n_steps):
        spikes[0].append(_fire(layers[0], current, constants.neuron, no_theta))
        _record(activity[0], step, layers[0], spikes[0][-1])
    for path, post, record in zip(pathways, layers[1:], activity[1:], strict=True):
        spikes.append(_pass(path, layers[path.below], post, spikes[path.below], constants, record))


def _pass(
    path: Pathway,
    pre: LayerState,
    post: LayerState,
    arriving: Sequence[Bools],
    constants: Constants,
    record: LayerActivity,
) -> list[Bools]:
    """Make the steps of one layer, to which spikes arrive; return its own (steps of neurons)."""
    wiring, weights, theta = path.stage.wiring, path.stage.weights, path.stage.theta
    neuron = constants.neuron
    learning = (
        Plasticity(wiring, weights, pre.trace_pre, post.trace_post, len(arriving), constants.window)
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
            learning.credit(arrived, fired)
        _record(record, step, post, fired)
        spikes.append(fired)
    if learning:
        learning.settle()
    return spikes


def nudge(stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32) -> None:
    """Change the weights of a stage, in place, by w_ij <- clip(w_ij + pre_i post_j).

    Parameters
    ----------
    pre:
        Spikes of each presynaptic neuron (n_pre); those of silent ones do not change.
    post:
        Change per presynaptic spike, for each postsynaptic neuron (n_post).
    """
    width = stage.wiring.width
    for k, (seen, block) in enumerate(stage.wiring.blocks(stage.weights)):
        active = pre[seen] > 0
        change = pre[seen][active, None].astype(np.float32) * post[k * width :][:width]
        block[active] = np.clip(block[active] + change, w_min, w_max)


def normalise(stage: Stage, s_target: float) -> None:
    """Bring the L1 norm of the weights of every neuron to `s_target`, in place."""
    for _, block in stage.wiring.blocks(stage.weights):
        block[:] = homeostasis.scaled(block, s_target)


def _arrive(
    layer: LayerState, wiring: Wiring, weights: Float32s, arrived: Bools, constants: LayerStep
) -> None:
    """Let the drive decay, then let the spikes add their rows."""
    layer.drive[:] = decayed(layer.drive, constants.decay_s)
    row, column = wiring.crossed(arrived)
    # Not `+=`, which would add only one of several rows for the same column.
    np.add.at(layer.drive.reshape(-1, wiring.width), column, weights[row])


def _current(
    layer: LayerState, wiring: Wiring, constants: LayerStep, theta: Float32s, r_m: np.float32
) -> Float32s:
    """Return the input current of a layer; inhibition acts within each column."""
    current = (constants.gain * layer.drive).reshape(-1, wiring.width)
    for k, column in enumerate(current):
        inhibited = inhibition.feed_forward(column, constants.beta)
        hurdle = theta[k * wiring.width :][: wiring.width]
        current[k] = inhibition.lateral(inhibited, hurdle, r_m, constants.alpha)
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
