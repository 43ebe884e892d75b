"""Layers that count as one: those that drive a layer together, and one layer of several faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.layers import LayerState
from fer_snn.core.neurons.lif import Float32s, Int32s

SpikeList: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""Neuron and step of each spike; the neurons of a step ascend."""


def joined_spikes(spikes: Sequence[SpikeList], sizes: Sequence[int]) -> SpikeList:
    """Return the spikes of layers of some sizes as those of one layer, one behind the other."""
    if len(spikes) == 1:
        return spikes[0]
    offsets = np.cumsum([0, *sizes[:-1]]).astype(np.uint32)
    neurons = [fired + offset for (fired, _), offset in zip(spikes, offsets, strict=True)]
    return np.concatenate(neurons), np.concatenate([step for _, step in spikes])


def in_steps(spikes: SpikeList, n_steps: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the neurons that fired, step by step, and where each step begins (steps + 1)."""
    neurons, steps = spikes
    per_step = np.bincount(steps, minlength=n_steps)
    return neurons[np.argsort(steps, kind="stable")], np.concatenate(([0], np.cumsum(per_step)))


def joined_state(faces: Sequence[LayerState]) -> tuple[Float32s, Int32s, Float32s]:
    """Return v, refractory and drive of a layer (faces, n); those of one face are no copies."""
    if len(faces) == 1:
        v, refractory, drive, *_ = faces[0]
        return v[None], refractory[None], drive[None]
    vs, refractories, drives, *_ = zip(*faces, strict=True)
    return np.stack(vs), np.stack(refractories), np.stack(drives)


def store_state(state: tuple[Float32s, Int32s, Float32s], faces: Sequence[LayerState]) -> None:
    """Write what `joined_state` gave, and what has changed, back to the faces."""
    if len(faces) > 1:
        for joined, own in zip(state, zip(*faces, strict=True), strict=False):
            for new, old in zip(joined, own, strict=True):
                old[:] = new


def joined_trace(layers: Sequence[LayerState], below: Sequence[int]) -> Float32s:
    """Return the presynaptic traces of the layers numbered `below`; one layer's is no copy."""
    if len(below) == 1:
        return layers[below[0]].trace_pre
    return np.concatenate([layers[k].trace_pre for k in below])


def store_trace(trace: Float32s, layers: Sequence[LayerState], below: Sequence[int]) -> None:
    """Write the traces that `joined_trace` gave, and that have changed, back to the layers."""
    if len(below) > 1:
        ends = np.cumsum([len(layers[k].trace_pre) for k in below])
        for k, part in zip(below, np.split(trace, ends[:-1]), strict=True):
            layers[k].trace_pre[:] = part
