"""Weights in one byte each, where they can be without any loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.model import Stage

_LEVELS = 256


class PackedWeights(NamedTuple):
    """Weights as whole multiples of a power of two."""

    codes: NDArray[np.uint8]
    """Weights over `unit`, laid out as `Stage.padded_weights`."""
    unit: np.float32


def packed(stage: Stage) -> PackedWeights | None:
    """Return the weights of a stage in one byte each; None if any would be rounded."""
    weights = stage.weights
    _, exponent = np.frexp(weights.max() / np.float32(_LEVELS))
    unit = np.ldexp(np.float32(1), exponent)
    codes = np.zeros(stage.padded_weights.shape, dtype=np.uint8)
    scaled = weights / unit
    # Also false for NaN.
    if not ((scaled >= 0) & (scaled < _LEVELS) & (scaled == np.rint(scaled))).all():
        return None
    codes[:, : weights.shape[1]] = scaled
    return PackedWeights(codes, unit)
