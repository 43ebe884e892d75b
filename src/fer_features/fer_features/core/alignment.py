"""Face alignment: rotate and scale a face so that its eyes have fixed positions in the crop.

Positions are continuous: pixel i covers i to i + 1, its centre is at i + 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

OVERSAMPLING = 2
"""The crop is rendered this many times larger and averaged, against aliasing."""

TIGHT_EYES = np.array([[0.325, 0.39], [0.675, 0.39]])
"""Mean positions of the eyes in the tight face crops of FER2013, in sides of the picture."""

SMALLEST_EYE_DISTANCE = 0.33
"""In sizes of the detector's box. A frontal face has 0.43."""

GRID = 512
"""The finer, the less features shift, and the more often processors disagree; see `on_grid`."""


@dataclass(frozen=True)
class CropGeometry:
    """Positions of the eyes in a face crop.

    Attributes
    ----------
    side_px : side of the square crop.
    eye_distance : distance between the eyes, which are symmetric about the middle, in sides.
    eye_height : distance of the eyes from the upper edge, in sides.
    """

    side_px: int = 48
    eye_distance: float = 0.40
    eye_height: float = 0.36

    @property
    def eyes_px(self) -> NDArray[np.float64]:
        """Eyes in the crop, (2, 2) x and y; first the person's right eye, on the left."""
        half = self.eye_distance / 2
        eyes = np.array([[0.5 - half, self.eye_height], [0.5 + half, self.eye_height]])
        return eyes * self.side_px


@dataclass(frozen=True)
class AlignedFace:
    """A face crop.

    Attributes
    ----------
    crop : (side, side) uint8, grey.
    roll_rad : rotation that was removed; clockwise in the picture is positive.
    """

    crop: NDArray[np.uint8]
    roll_rad: float


def roll_of(eyes_px: NDArray[np.float64]) -> float:
    """Return the roll of a face from its eyes (2, 2), radians; clockwise is positive."""
    dx, dy = eyes_px[1] - eyes_px[0]
    return float(np.arctan2(dy, dx))


def widened_eyes(eyes_px: NDArray[np.float64], face_size_px: float) -> NDArray[np.float64]:
    """Return eyes (2, 2) at least `SMALLEST_EYE_DISTANCE` face sizes apart, with the same middle.

    The eyes of a face in profile are close together. Aligned by them, its nose would fill the crop.
    """
    distance = float(np.hypot(*(eyes_px[1] - eyes_px[0])))
    smallest = SMALLEST_EYE_DISTANCE * face_size_px
    if not 0 < distance < smallest:
        return eyes_px
    middle = eyes_px.mean(axis=0)
    return np.asarray(middle + (eyes_px - middle) * (smallest / distance))


def on_grid(eyes_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return eyes (2, 2) rounded by at most 1/`GRID` of their distance.

    The detector's results differ in their last bits between processors, and so would the crops.
    """
    _, exponent = np.frexp(np.hypot(*(eyes_px[1] - eyes_px[0])))
    step_px = np.ldexp(1 / GRID, int(exponent))
    return np.asarray(np.rint(eyes_px / step_px) * step_px)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, 3) similarity transform that maps two points (2, 2) to two others.

    Raises
    ------
    ValueError : the source points are equal.
    """
    span = source[1] - source[0]
    wanted = target[1] - target[0]
    squared = span @ span
    if squared == 0:
        raise ValueError("two equal points have no direction")
    cosine = (span @ wanted) / squared
    sine = (span[0] * wanted[1] - span[1] * wanted[0]) / squared
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, target[0] - turn @ source[0]])


def from_pixel_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a (2, 3) affine map for OpenCV, whose coordinates are those of pixel centres."""
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return shifted


def align_face(
    image: NDArray[np.uint8], eyes_px: NDArray[np.float64], geometry: CropGeometry
) -> AlignedFace | None:
    """Return the upright crop of a face, with its eyes at the positions of the geometry.

    Beyond the edge of the picture, its outermost pixels are repeated.

    Parameters
    ----------
    image : (h, w, 3) BGR or (h, w) grey.
    eyes_px : (2, 2) x and y of the person's right and left eye.

    Returns
    -------
    None if the eyes coincide, or no part of the crop is in the picture.
    """
    if not np.hypot(*(eyes_px[1] - eyes_px[0])) >= 1:
        return None
    to_crop = similarity(eyes_px, geometry.eyes_px * OVERSAMPLING)
    side = geometry.side_px * OVERSAMPLING
    # A crop much smaller than the face is rendered from a downscaled patch.
    shrink = max(int(1 / np.hypot(*to_crop[:, 0])), 1)
    cut = _patch(image, to_crop, side, shrink)
    if cut is None:
        return None
    patch, origin = cut
    matrix = to_crop.copy()
    matrix[:, 2] += matrix[:, :2] @ origin
    matrix[:, :2] *= shrink
    matrix = from_pixel_centres(matrix)
    large = cv2.warpAffine(patch, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
    size = (geometry.side_px, geometry.side_px)
    crop = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return AlignedFace(np.asarray(crop, np.uint8), roll_of(eyes_px))


def whole_picture_crop(
    image: NDArray[np.uint8], geometry: CropGeometry
) -> NDArray[np.uint8] | None:
    """Return the crop (side, side), grey, of a picture that is already a tight face crop.

    It assumes the mean eye positions of such pictures (`TIGHT_EYES`), and uses the central square.
    None for pictures below 3 px.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    aligned = align_face(square, TIGHT_EYES * side, geometry)
    return aligned.crop if aligned else None


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a BGR picture as grey (ITU-R BT.601), a grey one unchanged."""
    has_channels = bool(image.shape[2:])
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8) if has_channels else image


def _patch(
    image: NDArray[np.uint8], to_crop: NDArray[np.float64], side: int, shrink: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """Return the part of the picture under the crop, grey and downscaled, and its corner."""
    # Plain numbers, because arrays of so few are slow.
    (cosine, _, x), (sine, _, y) = to_crop.tolist()
    squared = cosine**2 + sine**2
    corners = [(u - x, v - y) for u in (0, side) for v in (0, side)]
    across = [(cosine * u + sine * v) / squared for u, v in corners]
    down = [(cosine * v - sine * u) / squared for u, v in corners]
    height, width = image.shape[:2]
    (x0, columns), (y0, rows) = _blocks(across, width, shrink), _blocks(down, height, shrink)
    if columns < 1 or rows < 1:
        return None
    patch = to_grey(image[y0 : y0 + rows * shrink, x0 : x0 + columns * shrink])
    if shrink > 1:
        size = (columns, rows)
        patch = np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.uint8)
    return patch, np.array([x0, y0], np.float64)


def _blocks(corners: list[float], length: int, shrink: int) -> tuple[int, int]:
    """Return where the patch begins along an axis, and its size in blocks of `shrink` px."""
    # Processors differ in the last bits, which decide where a corner lies on a whole pixel.
    low = math.floor(round(min(corners), 6)) - shrink
    high = math.ceil(round(max(corners), 6)) + shrink
    begin, end = min(max(low, 0), length), min(max(high, 0), length)
    # Whole blocks only: otherwise downscaling would change the scale.
    return begin, (end - begin) // shrink
