"""Lines of text in pictures, set by Pillow in a typeface that is part of the package.

The built-in font of Pillow is no choice: it has one weight, no Greek or Cyrillic letters, and does
not exist before Pillow 10.1 (Debian 12 has 9.4).
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer_viz.core.drawing.canvas import Blend, Picture, blend
from fer_viz.core.drawing.style import Colour

Weight: TypeAlias = Literal["regular", "semibold"]
Align: TypeAlias = Literal["left", "centre", "right"]

#: The sign that is as wide as a plus, for figures.
MINUS = "\u2212"
_ELLIPSIS = "…"
_MISSING = "□"
_FILES: dict[Weight, str] = {"regular": "Inter-Regular.otf", "semibold": "Inter-SemiBold.otf"}
#: Height of capital letters and digits, share of the font size.
_CAP_HEIGHT = 8 / 11
#: Text is set this many times larger and averaged: glyphs then stand at fractions of a pixel.
_OVERSAMPLING = 4
#: Lines kept ready. One picture needs about 40, and its figures change.
_CACHED_LINES = 1024


class _Line(NamedTuple):
    """A line of text in one colour; its corner lies (left, top) pixels from the pen."""

    pixels: Blend
    left: int
    top: int


def write(
    picture: Picture,
    text: str,
    at: tuple[float, float],
    size_px: float,
    colour: Colour,
    weight: Weight = "regular",
    align: Align = "left",
) -> float:
    """Write a line with its baseline at `at` = (x, y), clipped at the edges.

    Parameters
    ----------
    text : in any script; characters that the font lacks become boxes.
    size_px : font size, pixels, > 0.

    Returns
    -------
    Width of the line, pixels.
    """
    if not text:
        return 0.0
    width = width_px(text, size_px, weight)
    shift = {"left": 0.0, "centre": width / 2, "right": width}[align]
    line = _line(text, size_px, weight, colour)
    blend(picture, line.pixels, round(at[0] - shift) + line.left, round(at[1]) + line.top)
    return width


def width_px(text: str, size_px: float, weight: Weight = "regular") -> float:
    """Return the width of a line, pixels."""
    return float(_font(size_px, weight).getlength(_drawable(text))) / _OVERSAMPLING


def cap_height_px(size_px: float) -> float:
    """Return the height of capital letters and digits, pixels."""
    return size_px * _CAP_HEIGHT


@lru_cache(maxsize=_CACHED_LINES)
def fitted(text: str, size_px: float, max_width_px: float, weight: Weight = "regular") -> str:
    """Return the text, or as much of its beginning as fits with an ellipsis."""
    if width_px(text, size_px, weight) <= max_width_px:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + _ELLIPSIS
        if width_px(shorter, size_px, weight) <= max_width_px:
            return shorter
    return _ELLIPSIS


@lru_cache(maxsize=_CACHED_LINES)
def _line(text: str, size_px: float, weight: Weight, colour: Colour) -> _Line:
    font, text = _font(size_px, weight), _drawable(text)
    box = [edge / _OVERSAMPLING for edge in font.getbbox(text, anchor="ls")]
    left, top = math.floor(box[0]) - 1, math.floor(box[1]) - 1
    width, height = math.ceil(box[2]) + 1 - left, math.ceil(box[3]) + 1 - top
    large = Image.new("L", (_OVERSAMPLING * width, _OVERSAMPLING * height))
    pen = (-_OVERSAMPLING * left, -_OVERSAMPLING * top)
    ImageDraw.Draw(large).text(pen, text, fill=255, font=font, anchor="ls")
    mask = cv2.resize(np.asarray(large), (width, height), interpolation=cv2.INTER_AREA)
    return _Line(Blend.through(mask, colour), left, top)


@lru_cache(maxsize=64)
def _font(size_px: float, weight: Weight) -> ImageFont.FreeTypeFont:
    file = resources.files(__package__) / "fonts" / _FILES[weight]
    # The basic layout is everywhere; Raqm, where it is installed, would set text otherwise.
    layout = ImageFont.Layout.BASIC
    size = max(round(_OVERSAMPLING * size_px), 1)
    return ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=layout)


def _drawable(text: str) -> str:
    """Replace what is no character, such as a line break, by a box."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _MISSING for character in text)
