"""A small network, and faces that it can tell apart, for tests of this package and of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Model
from fer_snn.core.network import NetworkParameters
from fer_snn.core.neurons.lif import Float32s
from fer_train.competition import CompetitionParameters
from fer_train.prototypes import PrototypeParameters
from fer_train.training import Architecture, Curriculum, Source, quantised, untrained

SHAPE = (4, 6, 6)
SPEC = "gabor-2;crop=24;o=4;wl=4;pool=4"
ORIENTATIONS = 4
LABELS = ("neutral", "smile", "surprised")
ARCHITECTURE = Architecture(window=3, stride=3, column=8, neurons_per_label=2)
PROTOTYPES = PrototypeParameters(
    window=3,
    stride=3,
    components=6,
    regularisation=0.0,
    competition=CompetitionParameters(column=8),
)


def synthetic(n_per_label: int, seed: int) -> tuple[Float32s, NDArray[np.int64]]:
    """Return features (faces, channels, rows, cols) and labels of faces drawn by lot.

    Every label is bright in two rows of its own.
    """
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(LABELS)), n_per_label)
    features = rng.uniform(0.2, 0.5, (len(truth), *SHAPE))
    for k, label in enumerate(truth):
        features[k, :, 2 * label : 2 * label + 2] += rng.uniform(0.15, 0.4)
    return features.astype(np.float32), truth


def small_curriculum(n_per_label: int = 30, seed: int = 0) -> Curriculum:
    """Return such faces as something to learn."""
    features, truth = synthetic(n_per_label, seed)
    source = Source(quantised(features)[:, None], truth, 1.0)
    return Curriculum((source,), LABELS, SPEC, ORIENTATIONS)


def small_model(architecture: Architecture = ARCHITECTURE) -> Model:
    """Return a network for them that has learnt nothing yet."""
    rng = np.random.default_rng(1)
    return untrained(small_curriculum(), NetworkParameters(), architecture, rng)
