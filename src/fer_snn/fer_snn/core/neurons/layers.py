"""Layers: how spikes become currents, the state of a layer, and what is recorded of it.

A spike of neuron i adds its row of weights to the synaptic drive of the next layer. The drive
decays with tau_s and becomes a current through a gain and both kinds of inhibition (`inhibition`):

    s_j <- s_j exp(-dt / tau_s) + sum over the neurons i that fired of w_ij
    I_j  = gain I_rheobase s_j,   then feed-forward and lateral inhibition

A spike acts on the next layer in the same step; there is no conduction delay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons import lif
from fer_snn.core.neurons.lif import Float32s, Int32s


@dataclass(frozen=True)
class DriveParameters:
    """How a layer converts spikes to currents.

    Attributes
    ----------
    tau_s : time constant of the synaptic drive, seconds.
    gain : current per unit of drive, in rheobases.
    beta, alpha : feed-forward and lateral inhibition, dimensionless.
    """

    tau_s: float = 0.010
    gain: float = 26.0
    beta: float = 0.9
    alpha: float = 0.9

    def __post_init__(self) -> None:
        """Refuse a time constant that is not positive (ValueError)."""
        if not self.tau_s > 0:
            raise ValueError("tau_s must be above 0")


class LayerStep(NamedTuple):
    """The constants of one step of a layer, rounded once to float32."""

    decay_s: np.float32
    gain: np.float32
    beta: np.float32
    alpha: np.float32


def discretise(parameters: DriveParameters, dt: float, rheobase: float) -> LayerStep:
    """Return the constants of a step of `dt` seconds for neurons with a rheobase in amperes."""
    return LayerStep(
        decay_s=np.float32(math.exp(-dt / parameters.tau_s)),
        gain=np.float32(parameters.gain * rheobase),
        beta=np.float32(parameters.beta),
        alpha=np.float32(parameters.alpha),
    )


class LayerState(NamedTuple):
    """State of a layer of n neurons for one face; changed in place in every step."""

    v: Float32s
    """Membrane potential, volts."""
    refractory: Int32s
    """Number of refractory steps that remain."""
    drive: Float32s
    """Synaptic drive s, dimensionless."""
    trace_pre: Float32s
    """Presynaptic STDP trace x."""
    trace_post: Float32s
    """Postsynaptic STDP trace y."""


class LayerActivity(NamedTuple):
    """What a layer did in one frame. `raster` and `potential` are empty unless recorded.

    Several faces have one record, whose arrays have one more dimension, the first.
    """

    counts: Int32s
    """Number of spikes of each neuron (n)."""
    raster: NDArray[np.uint8]
    """1 where a neuron fired (steps, n)."""
    potential: Float32s
    """Membrane potential at the end of each step, volts (steps, n)."""

    def events(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the spikes as (neuron, step), sorted by step, then by neuron."""
        step, neuron = np.nonzero(self.raster)
        return neuron, step

    def of(self, face: int | slice) -> LayerActivity:
        """Return a view of the record of one face, or of some, out of that of several."""
        return LayerActivity(self.counts[face], self.raster[face], self.potential[face])


def blank_activity(
    size: int, steps: int, faces: int, raster: bool = False, potential: bool = False
) -> LayerActivity:
    """Return an empty record for a layer of `size` neurons, and `steps` steps of some faces."""
    return LayerActivity(
        np.zeros((faces, size), dtype=np.int32),
        np.zeros((faces, steps if raster else 0, size), dtype=np.uint8),
        np.zeros((faces, steps if potential else 0, size), dtype=np.float32),
    )


class FaceState:
    """The state of every layer for one face.

    Attributes
    ----------
    layers : state of each layer, from the feature layer on.
    competing_layer : a second state of the last layer, used while its neurons compete for learning.
    """

    def __init__(self, sizes: Sequence[int], parameters: lif.LIFParameters) -> None:
        """Create layers of `sizes` neurons at rest."""
        self.layers = tuple(_resting(n, parameters) for n in sizes)
        self.competing_layer = _resting(sizes[-1], parameters)


def _resting(n: int, parameters: lif.LIFParameters) -> LayerState:
    at_rest = lif.resting(n, parameters)
    drive, trace_pre, trace_post = np.zeros((3, n), dtype=np.float32)
    return LayerState(at_rest.v, at_rest.refractory, drive, trace_pre, trace_post)
