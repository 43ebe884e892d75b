"""Light adaptation: grey values relative to the light around them, as a retina tells them.

A picture is light times reflectance. Photoreceptors and the cells behind them divide by the mean
light of their surround, so that what is left is contrast (Weber): a face is the same in the shadow,
beside a window, and with any colour of skin. For grey values x of 0..255,

    adapted = min(x / (mean(x) + k), 2) / 2

where mean is a Gaussian surround and k, `DARK_LIGHT`, keeps the noise of dark places down (the
divisive normalisation of Carandini and Heeger, Nature Reviews Neuroscience 13, 2012).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

DARK_LIGHT = 8.0
"""Grey value of the surround at which the adaptation reaches half of its effect."""

BRIGHTEST = 2.0
"""Values above so many times the surround, glints and teeth, are all the same."""


def adapted(crop: NDArray[np.uint8], surround_px: float) -> NDArray[np.float32]:
    """Return a crop (h, w) after light adaptation, 0..1; its plain surround gives about 1/2.

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
