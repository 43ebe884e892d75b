"""Receptive fields as pictures: one map for each label, on one scale."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from fer_viz.core.canvas import Box, Picture, fill, write
from fer_viz.core.look import Look
from fer_viz.core.palette import mapped
from fer_viz.core.scene import Floats, ReceptiveFields
from fer_viz.core.text import fitted

#: From this size on, cells are whole pixels: it looks cleaner and costs little.
_WHOLE_CELL_PX = 3
_LEAST_PX = 2
#: From one map to the next, at most so many times their width.
_WIDEST_STRIDE = 1.75
#: Maps narrower than so many times the size of their names go without names.
_NAMED_WIDTH = 3.5


def scale_of(maps: Floats) -> float:
    """Return the value that takes the full colour, up and down: all but 1 % lie within."""
    return float(np.quantile(np.abs(maps), 0.99)) if maps.size else 0.0


class Arrangement(NamedTuple):
    """A box for each map, and whether they are wide enough for names below them."""

    places: list[Box]
    named: bool


def arrange(box: Box, shape: tuple[int, int, int], gap: int, size_px: float) -> Arrangement:
    """Lay maps into a box, as large as they will go, in up to three lines.

    Parameters
    ----------
    shape : number of maps, rows, columns.
    gap : least space between two maps, pixels.
    size_px : size of the names, pixels.
    """
    for named, below in ((True, 1.6), (False, 0.6)):
        tried = [_lines(box, shape, lines, gap, round(below * size_px)) for lines in (1, 2, 3)]
        places = max(tried, key=lambda places: places[0].width if places else 0)
        if places and (not named or places[0].width >= _NAMED_WIDTH * size_px):
            return Arrangement(places, named)
    return Arrangement([], False)


def _lines(box: Box, shape: tuple[int, int, int], lines: int, gap: int, below: int) -> list[Box]:
    count, rows, cols = shape
    across = -(-count // lines)
    if not across:
        return []
    cell = min(
        (box.width - gap * (across - 1)) / (across * cols),
        (box.height - lines * below) / (lines * rows),
    )
    cell = float(int(cell)) if cell >= _WHOLE_CELL_PX else cell
    width, height = int(cell * cols), int(cell * rows)
    if min(width, height) < _LEAST_PX:
        return []
    # Over the whole width, so that the maps end where the plots above do, unless they are few.
    stride = min((box.width - width) / max(across - 1, 1), _WIDEST_STRIDE * width)
    return [
        Box(
            box.x + round(k % across * stride),
            box.y + k // across * (height + below),
            width,
            height,
        )
        for k in range(count)
    ]


def draw_fields(picture: Picture, box: Box, fields: ReceptiveFields, look: Look) -> None:
    """Draw the map of every label with its name or colour below; zero is the middle colour."""
    full, size = scale_of(fields.maps), look.small_px
    count, rows, cols = fields.maps.shape
    places, named = arrange(box, (count, rows, cols), look.px(6), size)
    for index, (place, label) in enumerate(zip(places, fields.labels, strict=False)):
        colours = mapped(fields.maps[index], -full, full, look.theme.diverging)
        kind = cv2.INTER_NEAREST if place.width % cols == 0 else cv2.INTER_LINEAR
        drawn = cv2.resize(colours, (place.width, place.height), interpolation=kind)
        picture[place.y : place.bottom, place.x : place.right] = drawn
        colour = look.theme.label(index)
        if named:
            at = (place.x, place.bottom + 1.2 * size)
            write(picture, fitted(label, size, place.width), at, size, colour)
        else:
            fill(picture, Box(place.x, place.bottom + 1, place.width, look.at_least(1, 2)), colour)
