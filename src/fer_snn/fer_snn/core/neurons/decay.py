"""Exponential decay of what is remembered: drive, traces, thresholds.

What has decayed below `SILENT` is taken as nothing. After a second or two without spikes it would
otherwise reach the denormal floats, below 1.2e-38, with which a processor calculates some
30 times more slowly; no weight, potential or current, of order 1e-3 and above in single precision,
can tell the difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENT = np.float32(1e-30)
"""The smallest magnitude that is remembered, in the unit of what decays."""


def decayed(
    values: NDArray[np.float32], factor: np.float32 | NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return `values` times `factor`, 0 where that is less than `SILENT`."""
    faded = values * factor
    return np.where(np.abs(faded) >= SILENT, faded, np.float32(0))
