"""Turn, crop, scale, mirror and convert a frame of a source to the published image."""

from __future__ import annotations

import cv2
import numpy as np

from fer_camera.core.parameters import CameraSettings
from fer_common.core.images import Pixels

MONO = "mono8"
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def transform(pixels: Pixels, settings: CameraSettings) -> Pixels:
    """Return the published image.

    Parameters
    ----------
    pixels : (height, width, 3) BGR, uint8.

    Returns
    -------
    (height, width, 3) for bgr8, (height, width) for mono8, uint8; the input itself if no setting
    changes it.
    """
    if settings.encoding == MONO:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)
    if settings.rotation:
        pixels = np.asarray(cv2.rotate(pixels, _TURNS[settings.rotation]), np.uint8)
    pixels = _fit(pixels, settings.width, settings.height)
    return np.asarray(cv2.flip(pixels, 1), np.uint8) if settings.flip else pixels


def _fit(pixels: Pixels, width: int, height: int) -> Pixels:
    rows, cols = pixels.shape[:2]
    width, height = target_size(cols, rows, width, height)
    if (width, height) == (cols, rows):
        return pixels
    # The largest central part with the requested aspect ratio.
    scale = max(width / cols, height / rows)
    used_cols = min(cols, max(1, round(width / scale)))
    used_rows = min(rows, max(1, round(height / scale)))
    left, top = (cols - used_cols) // 2, (rows - used_rows) // 2
    part = pixels[top : top + used_rows, left : left + used_cols]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (width, height), interpolation=method), np.uint8)


def target_size(cols: int, rows: int, width: int, height: int) -> tuple[int, int]:
    """Return (width, height) in pixels; a requested 0 follows from the other side."""
    if width and not height:
        height = max(1, round(rows * width / cols))
    elif height and not width:
        width = max(1, round(cols * height / rows))
    return width or cols, height or rows
