"""What a kernel receives and does, and the choice between compiled and plain kernels.

The layers of a network are numbered from the feature layer on, and pathway n leads to layer n + 1.
Two pathways may start at the same layer.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from fer_snn.core.kernels import code_cache
from fer_snn.core.kernels.packed import PackedWeights, packed
from fer_snn.core.model import Stage
from fer_snn.core.neurons import layers, lif, threshold
from fer_snn.core.neurons.layers import (
    DriveParameters,
    FaceState,
    LayerActivity,
    LayerState,
    LayerStep,
)
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.synapses import stdp
from fer_snn.core.synapses.wiring import Wiring


class Pathway(NamedTuple):
    """A projection, and how the layer that it leads to is driven."""

    below: tuple[int, ...]
    """Numbers of the layers that it starts at; their neurons follow each other."""
    stage: Stage
    """Wiring, weights and thresholds; changed in place if `plastic`."""
    drive: LayerStep
    plastic: bool
    """Whether pair STDP changes the weights and the thresholds adapt."""
    packed: PackedWeights | None = None
    """The weights of the stage once more, if they can be packed."""


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


class Kernels(Protocol):
    """The module `reference` or `compiled`; `reference` documents the functions."""

    def run(
        self,
        n_steps: int,
        current: Float32s,
        faces: Sequence[Sequence[LayerState]],
        pathways: Sequence[Pathway],
        constants: Constants,
        activity: Sequence[LayerActivity],
    ) -> None:
        """Make the steps of one frame of some faces."""

    def add_outer_product(
        self, stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32
    ) -> None:
        """Change weights by the product of two factors."""

    def normalise(
        self, stage: Stage, s_target: float, w_min: np.float32, w_max: np.float32
    ) -> None:
        """Scale weights to their L1 norm."""

    def consolidate(self, stage: Stage, known: Float32s, elapsed: float) -> None:
        """Let weights return to the known ones."""


def choose(compiled: bool = True) -> Kernels:
    """Return the compiled kernels, or the plain ones, which give equal results more slowly.

    The plain ones also take the place of compiled ones that cannot be used (see `problem`).
    """
    from fer_snn.core.kernels import reference

    return _compiled()[0] or reference if compiled else reference


def problem() -> str | None:
    """Return why the compiled kernels cannot be used on this machine, or None."""
    return _compiled()[1]


def warm_up() -> float:
    """Compile the kernels, or load them from the cache; return the time that it took, seconds."""
    begin = time.perf_counter()
    choose()
    return time.perf_counter() - begin


@lru_cache(maxsize=1)
def _compiled() -> tuple[Kernels | None, str | None]:
    """Return the compiled kernels, ready to run; or None, and the reason."""
    try:
        compiled = importlib.import_module("fer_snn.core.kernels.compiled")
        folder = code_cache.cache_folder()
        if folder and code_cache.discard_damaged(folder):
            try:
                for kernel in code_cache.KERNELS:
                    kernel.enable_caching()
                _run_all(compiled)
            # For example a full disk; the error may be wrapped in one of numba's own.
            except Exception:
                modules = dict.fromkeys(kernel.__module__ for kernel in code_cache.KERNELS)
                for name in (*modules, compiled.__name__):
                    compiled = importlib.reload(sys.modules[name])
            else:
                code_cache.seal(folder)
        _run_all(compiled)
    except ModuleNotFoundError as missing:
        return None, f"{missing.name} is not installed"
    # A numba that does not fit the rest of the machine raises errors of any kind.
    except Exception as error:
        return None, f"numba cannot be used: {type(error).__name__}: {error}"
    return compiled, None


def _run_all(kernels: Kernels) -> None:
    """Run everything once in a small network."""
    size, parameters = 2, lif.LIFParameters()
    drive = layers.discretise(DriveParameters(), 0.001, parameters.rheobase)
    silent = np.zeros(size, dtype=np.float32)
    stage = Stage(
        Wiring.fully_connected((size, 1, 1), size),
        np.zeros((size, size), dtype=np.float32),
        silent.copy(),
    )
    for plastic, coded in ((False, None), (False, packed(stage)), (True, None)):
        kernels.run(
            1,
            silent[None],
            [FaceState([size, size], parameters).layers],
            [Pathway((0,), stage, drive, plastic, coded)],
            discretise(parameters, threshold.ThresholdParameters(), stdp.STDPParameters(), 0.001),
            [layers.blank_activity(size, 1, 1) for _ in range(2)],
        )
    kernels.add_outer_product(
        stage, np.zeros(size, dtype=np.int32), silent, np.float32(0), np.float32(1)
    )
    kernels.normalise(stage, 1.0, np.float32(0), np.float32(1))
    kernels.consolidate(stage, stage.weights.copy(), 0.1)
