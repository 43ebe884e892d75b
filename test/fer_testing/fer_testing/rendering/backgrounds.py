"""Backgrounds: plain, shaded, noisy, or a blurred room."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def random_background(width: int, height: int, rng: np.random.Generator) -> FloatArray:
    """Return a background (height, width, 3) RGB, 0 to 1."""
    colour = 0.4 * rng.uniform(0.1, 0.9, 3) + 0.6 * rng.uniform(0.1, 0.9)
    plain = np.tile(colour, (height, width, 1))
    kind = rng.integers(4)
    if kind == 0:
        picture = plain
    elif kind == 1:
        picture = plain * np.linspace(1, rng.uniform(0.3, 1.0), height)[:, None, None]
    elif kind == 2:
        cells = int(rng.integers(4, 60))
        coarse = rng.uniform(0, 1, (cells, cells, 3)).astype(np.float32)
        noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        picture = plain + rng.uniform(0.2, 0.9) * (noise - 0.5)
    else:
        return room(width, height, rng).clip(0, 1)
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def room(width: int, height: int, rng: np.random.Generator) -> FloatArray:
    """Return a wall with blurred rectangles before it."""
    wall = np.tile(rng.uniform(0.35, 0.75, 3), (height, width, 1))
    wall = wall * (1 - 0.35 * np.linspace(0, 1, height)[:, None, None])
    for _ in range(9):
        x, y = int(rng.integers(-50, width)), int(rng.integers(-50, height))
        w, h = (
            int(rng.integers(width // 10, width // 3)),
            int(rng.integers(height // 8, height // 2)),
        )
        cv2.rectangle(wall, (x, y), (x + w, y + h), rng.uniform(0.15, 0.85, 3).tolist(), -1)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), rng.uniform(1.5, 0.03 * width)), np.float32)
