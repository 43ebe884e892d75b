"""Square windows of a picture for the detector.

The detector scales every window to the same number of pixels, at the same cost. So a tight window
around tracked faces resolves distant faces, and windows of half the picture, searched in turn, find
faces that are too small in the whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

OVERLAP = 0.3
"""Overlap of neighbouring search windows, as a fraction, so that one of them holds the face."""


@dataclass(frozen=True)
class Window:
    """A square in whole pixels, which may extend beyond the picture."""

    x: int
    y: int
    side: int

    def holds(self, box_px: NDArray[np.float64], width: int, height: int) -> bool:
        """Return whether a box (x, y, w, h) is inside, apart from edges where the picture ends."""
        x, y, w, h = box_px
        return bool(
            (x >= self.x or self.x <= 0)
            and (y >= self.y or self.y <= 0)
            and (x + w <= self.x + self.side or self.x + self.side >= width)
            and (y + h <= self.y + self.side or self.y + self.side >= height)
        )

    def meets(self, width: int, height: int) -> bool:
        """Return whether the window overlaps the picture."""
        return (
            self.x < width and self.y < height and self.x + self.side > 0 and self.y + self.side > 0
        )

    def grown(self, margin: float) -> Window:
        """Return the window with a margin on each side, in units of its side."""
        free = round(margin * self.side)
        return Window(self.x - free, self.y - free, self.side + 2 * free)


def whole_picture(width: int, height: int) -> Window:
    """Return the smallest window that holds the whole picture, centred."""
    side = max(width, height)
    return Window((width - side) // 2, (height - side) // 2, side)


@lru_cache(maxsize=8)
def half_size_windows(width: int, height: int) -> tuple[Window, ...]:
    """Return overlapping windows, half the longer side of the picture wide, that cover it."""
    side = max(max(width, height) // 2, 1)
    return tuple(Window(x, y, side) for y in _starts(height, side) for x in _starts(width, side))


def _starts(length: int, side: int) -> Iterator[int]:
    if length <= side:
        return iter([(length - side) // 2])
    count = 1 + int(np.ceil((length - side) / (side * (1 - OVERLAP))))
    return (round(i * (length - side) / (count - 1)) for i in range(count))


def windows_around(
    boxes_px: Sequence[NDArray[np.float64]], margin: float, smallest_part: float
) -> list[tuple[Window, list[int]]]:
    """Group boxes into few windows in which every face is large enough for the detector.

    Parameters
    ----------
    boxes_px : (4,) each, x, y, width, height.
    margin : margin on each side of a box, in units of its size.
    smallest_part : smallest size of a face, as a fraction of its window's side.

    Returns
    -------
    (window, indices of its boxes), in the order of the first box of each.
    """
    groups: list[tuple[Window, list[int]]] = []
    for index, _ in enumerate(boxes_px):
        for position, (_, members) in enumerate(groups):
            joined = [*members, index]
            window = _enclose([boxes_px[i] for i in joined], margin)
            if min(boxes_px[i][2:].max() for i in joined) >= smallest_part * window.side:
                groups[position] = (window, joined)
                break
        else:
            groups.append((_enclose([boxes_px[index]], margin), [index]))
    return groups


def _enclose(boxes_px: Sequence[NDArray[np.float64]], margin: float) -> Window:
    # Plain numbers, because arrays of so few are slow.
    boxes = [box_px.tolist() for box_px in boxes_px]
    free = [margin * max(w, h) for _, _, w, h in boxes]
    left = min(x - m for (x, _, _, _), m in zip(boxes, free, strict=True))
    top = min(y - m for (_, y, _, _), m in zip(boxes, free, strict=True))
    right = max(x + w + m for (x, _, w, _), m in zip(boxes, free, strict=True))
    bottom = max(y + h + m for (_, y, _, h), m in zip(boxes, free, strict=True))
    side = max(math.ceil(max(right - left, bottom - top)), 1)
    return Window(
        math.floor((left + right - side) / 2), math.floor((top + bottom - side) / 2), side
    )
