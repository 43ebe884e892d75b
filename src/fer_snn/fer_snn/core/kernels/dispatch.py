"""Chooses between compiled and plain kernels, and compiles ahead of the first frame."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from fer_snn.core.kernels import pathways, reference
from fer_snn.core.kernels.pathways import Constants, Pathway
from fer_snn.core.model import Stage
from fer_snn.core.neurons import layers, lif
from fer_snn.core.neurons.layers import DriveParameters, FaceState, LayerActivity, LayerState
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.neurons.threshold import ThresholdParameters
from fer_snn.core.synapses.stdp import STDPParameters
from fer_snn.core.synapses.wiring import Wiring

COMPILED = importlib.util.find_spec("numba") is not None
"""Whether the compiled kernels can be used on this machine."""


class Kernels(Protocol):
    """The module `reference`, or its compiled equal; what the functions do stands there."""

    def run(
        self,
        n_steps: int,
        current: Float32s,
        layers: Sequence[LayerState],
        pathways: Sequence[Pathway],
        constants: Constants,
        activity: Sequence[LayerActivity],
    ) -> None:
        """Make the steps of one frame."""

    def nudge(
        self, stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32
    ) -> None:
        """Change weights by the product of two factors."""

    def normalise(self, stage: Stage, s_target: float) -> None:
        """Restore L1 norms."""


def choose(compiled: bool = COMPILED) -> Kernels:
    """Return the compiled kernels, or the plain ones: the same results many times slower."""
    if not compiled:
        return reference
    from fer_snn.core.kernels import compiled as fused

    return fused


def warm_up() -> float:
    """Compile the kernels, or load them from the cache; return the seconds that it took."""
    begin = time.perf_counter()
    _use(choose())
    return time.perf_counter() - begin


def _use(chosen: Kernels) -> None:
    """Run the kernels on a network of two neurons a layer."""
    size, parameters = 2, lif.LIFParameters()
    wiring = Wiring.everything((size, 1, 1), size)
    drive = layers.discretise(DriveParameters(), 0.001, parameters.rheobase)
    silent = np.zeros(size, dtype=np.float32)
    stage = Stage(wiring, np.zeros((size, size), dtype=np.float32), silent.copy())
    chosen.run(
        1,
        silent,
        FaceState([size, size], parameters).layers,
        [Pathway(0, stage, drive, False)],
        pathways.discretise(parameters, ThresholdParameters(), STDPParameters(), 0.001),
        [layers.blank_activity(size, 1) for _ in range(2)],
    )
    counts = np.zeros(size, dtype=np.int32)
    chosen.nudge(stage, counts, silent, np.float32(0), np.float32(1))
    chosen.normalise(stage, 1.0)
