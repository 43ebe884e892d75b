"""Further looks at a face in a still picture, each with the picture turned about the face.

Where the detector puts the eyes depends, by hundredths of their distance, on how the face happens
to lie on its grid of pixels. A stream shows every face many times and the tracker evens that out; a
still picture is turned a little to both sides instead, and what is found is turned back. The
mean of three looks is off by a third less than one look
(docs/experiments/looks.md, "Several looks at a still picture").
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_features.core.alignment import from_pixel_centres
from fer_features.core.detector import Detection, FaceDetector
from fer_features.core.windows import Window

SAME_FACE = 0.3
"""What is found further than this from the face, in its sizes along an axis, is another one."""


def mean_of_looks(
    detector: FaceDetector,
    image: NDArray[np.uint8],
    face: Detection,
    window: Window,
    turns_deg: Sequence[float],
) -> Detection:
    """Return a face as the mean of how it was found and of how it is found in turned pictures.

    Parameters
    ----------
    image : (h, w, 3) BGR or (h, w) grey.
    window : around the face, to look into.
    turns_deg : about the face's centre, degrees, counter-clockwise is positive. A turn in which
        the face is not found does not count.
    """
    again = [_turned_look(detector, image, face, window, turn) for turn in turns_deg]
    looks = [face, *(look for look in again if look is not None)]
    return Detection(
        box_px=np.mean([look.box_px for look in looks], axis=0),
        score=face.score,
        landmarks_px=np.mean([look.landmarks_px for look in looks], axis=0),
    )


def _turned_look(
    detector: FaceDetector,
    image: NDArray[np.uint8],
    face: Detection,
    window: Window,
    turn_deg: float,
) -> Detection | None:
    x, y = face.centre_px.tolist()
    to_patch = np.asarray(cv2.getRotationMatrix2D((x, y), turn_deg, 1.0))
    to_patch[:, 2] -= (window.x, window.y)
    size = (window.side, window.side)
    patch = np.asarray(cv2.warpAffine(image, from_pixel_centres(to_patch), size), np.uint8)
    expected = face.centre_px - (window.x, window.y)
    reach = SAME_FACE * face.box_px[2:].max()
    for look in detector.detect(patch, Window(0, 0, window.side)):
        if np.abs(look.centre_px - expected).max() < reach:
            to_image = np.asarray(cv2.invertAffineTransform(to_patch))
            return _mapped(look, to_image)
    return None


def _mapped(face: Detection, matrix: NDArray[np.float64]) -> Detection:
    """Return a face whose points went through a (2, 3) rotation; its box keeps its size."""
    points = np.vstack([face.centre_px, face.landmarks_px]) @ matrix[:, :2].T + matrix[:, 2]
    size = face.box_px[2:]
    return Detection(np.append(points[0] - size / 2, size), face.score, points[1:])
