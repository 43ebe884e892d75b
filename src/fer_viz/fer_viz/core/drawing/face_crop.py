"""The face that is shown in detail, cut out upright."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.drawing.canvas import Box, Picture, fill, rounded_mask
from fer_viz.core.drawing.style import Style
from fer_viz.core.scene import Face

# Position of the eyes in the crop that the network gets, shares of its side.
_EYE_ROW = 0.36
_EYE_DISTANCE = 0.40
_RADIUS_SHARE = 0.12


def draw_portrait(
    picture: Picture, box: Box, frame: Picture, face: Face | None, scale: float, style: Style
) -> None:
    """Draw the face into a box with round corners; an empty plate without a face.

    Parameters
    ----------
    picture : drawn into.
    frame : camera image; `scale` of its pixels make one of the source image.
    face : cut out by its eyes, or by its box where they are unknown.
    """
    radius = round(_RADIUS_SHARE * box.width)
    fill(picture, box, style.theme.plate, radius=radius)
    if face is None or face.area_px == 0:
        return
    upright = upright_face(frame, face, scale, box.width)
    part = box.of(picture)
    share = rounded_mask(box.width, box.height, radius)[..., None].astype(np.float32) / 255
    part[...] = (part + (upright - part.astype(np.float32)) * share + 0.5).astype(np.uint8)


def upright_face(frame: Picture, face: Face, scale: float, side: int) -> Picture:
    """Return a square of `side` pixels with the face upright, as `draw_portrait`."""
    matrix = _upright(face, scale, side)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    turned = cv2.warpAffine(frame, matrix, (side, side), flags=flags, borderMode=border)
    return np.asarray(turned, np.uint8)


def _upright(face: Face, scale: float, side: int) -> npt.NDArray[np.float64]:
    """Return the 2x3 matrix from the frame to the square."""
    x, y, width, height = (value * scale for value in face.box_px)
    angle, zoom = 0.0, side / max(width, height, 1.0)
    centre, target = (x + width / 2, y + height / 2), (side / 2, side / 2)
    if len(face.landmarks_px) > 1:
        right, left = face.landmarks_px[0] * scale, face.landmarks_px[1] * scale
        across = left - right
        distance = math.hypot(*across)
        if distance >= 1:
            angle = math.degrees(math.atan2(across[1], across[0]))
            zoom = _EYE_DISTANCE * side / distance
            centre = (float(right[0] + left[0]) / 2, float(right[1] + left[1]) / 2)
            target = (side / 2, _EYE_ROW * side)
    matrix = cv2.getRotationMatrix2D(centre, angle, zoom)
    matrix[:, 2] += np.subtract(target, centre)
    return np.asarray(matrix, np.float64)
