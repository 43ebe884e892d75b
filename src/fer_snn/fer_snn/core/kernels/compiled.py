"""The steps of one frame as compiled kernels.

They do the same as `reference`, but fused, event-driven and without allocation per step. The
operations and their order are those of `reference`, and the compiler may not reorder them (no
fastmath), so the results are equal bit for bit.

- Inner loops are functions of their own, which are compiled alone: within a large one LLVM does not
  know which arrays overlap, and uses no vectors.
- Weights are stored presynaptic-major, so a spike adds one contiguous row. The same visit applies
  deferred potentiation and depression (`stdp`), so learning touches no other weights.
- Layers are advanced one after the other through all steps of a frame, in all faces. Within a layer
  that does not learn, the columns follow each other as well: inhibition stays within a column. So
  each row of weights is read from memory once, and not again in each step and for each face.
- Spikes are kept in any order in which the neurons of a step ascend, as that of their rows matters.
- Weights that are whole multiples of a power of two are read as bytes (`packed`): a frame reads
  each weight from memory that it needs, which takes longer than the arithmetic.
- Rows are padded to whole vectors (`model.Stage.padded_weights`). The padding is computed along
  with the weights and never read.
- Indices that are read from arrays are unsigned: signed ones might count from the end.
- Compiled code is cached beside this file, or in the user's cache if that folder is read-only
  (`interface` enables the cache, if its files are whole). The kernels take plain tuples and use no
  constants of modules other than `compiled*`, because the cache is used although such a constant
  has changed (`code_cache`), and cannot be read after a class has moved.

The kernels themselves are in `compiled_layers` and `compiled_learning`. Importing this module needs
numba; see `interface.choose`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_snn.core.kernels import compiled_layers, compiled_learning
from fer_snn.core.kernels.interface import Constants, Pathway
from fer_snn.core.kernels.joined import (
    in_steps,
    joined_spikes,
    joined_state,
    joined_trace,
    store_state,
    store_trace,
)
from fer_snn.core.model import Stage
from fer_snn.core.neurons.layers import LayerActivity, LayerState
from fer_snn.core.neurons.lif import SILENT, Float32s, Int32s
from fer_snn.core.synapses import homeostasis, stdp

BLOCK = 512
"""Neurons of the feature layer that are advanced together: their state takes 6 kB."""


def run(
    n_steps: int,
    current: Float32s,
    faces: Sequence[Sequence[LayerState]],
    pathways: Sequence[Pathway],
    constants: Constants,
    activity: Sequence[LayerActivity],
) -> None:
    """Do the same as `reference.run`."""
    if len(faces) > 1 and any(path.plastic for path in pathways):
        for k in range(len(faces)):
            own = [record.of(slice(k, k + 1)) for record in activity]
            run(n_steps, current[k : k + 1], faces[k : k + 1], pathways, constants, own)
        return
    neuron, below = tuple(constants.neuron), [face[0] for face in faces]
    v, refractory, _ = state = joined_state(below)
    spikes = [
        compiled_layers.input_layer(
            n_steps, current, v, refractory, neuron, tuple(activity[0]), BLOCK
        )
    ]
    store_state(state, below)
    for number, (path, record) in enumerate(zip(pathways, activity[1:], strict=True), 1):
        stage, sizes = path.stage, [len(faces[0][k].v) for k in path.below]
        received = joined_spikes([spikes[k] for k in path.below], sizes)
        edges, drive = tuple(stage.wiring.edges), tuple(path.drive)
        if path.plastic:
            [face] = faces
            trace = joined_trace(face, path.below)
            fired = compiled_learning.project_learning(
                in_steps(received, n_steps), edges, stage.padded_weights, stage.wiring.width, trace,
                tuple(face[number]), stage.theta, drive, neuron, tuple(constants.adaptation),
                tuple(constants.window), min(n_steps, stdp.BLOCK), tuple(record), SILENT,
            )  # fmt: skip
            store_trace(trace, face, path.below)
        else:
            layer = [face[number] for face in faces]
            state = joined_state(layer)
            fired = compiled_layers.project(
                n_steps, received, edges, *(path.packed or (stage.padded_weights, np.float32(1))),
                stage.wiring.width, stage.theta, *state, drive, neuron, tuple(record), SILENT,
            )  # fmt: skip
            store_state(state, layer)
        spikes.append(fired)


def add_outer_product(
    stage: Stage, pre: Int32s, post: Float32s, w_min: np.float32, w_max: np.float32
) -> None:
    """Do the same as `reference.add_outer_product`."""
    wiring = stage.wiring
    compiled_learning.add_outer_product(
        stage.padded_weights, wiring.width, tuple(wiring.edges), pre, post, w_min, w_max
    )


def normalise(stage: Stage, s_target: float, w_min: np.float32, w_max: np.float32) -> None:
    """Do the same as `reference.normalise`."""
    wiring, bounds, rounds = stage.wiring, (w_min, w_max), homeostasis.ROUNDS
    compiled_learning.normalise(
        stage.padded_weights, wiring.width, wiring.first_row, float(s_target), bounds, rounds
    )


def consolidate(stage: Stage, known: Float32s, elapsed: float) -> None:
    """Do the same as `reference.consolidate`."""
    share = homeostasis.share_returned(elapsed)
    compiled_learning.consolidate(stage.padded_weights, known, share)
