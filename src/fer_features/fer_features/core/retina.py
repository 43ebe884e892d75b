"""Light adaptation: grey values relative to their surround, as in a retina.

A picture is illumination times reflectance. The retina divides by the mean brightness of the
surround, which leaves contrast (Weber's law): a face looks the same in shadow, beside a window, and
with any skin colour. For grey values x of 0..255,

    adapted = min(x / (mean(x) + k), 2) / 2

where mean is over a Gaussian surround, and k, `DARK_LIGHT`, limits the noise in dark regions
(divisive normalisation, Carandini and Heeger, Nature Reviews Neuroscience 13, 2012).
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

DARK_LIGHT = 8.0
"""Grey value of the surround at which the adaptation has half of its effect."""

BRIGHTEST = 2.0
"""Values above this multiple of the surround, such as glints and teeth, are clipped."""


SURROUND_BITS = 22
ADAPTED_BITS = 22
"""Fractional bits of the weights of the surround, and of what has been adapted; see `rounded`."""


def rounded(values: NDArray[np.float64], bits: int) -> NDArray[np.float64]:
    """Return values rounded to multiples of 2**-bits.

    Sums of products of such values are exact in float64 while all fit into 53 bits. So they are the
    same on every processor, in whatever order its BLAS adds, with or without fused multiply-add.
    """
    unit = 2.0**-bits
    return np.rint(values / unit) * unit


def adapted(crop: NDArray[np.uint8], surround_px: float) -> NDArray[np.float64]:
    """Return a square crop after light adaptation, 0..1; uniform regions give about 0.5.

    The values are multiples of 2**-`ADAPTED_BITS`.

    Parameters
    ----------
    surround_px : standard deviation of the surround, pixels; 0 for no adaptation: grey / 255.
    """
    grey = crop.astype(np.float64)
    if surround_px == 0:
        return rounded(grey / 255, ADAPTED_BITS)
    blur = _blur(len(crop), surround_px)
    light = blur @ grey @ blur.T
    relative = np.minimum(grey / (light + DARK_LIGHT), BRIGHTEST)
    return rounded(relative / BRIGHTEST, ADAPTED_BITS)


@functools.cache
def _blur(side: int, surround_px: float) -> NDArray[np.float64]:
    """Return the matrix (side, side) that blurs columns, which are mirrored at their ends."""
    size = 2 * round(4 * surround_px) + 1
    kernel = cv2.getGaussianKernel(size, surround_px)
    unblurred, same = np.eye(side), np.ones(1)
    blur = cv2.sepFilter2D(unblurred, cv2.CV_64F, same, kernel, borderType=cv2.BORDER_REFLECT)
    return rounded(np.asarray(blur), SURROUND_BITS)
