"""From a feature map to the input currents of the feature layer.

Every feature f_k drives a pair of neurons: one responds to values above the mean (ON) and one to
values below (OFF), like retinal ganglion cells:

    z_k    = (f_k - mean_k) / sqrt(var_k + epsilon)
    I_ON   = max(0, +z_k + 1/2) I_rheobase
    I_OFF  = max(0, -z_k + 1/2) I_rheobase

A pair is silent within half a standard deviation of the mean. The layer contains all ON neurons,
then all OFF neurons, both in the order of the feature map. mean and var are those of the training
faces and do not change afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.lif import Float32s

Scalar = TypeVar("Scalar", bound=np.generic)

EPSILON = np.float32(1e-6)
BIAS = np.float32(0.5)


@dataclass(frozen=True)
class FeatureStatistics:
    """Mean and variance of each feature (n), and the number of faces that they come from."""

    mean: Float32s
    variance: Float32s
    faces: int

    @classmethod
    def of(cls, faces: Float32s) -> FeatureStatistics:
        """Return the statistics of some feature maps (faces, channels, rows, cols)."""
        flat = faces.reshape(len(faces), -1)
        mean, variance = flat.mean(axis=0, dtype=np.float64), flat.var(axis=0, dtype=np.float64)
        return cls(mean.astype(np.float32), variance.astype(np.float32), len(faces))

    @cached_property
    def deviation(self) -> Float32s:
        """Standard deviation (n), never 0."""
        return np.sqrt(self.variance + EPSILON)


def currents(features: Float32s, statistics: FeatureStatistics, rheobase: float) -> Float32s:
    """Return the input currents of the feature layer, amperes (..., 2 n), for features (..., n)."""
    z = (features - statistics.mean) / statistics.deviation
    current = np.concatenate((z + BIAS, BIAS - z), axis=-1)
    np.maximum(current, np.float32(0), out=current)
    current *= np.float32(rheobase)
    return current


def mirrored(features: NDArray[Scalar], orientations: int) -> NDArray[Scalar]:
    """Return the features of the mirrored faces.

    Mirroring reverses the columns, and turns orientation theta into pi - theta.

    Parameters
    ----------
    features : (..., channels, rows, cols), channel = scale * orientations + orientation.
    """
    *faces, channels, rows, cols = features.shape
    by_scale = features.reshape(*faces, channels // orientations, orientations, rows, cols)
    turned = by_scale[..., -np.arange(orientations) % orientations, :, ::-1]
    return np.ascontiguousarray(turned).reshape(features.shape)


def orientations_in(feature_spec: str, channels: int) -> int:
    """Return the number of orientations of each scale; 0 if the specification does not say."""
    fields = _fields(feature_spec)
    orientations = int(fields["o"]) if fields.get("o", "").isdigit() else 0
    scales = len(fields.get("wl", "").split(","))
    return orientations if orientations * scales == channels else 0


@lru_cache(maxsize=16)
def _fields(feature_spec: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in feature_spec.split(";") if "=" in part)


def channel_names(feature_spec: str, channels: int) -> list[str]:
    """Return the names of the ON channels, then of the OFF channels, such as "ON 4px 22.5deg".

    Channels get numbers if the specification does not give orientations and wavelengths.
    """
    orientations = orientations_in(feature_spec, channels)
    if orientations:
        wavelengths = _fields(feature_spec)["wl"].split(",")
        plain = [
            f"{wavelength}px {180 * k / orientations:g}deg"
            for wavelength in wavelengths
            for k in range(orientations)
        ]
    else:
        plain = [str(channel) for channel in range(channels)]
    return [f"{side} {name}" for side in ("ON", "OFF") for name in plain]
