"""A layer that several layers drive: their neurons count as one layer, one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.layers import LayerState
from fer_snn.core.neurons.lif import Float32s

SpikeList: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.int64]]
"""The neurons that fired, step by step, and where each step begins (steps + 1). The first array may
be longer than the last entry of the second."""


def joined_spikes(spikes: Sequence[SpikeList], sizes: Sequence[int]) -> SpikeList:
    """Return the spikes of layers of some sizes as those of one layer."""
    if len(spikes) == 1:
        return spikes[0]
    offsets = np.cumsum([0, *sizes[:-1]]).astype(np.uint32)
    neurons = [
        fired[: start[-1]] + offset for (fired, start), offset in zip(spikes, offsets, strict=True)
    ]
    steps = [np.repeat(np.arange(len(start) - 1), np.diff(start)) for _, start in spikes]
    order = np.argsort(np.concatenate(steps), kind="stable")
    starts = np.add.reduce([start for _, start in spikes], dtype=spikes[0][1].dtype)
    return np.concatenate(neurons)[order], starts


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
