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

from fer_snn import homeostasis, inhibition, lif, stdp, threshold
from fer_snn.decay import decayed
from fer_snn.layers import LayerActivity, LayerState, LayerStep
from fer_snn.lif import Bools, Float32s, Int32s
from fer_snn.plasticity import Plasticity
from fer_snn.wiring import Wiring


def run(
    n_steps: int,
    current: Float32s,
    layers: Sequence[LayerState],
    below: Sequence[int],
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
    """Make `n_steps` steps under a constant input current.

    Parameters
    ----------
    n_steps:
        Number of steps.
    current:
        Input current of the feature layer, amperes (n).
    layers:
        State of every layer, changed in place.
    below:
        For every projection, which layer it comes from; it leads to the layer after its own number.
    wirings, weights:
        Of every projection; weights (rows, width) that are `plastic` are changed in place.
    thetas:
        Adaptive threshold of every layer but the first, volts; changed in place.
    constants:
        Of every layer but the first.
    neuron, adaptation, window:
        Constants of all neurons, of the adaptive threshold and of STDP.
    plastic:
        For every projection, whether pair STDP changes it, and the thresholds that it leads to
        adapt.
    activity:
        Where to write what every layer does; counts are added to.
    """
    no_theta = np.zeros(len(current), dtype=np.float32)
    spikes: list[list[Bools]] = [[] for _ in layers]
    for step in range(n_steps):
        spikes[0].append(_fire(layers[0], current, neuron, no_theta))
        _record(activity[0], step, layers[0], spikes[0][-1])
    for p, wiring in enumerate(wirings):
        pre, post, theta = layers[below[p]], layers[p + 1], thetas[p]
        learning = (
            Plasticity(wiring, weights[p], pre.trace_pre, post.trace_post, n_steps, window)
            if plastic[p]
            else None
        )
        for step, arrived in enumerate(spikes[below[p]]):
            if learning:
                learning.potentiate(arrived)
            _arrive(post, wiring, weights[p], arrived, constants[p])
            if learning:
                learning.depress(arrived)
            inhibited = _current(post, wiring, constants[p], theta, neuron.r_m)
            fired = _fire(post, inhibited, neuron, theta)
            if learning:
                theta[:] = threshold.step(theta, fired, adaptation)
            _record(activity[p + 1], step, post, fired)
            if learning:
                learning.credit(arrived, fired)
            spikes[p + 1].append(fired)
        if learning:
            learning.settle()


def nudge(
    wiring: Wiring,
    weights: Float32s,
    pre: Int32s,
    post: Float32s,
    w_min: np.float32,
    w_max: np.float32,
) -> None:
    """Change weights (rows, width), in place, by w_ij <- clip(w_ij + pre_i post_j).

    Parameters
    ----------
    pre:
        Spikes of each presynaptic neuron (n_pre); those of silent ones do not change.
    post:
        Change per presynaptic spike, for each postsynaptic neuron (n_post).
    """
    for k, (seen, block) in enumerate(wiring.blocks(weights)):
        active = pre[seen] > 0
        change = (
            pre[seen][active, None].astype(np.float32) * post[k * wiring.width :][: wiring.width]
        )
        block[active] = np.clip(block[active] + change, w_min, w_max)


def normalise(wiring: Wiring, weights: Float32s, s_target: float) -> None:
    """Bring the L1 norm of the weights of every neuron to `s_target`, in place."""
    for _, block in wiring.blocks(weights):
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
