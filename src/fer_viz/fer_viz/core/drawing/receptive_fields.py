"""Receptive fields as pictures: one map for each label, on a common scale."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from fer_viz.core.drawing.canvas import SHIFT, SUBPIXEL, Box, Picture, fill
from fer_viz.core.drawing.style import Style, colour_mapped, mix
from fer_viz.core.drawing.text import MINUS, fitted, width_px, write
from fer_viz.core.scene import Floats

_LEAST_PX = 2
#: Largest distance from one map to the next, widths of a map.
_WIDEST_STRIDE = 1.75
#: Maps narrower than this many font sizes have no names below.
_NAMED_WIDTH = 3.5
#: Height of the colour bar with its numbers, units of the design.
BAR_ROW = 15
#: Outline, brows, eyes, nose and mouth: centre, half axes (shares of the side) and angles.
_GHOST: tuple[tuple[tuple[float, float], tuple[float, float], tuple[int, int]], ...] = (
    ((0.5, 0.45), (0.47, 0.62), (0, 360)),
    ((0.3, 0.30), (0.13, 0.07), (200, 340)),
    ((0.7, 0.30), (0.13, 0.07), (200, 340)),
    ((0.3, 0.36), (0.09, 0.04), (0, 360)),
    ((0.7, 0.36), (0.09, 0.04), (0, 360)),
    ((0.5, 0.58), (0.09, 0.05), (20, 160)),
    ((0.5, 0.78), (0.18, 0.06), (0, 360)),
)


def weight_limit(maps: Floats) -> float:
    """Return the absolute weight of the end colours: 99 % of the weights lie within."""
    return float(np.quantile(np.abs(maps), 0.99)) if maps.size else 0.0


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
    """Draw the map of every label on the outline of a face, above its name, and a colour bar.

    Parameters
    ----------
    maps : (labels, rows, cols); zero has the middle colour.
    """
    limit, size, theme = weight_limit(maps), style.small_px, style.theme
    room = box._replace(height=max(box.height - style.px(BAR_ROW), 1))
    places, named = arrange(room, maps.shape, style.px(6), size)
    # Names may reach to the next map.
    stride = min((b.x - a.x for a, b in itertools.pairwise(places) if b.x > a.x), default=0)
    for index, (place, label) in enumerate(zip(places, labels, strict=False)):
        large = cv2.resize(maps[index], place[2:], interpolation=cv2.INTER_LINEAR)
        place.of(picture)[...] = colour_mapped(large, -limit, limit, theme.diverging)
        _draw_ghost(place.of(picture), style)
        if named:
            at = (place.x, place.bottom + 1.1 * size)
            name = fitted(label, size, max(stride - 0.5 * size, place.width))
            write(picture, name, at, size, theme.label_text(index))
        else:
            line = Box(place.x, place.bottom + 1, place.width, style.at_least(1, 2))
            fill(picture, line, theme.label(index))
    _draw_colour_bar(picture, box, limit, style)


def _draw_ghost(part: Picture, style: Style) -> None:
    """Draw the outline of a face, whose eyes are where the features have them."""
    height, width = part.shape[:2]
    colour, thick = mix(style.theme.faint, style.theme.plate, 0.25), style.at_least(1, 0.6)
    for (x, y), (across, down), (begin, end) in _GHOST:
        centre = round(x * width * SUBPIXEL), round(y * height * SUBPIXEL)
        axes = round(across * width * SUBPIXEL), round(down * height * SUBPIXEL)
        cv2.ellipse(part, centre, axes, 0, begin, end, colour, thick, cv2.LINE_AA, SHIFT)


def _draw_colour_bar(picture: Picture, box: Box, limit: float, style: Style) -> None:
    """Draw the colours from the lowest to the highest weight, with these numbers."""
    theme, size = style.theme, style.small_px
    ends = f"{MINUS}{limit:.2g}", f"+{limit:.2g}"
    y, x = box.bottom - style.px(3), float(box.x)
    x += write(picture, ends[0], (x, y), size, theme.faint) + style.px(5)
    bar = Box(round(x), y - style.px(7), style.px(70), style.px(7)).clipped(*picture.shape[1::-1])
    if not bar.width:
        return
    shades = np.linspace(-1, 1, bar.width, dtype=np.float32)[None]
    bar.of(picture)[...] = colour_mapped(shades, -1, 1, theme.diverging)
    x = bar.right + style.px(5)
    x += write(picture, ends[1], (x, y), size, theme.faint) + style.px(8)
    unit = f"ON {MINUS} OFF"
    if width_px(unit, size) <= box.right - x:
        write(picture, unit, (x, y), size, theme.faint)
