"""What a kernel is given besides states: the pathways between layers, and constants of all neurons.

The layers of a network are numbered from the input on, and the n-th pathway leads to layer n + 1.
Two pathways may come from the same layer.
"""

from __future__ import annotations

from typing import NamedTuple

from fer_snn.core.model import Stage
from fer_snn.core.neurons import lif, threshold
from fer_snn.core.neurons.layers import LayerStep
from fer_snn.core.synapses import stdp


class Pathway(NamedTuple):
    """A projection, and how the layer that it leads to is driven."""

    below: int
    """Number of the layer that it comes from."""
    stage: Stage
    """Wiring, weights and thresholds; changed in place where `plastic`."""
    drive: LayerStep
    plastic: bool
    """Whether pair STDP changes the weights, and the thresholds adapt."""


class Constants(NamedTuple):
    """The constants of one step that all layers share, rounded once to float32."""

    neuron: lif.LIFStep
    adaptation: threshold.ThresholdStep
    window: stdp.STDPStep


def discretise(
    neuron: lif.LIFParameters,
    adaptation: threshold.ThresholdParameters,
    window: stdp.STDPParameters,
    dt: float,
) -> Constants:
    """Return the constants of a step of `dt` seconds."""
    return Constants(
        lif.discretise(neuron, dt),
        threshold.discretise(adaptation, dt),
        stdp.discretise(window, dt),
    )
