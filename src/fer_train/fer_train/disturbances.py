"""Disturbances by cameras, lights and detectors, each of a fixed strength.

`fer evaluate --disturbed` shows the same faces with each disturbance and prints the loss of
accuracy. Pictures are disturbed before the face is detected, so detection and alignment are tested
too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_train.augment import Picture, compressed, rotated

Change = Callable[[Picture, np.random.Generator], Picture]

BOX_PER_EYE_DISTANCE = 1 / 0.43
"""Width of the detector's box, in eye distances, for a frontal face."""


def _unchanged(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture


def _rolled(picture: Picture, rng: np.random.Generator, degrees: float) -> Picture:
    return rotated(picture, degrees)[0]


def _curved(picture: Picture, rng: np.random.Generator, gamma: float) -> Picture:
    return np.asarray(np.rint(255 * (picture / 255) ** gamma), np.uint8)


def _compressed(picture: Picture, rng: np.random.Generator, quality: int) -> Picture:
    return compressed(picture, quality, cv2.IMREAD_COLOR)


def _noisy(picture: Picture, rng: np.random.Generator, sigma: float) -> Picture:
    noisy = picture + rng.normal(0.0, sigma, picture.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


@dataclass(frozen=True)
class Disturbance:
    """One disturbance.

    Attributes
    ----------
    change : function that changes a picture (h, w, 3).
    jitter : largest error of the position of the face along each axis, in widths of its box.
    width_px : width of the box of the face after scaling the picture down; 0: not scaled.
    """

    name: str
    change: Change = _unchanged
    jitter: float = 0.0
    width_px: float = 0.0

    def scale(self, eyes_px: NDArray[np.float64]) -> float:
        """Return the scale, at most 1, at which a face with these eyes (2, 2) has `width_px`."""
        box_px = np.linalg.norm(eyes_px[1] - eyes_px[0]) * BOX_PER_EYE_DISTANCE
        return min(self.width_px / float(box_px), 1.0) if self.width_px else 1.0

    def moved(self, eyes_px: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return eyes (2, 2) with a random error of the position of the face."""
        box_px = np.linalg.norm(eyes_px[1] - eyes_px[0]) * BOX_PER_EYE_DISTANCE
        return np.asarray(eyes_px + rng.uniform(-self.jitter, self.jitter, 2) * box_px)


DISTURBANCES = (
    Disturbance("rolled by 30 degrees", partial(_rolled, degrees=30.0)),
    Disturbance("rolled by -30 degrees", partial(_rolled, degrees=-30.0)),
    Disturbance("box off by up to 10 %", jitter=0.1),
    Disturbance("gamma 0.5", partial(_curved, gamma=0.5)),
    Disturbance("gamma 2", partial(_curved, gamma=2.0)),
    Disturbance("JPEG quality 30", partial(_compressed, quality=30)),
    Disturbance("noise, sigma 10", partial(_noisy, sigma=10.0)),
    Disturbance("face 60 px wide", width_px=60.0),
)
