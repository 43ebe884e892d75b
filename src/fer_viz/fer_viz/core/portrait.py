"""The face that the panel is about, cut out upright."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.canvas import Box, Picture, fill, rounded_mask
from fer_viz.core.look import Look
from fer_viz.core.scene import Face

# Where the eyes come to lie, as in the crop that the network sees: shares of the side.
_EYE_ROW = 0.36
_EYE_DISTANCE = 0.40
_RADIUS_SHARE = 0.12


def draw_portrait(
    picture: Picture, box: Box, frame: Picture, face: Face | None, scale: float, look: Look
) -> None:
    """Draw the face into a box with round corners; an empty plate where there is none.

    Parameters
    ----------
    picture : drawn into.
    box : where.
    frame : camera picture, `scale` times the source image in which the face's place is given.
    face : the face; it is cut out by its eyes, or by its box where they are not known.
    scale : pixels of the frame for a pixel of the source image.
    look : colours and sizes.
    """
    radius = round(_RADIUS_SHARE * box.width)
    fill(picture, box, look.theme.plate, radius=radius)
    if face is None or face.area_px == 0:
        return
    turned = cv2.warpAffine(
        frame,
        upright(face, scale, box.width),
        (box.width, box.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    part = picture[box.y : box.bottom, box.x : box.right]
    share = rounded_mask(box.width, box.height, radius)[..., None].astype(np.float32) / 255
    part[...] = (part + (turned - part.astype(np.float32)) * share + 0.5).astype(np.uint8)


def upright(face: Face, scale: float, side: int) -> npt.NDArray[np.float64]:
    """Return the 2x3 map from the frame to a square of `side` px with the face upright in it."""
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
            centre, target = (
                (float(right[0] + left[0]) / 2, float(right[1] + left[1]) / 2),
                (side / 2, _EYE_ROW * side),
            )
    matrix = cv2.getRotationMatrix2D(centre, angle, zoom)
    matrix[:, 2] += np.subtract(target, centre)
    return np.asarray(matrix, np.float64)
