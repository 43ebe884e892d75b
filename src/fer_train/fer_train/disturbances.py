"""What a camera, a light or a detector may do to a face, one at a time and as strong as stated.

`fer evaluate --disturbed` shows the same faces again under each and tells what it costs. Pictures
are disturbed before the face is looked for, so detection and alignment are put to the test too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Change = Callable[[Picture, np.random.Generator], Picture]

BOX_PER_EYE_DISTANCE = 1 / 0.43
"""Width of the detector's box of a face seen from the front."""


def _unchanged(picture: Picture, rng: np.random.Generator) -> Picture:
    return picture


def _rolled(picture: Picture, rng: np.random.Generator, degrees: float) -> Picture:
    height, width = picture.shape[:2]
    # OpenCV counts from pixel centres.
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def _curved(picture: Picture, rng: np.random.Generator, gamma: float) -> Picture:
    return np.asarray(np.rint(255 * (picture / 255) ** gamma), np.uint8)


def _compressed(picture: Picture, rng: np.random.Generator, quality: int) -> Picture:
    _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _noisy(picture: Picture, rng: np.random.Generator, sigma: float) -> Picture:
    noisy = picture + rng.normal(0.0, sigma, picture.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


@dataclass(frozen=True)
class Disturbance:
    """One of them.

    Attributes
    ----------
    name : for the table.
    change : makes another picture (h, w, 3) of a picture.
    jitter : the face is taken to be up to this far from where it was found, along both axes, in
        widths of its box.
    width_px : the picture is scaled down until the face's box is so wide; 0 for not.
    """

    name: str
    change: Change = _unchanged
    jitter: float = 0.0
    width_px: float = 0.0

    def scale(self, eyes_px: NDArray[np.float64]) -> float:
        """Return the factor that brings a face with these eyes (2, 2) to its width; at most 1."""
        box_px = np.linalg.norm(eyes_px[1] - eyes_px[0]) * BOX_PER_EYE_DISTANCE
        return min(self.width_px / float(box_px), 1.0) if self.width_px else 1.0

    def moved(self, eyes_px: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return eyes (2, 2) off their place by the jitter."""
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
