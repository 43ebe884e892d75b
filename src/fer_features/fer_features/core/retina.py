"""Light adaptation: grey values relative to their surround, as in a retina.

A picture is illumination times reflectance. The retina divides by the mean brightness of the
surround, which leaves contrast (Weber's law): a face looks the same in shadow, beside a window, and
with any skin colour. For grey values x of 0..255,

    adapted = min(x / (mean(x) + k), 2) / 2

where mean is over a Gaussian surround, and k, `DARK_LIGHT`, limits the noise in dark regions
(divisive normalisation, Carandini and Heeger, Nature Reviews Neuroscience 13, 2012).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DARK_LIGHT = 8.0
"""Grey value of the surround at which the adaptation has half of its effect."""

BRIGHTEST = 2.0
"""Values above this multiple of the surround, such as glints and teeth, are clipped."""


def adapted(crop: NDArray[np.uint8], surround_px: float) -> NDArray[np.float32]:
    """Return a crop (h, w) after light adaptation, 0..1; uniform regions give about 0.5.

    Parameters
    ----------
    surround_px : standard deviation of the surround, pixels; 0 for no adaptation: grey / 255.
    """
    grey = crop.astype(np.float32)
    if surround_px == 0:
        return grey / np.float32(255)
    light = cv2.GaussianBlur(grey, (0, 0), surround_px, borderType=cv2.BORDER_REFLECT)
    relative = np.minimum(grey / (light + np.float32(DARK_LIGHT)), np.float32(BRIGHTEST))
    return np.asarray(relative / np.float32(BRIGHTEST), np.float32)
