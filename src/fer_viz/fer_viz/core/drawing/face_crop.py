"""The face that is shown in detail, cut out upright, and its features."""

from __future__ import annotations

import math

import cv2
import numpy as np

from fer_viz.core.drawing.canvas import SHIFT, SUBPIXEL, Picture
from fer_viz.core.drawing.style import Theme, colour_mapped, mix
from fer_viz.core.scene import Face, FeatureMap

#: Side of the face that the network gets, pixels.
CROP_PX = 48

# Position of the eyes in the crop that the network gets, shares of its side.
_EYE_ROW = 0.36
_EYE_DISTANCE = 0.40
#: Cells of the feature map with less than this share of the strongest one have no stroke.
_FAINTEST = 0.15
#: How much of its colour the strongest cell has: strokes must stand out on it.
_MAP_STRENGTH = 0.7


def draw_crop(picture: Picture, image: Picture, face: Face) -> None:
    """Fill a square picture with the face as the network gets it.

    Parameters
    ----------
    picture : (side, side, 3), overwritten.
    image : camera image that the face is cut out of, by its eyes or, where they are unknown, by
        its box.
    """
    # A large face is averaged, like the crop of the network; none is larger than its image.
    factor = max(min(*image.shape[:2], max(face.box_px[2:])) // (2 * CROP_PX), 1)
    grey = cv2.cvtColor(upright_face(image, face, CROP_PX * factor), cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    cv2.cvtColor(large, cv2.COLOR_GRAY2BGR, dst=picture)


def draw_features(picture: Picture, features: FeatureMap, theme: Theme) -> None:
    """Fill a square picture with the energy of each cell, and the orientation of its edges."""
    energy = features.energy.max(axis=0)
    rows, cols = energy.shape
    side = picture.shape[0]
    scale = (theme.plate, mix(theme.plate, theme.labels[0], _MAP_STRENGTH))
    colours = colour_mapped(energy, float(energy.min()), float(energy.max()), scale)
    picture[...] = cv2.resize(colours, (side, side), interpolation=cv2.INTER_NEAREST)
    cell = side / max(rows, cols)
    angle, strength = features.strokes
    # An edge is perpendicular to the direction in which its grating changes.
    length = 0.45 * cell * strength
    y, x = (np.mgrid[0:rows, 0:cols] + 0.5) * cell
    step_x, step_y = -np.sin(angle) * length, np.cos(angle) * length
    ends = np.stack([x - step_x, y - step_y, x + step_x, y + step_y], axis=-1)
    lines = (ends[strength > _FAINTEST] * SUBPIXEL).round().astype(np.int32).reshape(-1, 2, 2)
    thick = max(round(cell / 9), 1)
    cv2.polylines(picture, list(lines), False, theme.strong, thick, cv2.LINE_AA, SHIFT)


def upright_face(frame: Picture, face: Face, side: int) -> Picture:
    """Return a square of `side` pixels with the face upright."""
    x, y, width, height = face.box_px
    angle, zoom = 0.0, side / max(width, height, 1.0)
    centre, target = (x + width / 2, y + height / 2), (side / 2, side / 2)
    if len(face.landmarks_px) > 1:
        right, left = face.landmarks_px[:2]
        across = left - right
        distance = math.hypot(*across)
        if distance >= 1:
            angle = math.degrees(math.atan2(across[1], across[0]))
            zoom = _EYE_DISTANCE * side / distance
            centre = (float(right[0] + left[0]) / 2, float(right[1] + left[1]) / 2)
            target = (side / 2, _EYE_ROW * side)
    matrix = cv2.getRotationMatrix2D(centre, angle, zoom)
    matrix[:, 2] += np.subtract(target, centre)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    turned = cv2.warpAffine(frame, matrix, (side, side), flags=flags, borderMode=border)
    return np.asarray(turned, np.uint8)
