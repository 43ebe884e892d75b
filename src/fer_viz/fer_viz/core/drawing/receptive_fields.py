"""Receptive fields as pictures: one map for each label, on a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from fer_viz.core.drawing.canvas import Box, Picture, fill
from fer_viz.core.drawing.style import Style, colour_mapped
from fer_viz.core.drawing.text import MINUS, fitted, write
from fer_viz.core.scene import Floats

#: From this size on, cells are whole pixels: it looks cleaner and costs little room.
_WHOLE_CELL_PX = 3
_LEAST_PX = 2
#: Largest distance from one map to the next, widths of a map.
_WIDEST_STRIDE = 1.75
#: Maps narrower than this many font sizes have no names below.
_NAMED_WIDTH = 3.5


def weight_limit(maps: Floats) -> float:
    """Return the absolute weight of the end colours: 99 % of the weights lie within."""
    return float(np.quantile(np.abs(maps), 0.99)) if maps.size else 0.0


def scale_note(maps: Floats) -> str:
    """Describe the colour scale of maps."""
    return f"ON {MINUS} OFF, ±{weight_limit(maps):.2g}"


class Arrangement(NamedTuple):
    """A box for each map, and whether there is room for names below them."""

    places: list[Box]
    named: bool


def arrange(box: Box, shape: tuple[int, int, int], gap: int, size_px: float) -> Arrangement:
    """Arrange maps in a box, as large as possible, in up to three rows.

    Parameters
    ----------
    shape : number of maps, rows, columns.
    gap : least space between two maps, pixels.
    size_px : font size of the names, pixels.
    """
    for named, below in ((True, 1.6), (False, 0.6)):
        tried = [_grid(box, shape, lines, gap, round(below * size_px)) for lines in (1, 2, 3)]
        places = max(tried, key=lambda places: places[0].width if places else 0)
        if places and (not named or places[0].width >= _NAMED_WIDTH * size_px):
            return Arrangement(places, named)
    return Arrangement([], False)


def _grid(box: Box, shape: tuple[int, int, int], lines: int, gap: int, below: int) -> list[Box]:
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
    # Spread over the whole width, so that the maps end where the plots above do, unless they are
    # few.
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


def draw_fields(
    picture: Picture, box: Box, labels: Sequence[str], maps: Floats, style: Style
) -> None:
    """Draw the map of every label above its name or colour; zero has the middle colour.

    Parameters
    ----------
    maps : (labels, rows, cols).
    """
    limit, size = weight_limit(maps), style.small_px
    cols = maps.shape[2]
    places, named = arrange(box, maps.shape, style.px(6), size)
    for index, (place, label) in enumerate(zip(places, labels, strict=False)):
        colours = colour_mapped(maps[index], -limit, limit, style.theme.diverging)
        kind = cv2.INTER_NEAREST if place.width % cols == 0 else cv2.INTER_LINEAR
        place.of(picture)[...] = cv2.resize(colours, place[2:], interpolation=kind)
        colour = style.theme.label(index)
        if named:
            at = (place.x, place.bottom + 1.2 * size)
            write(picture, fitted(label, size, place.width), at, size, colour)
        else:
            line = Box(place.x, place.bottom + 1, place.width, style.at_least(1, 2))
            fill(picture, line, colour)
