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

from fer_viz.core.drawing.canvas import Blend, Box, Mask, Picture, blend
from fer_viz.core.drawing.style import Colour

Weight: TypeAlias = Literal["regular", "semibold"]
Align: TypeAlias = Literal["left", "centre", "right"]

#: The sign that is as wide as a plus, for figures.
MINUS = "\u2212"
_ELLIPSIS = "…"
_MISSING = "□"
#: No typeface has it: what is drawn for it stands for every missing character.
_NO_CHARACTER = "\U0010ffff"
_FILES: dict[Weight, str] = {"regular": "Inter-Regular.otf", "semibold": "Inter-SemiBold.otf"}
#: Height of capital letters and digits, share of the font size.
_CAP_HEIGHT = 8 / 11
#: Text is set this many times larger and averaged: glyphs then stand at fractions of a pixel.
_OVERSAMPLING = 4
#: Lines and glyphs kept ready. One picture needs about 40 lines, and its figures change. Pillow
#: keeps no glyphs: a line of new figures takes three times as long without them.
_CACHED = 1024


class _Glyph(NamedTuple):
    """A character, oversampled; its corner lies (left, top) from the pen."""

    mask: Mask
    left: int
    top: int
    advance: int


class _Line(NamedTuple):
    """A line of text in one colour; its corner lies (left, top) pixels from the pen."""

    pixels: Blend
    left: int
    top: int
    width_px: float


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
    pixels, left, top, width = _line(text, size_px, weight, colour)
    shift = {"left": 0.0, "centre": width / 2, "right": width}[align]
    blend(picture, pixels, round(at[0] - shift) + left, round(at[1]) + top)
    return width


def width_px(text: str, size_px: float, weight: Weight = "regular") -> float:
    """Return the width of a line, pixels."""
    return sum(_glyph(character, size_px, weight).advance for character in text) / _OVERSAMPLING


def baseline(box: Box, size_px: float) -> int:
    """Return the baseline that centres capital letters and digits in a box."""
    return math.floor(box.y + (box.height + size_px * _CAP_HEIGHT) / 2 + 0.5)


def drawable(text: str) -> bool:
    """Return whether the typeface has every character of a text."""
    font = _font(16.0, "regular")
    missing = bytes(font.getmask(_NO_CHARACTER))
    return all(each.isspace() or bytes(font.getmask(each)) != missing for each in text)


@lru_cache(maxsize=_CACHED)
def fitted(text: str, size_px: float, max_width_px: float, weight: Weight = "regular") -> str:
    """Return the text, or as much of its beginning as fits with an ellipsis."""
    if width_px(text, size_px, weight) <= max_width_px:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + _ELLIPSIS
        if width_px(shorter, size_px, weight) <= max_width_px:
            return shorter
    return _ELLIPSIS


@lru_cache(maxsize=_CACHED)
def fitted_parts(text: str, size_px: float, max_width_px: float) -> str:
    """Return the first parts, between " · ", that fit; at least the first, which may be cut."""
    parts = text.split(" · ")
    while len(parts) > 1 and width_px(" · ".join(parts), size_px) > max_width_px:
        parts.pop()
    return fitted(" · ".join(parts), size_px, max_width_px)


@lru_cache(maxsize=_CACHED)
def _line(text: str, size_px: float, weight: Weight, colour: Colour) -> _Line:
    glyphs = [_glyph(character, size_px, weight) for character in text]
    # In whole pixels of the result, with a margin of one.
    left = glyphs[0].left // _OVERSAMPLING - 1
    top = min(glyph.top for glyph in glyphs) // _OVERSAMPLING - 1
    bottom = max(glyph.top + len(glyph.mask) for glyph in glyphs) // _OVERSAMPLING + 2
    width = sum(glyph.advance for glyph in glyphs) / _OVERSAMPLING
    size = (math.ceil(width) + 2 - left, bottom - top)
    large = np.zeros((_OVERSAMPLING * size[1], _OVERSAMPLING * size[0]), np.uint8)
    pen, baseline = -_OVERSAMPLING * left, -_OVERSAMPLING * top
    for mask, x, y, advance in glyphs:
        part = large[baseline + y :, pen + x :][: mask.shape[0], : mask.shape[1]]
        np.maximum(part, mask[: part.shape[0], : part.shape[1]], out=part)
        pen += advance
    covered = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return _Line(Blend.through(covered, colour), left, top, width)


@lru_cache(maxsize=_CACHED)
def _glyph(character: str, size_px: float, weight: Weight) -> _Glyph:
    font = _font(size_px, weight)
    character = character if character.isprintable() else _MISSING
    left, top, right, bottom = (int(edge) for edge in font.getbbox(character, anchor="ls"))
    picture = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(picture).text((-left, -top), character, fill=255, font=font, anchor="ls")
    return _Glyph(np.asarray(picture), left, top, round(font.getlength(character)))


@lru_cache(maxsize=64)
def _font(size_px: float, weight: Weight) -> ImageFont.FreeTypeFont:
    file = resources.files(__package__) / "fonts" / _FILES[weight]
    # The basic layout is everywhere; Raqm, where it is installed, would set text otherwise.
    layout = ImageFont.Layout.BASIC
    size = max(round(_OVERSAMPLING * size_px), 1)
    return ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=layout)
