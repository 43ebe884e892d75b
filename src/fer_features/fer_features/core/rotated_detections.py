"""More accurate landmarks in still pictures, from detections in rotated copies.

The detected eye positions vary by hundredths of the eye distance, depending on how the face lies on
the pixel grid of the detector. In a stream the tracker averages this out. A still picture is
rotated a little to both sides instead, and the detections are rotated back. The mean of three has
two thirds of the error of one (docs/experiments.md, "More than one look").
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
"""A detection further than this from the face, in face sizes along an axis, is another face."""


def mean_detection(
    detector: FaceDetector,
    image: NDArray[np.uint8],
    face: Detection,
    window: Window,
    turns_deg: Sequence[float],
) -> Detection:
    """Return the mean of a detection and those of the same face in rotated pictures.

    Parameters
    ----------
    image : (h, w, 3) BGR or (h, w) grey.
    window : window around the face for the detector.
    turns_deg : rotations about the centre of the face, degrees, counter-clockwise is positive. A
        rotation without detection does not count.
    """
    rotated = [_rotated_detection(detector, image, face, window, turn) for turn in turns_deg]
    found = [face, *(detection for detection in rotated if detection is not None)]
    return Detection(
        box_px=np.mean([detection.box_px for detection in found], axis=0),
        score=face.score,
        landmarks_px=np.mean([detection.landmarks_px for detection in found], axis=0),
    )


def _rotated_detection(
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
    for detection in detector.detect(patch, Window(0, 0, window.side)):
        if np.abs(detection.centre_px - expected).max() < reach:
            return _mapped(detection, np.asarray(cv2.invertAffineTransform(to_patch)))
    return None


def _mapped(face: Detection, matrix: NDArray[np.float64]) -> Detection:
    """Return a detection with its points mapped by a (2, 3) rotation; its box keeps its size."""
    points = np.vstack([face.centre_px, face.landmarks_px]) @ matrix[:, :2].T + matrix[:, 2]
    size = face.box_px[2:]
    return Detection(np.append(points[0] - size / 2, size), face.score, points[1:])
