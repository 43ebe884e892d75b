"""From a feature map to the currents of the feature layer.

Every feature f_k is compared with what is usual for it, and drives a pair of neurons: one that
answers to more than usual (ON) and one that answers to less (OFF), as retinal ganglion cells do:

    z_k    = (f_k - mean_k) / sqrt(var_k + epsilon)
    I_ON   = max(0, +z_k + 1/2) I_rheobase
    I_OFF  = max(0, -z_k + 1/2) I_rheobase

so that a pair is silent within half a standard deviation of the usual. The layer has first all ON
neurons, then all OFF neurons, each in the order of the feature map. mean and var are those of the
faces of the training; they stay as they are afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fer_snn.core.neurons.lif import Float32s

EPSILON = np.float32(1e-6)
BIAS = np.float32(0.5)


@dataclass(frozen=True)
class FeatureStatistics:
    """What is usual for each feature: mean and variance (n), and of how many faces they are."""

    mean: Float32s
    variance: Float32s
    faces: int

    @cached_property
    def deviation(self) -> Float32s:
        """Standard deviation (n), never 0."""
        return np.sqrt(self.variance + EPSILON)


def currents(features: Float32s, statistics: FeatureStatistics, rheobase: float) -> Float32s:
    """Return the input currents of the feature layer, amperes (2 n), for features (n)."""
    z = (features - statistics.mean) / statistics.deviation
    current = np.concatenate((z + BIAS, BIAS - z))
    np.maximum(current, np.float32(0), out=current)
    current *= np.float32(rheobase)
    return current
