"""What OpenCV's drawing lacks: translucent boxes and boxes with round corners."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.drawing.style import Colour

#: (height, width, 3) BGR, drawn into in place.
Picture: TypeAlias = npt.NDArray[np.uint8]
#: (height, width), share of a pixel that a shape covers: 0..255.
Mask: TypeAlias = npt.NDArray[np.uint8]

#: Fraction bits of OpenCV's sub-pixel coordinates.
SHIFT = 4
SUBPIXEL = 1 << SHIFT


class Box(NamedTuple):
    """A rectangle in whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the box."""
        return self.y + self.height

    def clipped(self, width: int, height: int) -> Box:
        """Return the part that lies inside a picture of this size; empty where there is none."""
        x, y = min(max(self.x, 0), width), min(max(self.y, 0), height)
        right, bottom = min(max(self.right, x), width), min(max(self.bottom, y), height)
        return Box(x, y, right - x, bottom - y)

    def of(self, picture: Picture) -> Picture:
        """Return the view of a picture inside the box, which must lie within it."""
        return picture[self.y : self.bottom, self.x : self.right]


class Blend(NamedTuple):
    """A shape in a colour, to be blended over a picture: result = picture * keep / 255 + add.

    Attributes
    ----------
    keep, add : (height, width, 3).
    """

    keep: Picture
    add: Picture

    @classmethod
    def through(cls, mask: Mask, colour: Colour, opacity: float = 1.0) -> Blend:
        """Return a colour through a mask."""
        share = mask[..., None] * (opacity / 255)
        add = np.round(share * np.asarray(colour, float))
        keep = np.round(255 * (1 - share)) * np.ones(3)
        return cls(keep.astype(np.uint8), add.astype(np.uint8))


def blend(picture: Picture, shape: Blend, x: int, y: int) -> None:
    """Blend a shape over the picture with its corner at (x, y), clipped at the edges."""
    height, width = picture.shape[:2]
    keep, add = shape
    if x < 0 or y < 0 or x + keep.shape[1] > width or y + keep.shape[0] > height:
        box = Box(x, y, keep.shape[1], keep.shape[0]).clipped(width, height)
        if box.width == 0 or box.height == 0:
            return
        rows, columns = slice(box.y - y, box.bottom - y), slice(box.x - x, box.right - x)
        keep, add, x, y = keep[rows, columns], add[rows, columns], box.x, box.y
    part = picture[y : y + keep.shape[0], x : x + keep.shape[1]]
    part[...] = cv2.add(cv2.multiply(part, keep, scale=1 / 255), add)


def fill(picture: Picture, box: Box, colour: Colour, opacity: float = 1.0, radius: int = 0) -> None:
    """Fill a box, optionally translucent and with round corners, clipped at the edges."""
    if radius > 0:
        shape = _rounded_box(box.width, box.height, radius, colour, opacity)
        blend(picture, shape, box.x, box.y)
        return
    inside = box.clipped(picture.shape[1], picture.shape[0])
    if inside.width == 0 or inside.height == 0:
        return
    part = inside.of(picture)
    if opacity >= 1:
        # Row by row: NumPy is ten times slower when it repeats three bytes.
        part[...] = np.full((inside.width, 3), colour, np.uint8)
    else:
        part[...] = cv2.addWeighted(part, 1 - opacity, np.full_like(part, colour), opacity, 0)


def disc(picture: Picture, centre: tuple[float, float], radius: float, colour: Colour) -> None:
    """Draw a smooth filled circle."""
    at = (round(centre[0] * SUBPIXEL), round(centre[1] * SUBPIXEL))
    cv2.circle(picture, at, round(radius * SUBPIXEL), colour, -1, cv2.LINE_AA, SHIFT)


@lru_cache(maxsize=1024)
def _rounded_box(width: int, height: int, radius: int, colour: Colour, opacity: float) -> Blend:
    # Drawn four times as large and averaged: OpenCV has no smooth filled corner.
    factor = 4
    radius = min(radius, width // 2, height // 2)
    large = np.zeros((height * factor, width * factor), np.uint8)
    r = radius * factor
    right, bottom = width * factor - 1, height * factor - 1
    cv2.rectangle(large, (r, 0), (right - r, bottom), 255, -1)
    cv2.rectangle(large, (0, r), (right, bottom - r), 255, -1)
    for x in (r, right - r):
        for y in (r, bottom - r):
            cv2.circle(large, (x, y), r, 255, -1)
    mask = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return Blend.through(np.asarray(mask, np.uint8), colour, opacity)
