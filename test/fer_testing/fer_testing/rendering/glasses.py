"""The frames of glasses, as lines before the eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]

THICKNESS = 0.045
"""Of the frame, decimetres."""
LENS = (0.03, 0.03, 0.04)
"""Colour of a dark lens."""
_CORNERS = 33


def frame(left_eye: NDArray[np.floating], right_eye: NDArray[np.floating]) -> list[Line]:
    """Return the rims around the left and the right eye, the bridge and the two temples."""
    left, right = _rim(left_eye), _rim(right_eye)
    inner = _CORNERS // 2
    bridge = np.stack([right[0], left[inner]])
    temples = [
        np.stack([rim[corner], rim[corner] + [0.12 * side, 0, -1.1]])
        for rim, corner, side in ((left, 0, 1), (right, inner, -1))
    ]
    return [left, right, bridge, *temples]


def _rim(eye: NDArray[np.floating]) -> Line:
    """Return a rounded rectangle that bends back at the side of the head."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS)
    c, s = np.cos(angle), np.sin(angle)
    x = 0.25 * np.sign(c) * np.abs(c) ** 0.6
    y = 0.19 * np.sign(s) * np.abs(s) ** 0.6
    z = np.full_like(x, 0.28) - 0.25 * np.clip(np.abs(eye[0] + x) - 0.3, 0, 1)
    return np.stack([eye[0] + x, eye[1] - 0.03 + y, eye[2] + z], axis=1)
