"""A small network, and faces that it can tell apart, for the tests of all packages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import ReadoutCalibration
from fer_snn.core.synapses.learning import SupervisedParameters, teach
from fer_snn.core.untrained import Architecture, HiddenLayer, untrained_model

SHAPE = (4, 6, 6)
SPEC = "gabor-2;crop=24;o=4;wl=4;pool=4"
ORIENTATIONS = 4
LABELS = ("neutral", "smile", "surprised")
QUICK_RULE = SupervisedParameters(eta_w=0.015, eta_v=0.016, eta_theta=4e-4)
"""High rates, with which these few faces are soon learnt."""
EIGHT = (*LABELS, "sad", "angry", "disgusted", "afraid", "contempt")
"""The labels of FER+."""
ARCHITECTURE = Architecture(hidden=(HiddenLayer(3, 3, 8),), neurons_per_label=2)


def synthetic(n_per_label: int, seed: int) -> tuple[Float32s, NDArray[np.int64]]:
    """Return features (faces, channels, rows, cols) and labels of random faces.

    Each label is bright in two rows of its own.
    """
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(LABELS)), n_per_label)
    features = rng.uniform(0.2, 0.5, (len(truth), *SHAPE))
    for k, label in enumerate(truth):
        features[k, :, 2 * label : 2 * label + 2] += rng.uniform(0.15, 0.4)
    return features.astype(np.float32), truth


def small_model(
    architecture: Architecture = ARCHITECTURE, labels: tuple[str, ...] = LABELS
) -> Model:
    """Return an untrained network for these faces."""
    features, _ = synthetic(30, seed=0)
    statistics = FeatureStatistics.of(features)
    return untrained_model(labels, SPEC, SHAPE, statistics, architecture=architecture, seed=1)


def trained_model(presentations: int = 1920) -> Model:
    """Return a small network that has learnt to tell these faces apart."""
    network, rng = Network(small_model()), np.random.default_rng(7)
    features, truth = synthetic(30, seed=0)
    steps = network.parameters.steps(QUICK_RULE.presentation)
    for k in range(presentations):
        rate = 1 - k / presentations
        rule = replace(
            QUICK_RULE, eta_w=0.15 * rate, eta_v=2e-3 * rate, eta_theta=QUICK_RULE.eta_theta * rate
        )
        face = rng.integers(len(truth))
        counts = network.present(features[face], steps).counts
        teach(network, counts, int(truth[face]), rule)
        network.normalise()
    return replace(network.model, calibration=ReadoutCalibration(kappa=4.0))
