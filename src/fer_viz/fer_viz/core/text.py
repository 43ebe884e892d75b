"""Text in pictures: smooth, at any size, from an atlas of glyphs that is part of the package.

OpenCV's own fonts are made of strokes and look it; a font library would be one more dependency. So
the glyphs of a typeface (Inter, SIL Open Font License 1.1) are kept as one grey picture, four
times larger than usual text, and lines of text are set there and shrunk.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.uint8]
Weight: TypeAlias = Literal["regular", "semibold"]

#: The sign that is as wide as a plus, for figures.
MINUS = "\u2212"
#: Stands for characters that the atlas lacks.
_UNKNOWN = "□"
_ELLIPSIS = "…"
#: Shortened texts kept.
_TEXTS = 512


class Line(NamedTuple):
    """A line of text, as coverage of pixels.

    Attributes
    ----------
    mask : coverage 0..255, (height, width).
    left, top : where the mask's corner lies from the pen at the baseline, pixels, y down.
    advance : width for layout, pixels.
    """

    mask: Mask
    left: int
    top: int
    advance: float


class _Glyph(NamedTuple):
    x: int
    y: int
    width: int
    height: int
    left: int
    top: int
    advance: float


class _Atlas(NamedTuple):
    picture: Mask
    em_px: float
    cap_height_em: float
    glyphs: dict[str, dict[str, _Glyph]]


@lru_cache(maxsize=1)
def _atlas() -> _Atlas:
    folder = resources.files(__package__).joinpath("glyphs")
    table = json.loads(folder.joinpath("atlas.json").read_text(encoding="utf-8"))
    data = np.frombuffer(folder.joinpath("atlas.png").read_bytes(), np.uint8)
    glyphs = {
        weight: {character: _Glyph(*numbers) for character, numbers in entries.items()}
        for weight, entries in table["weights"].items()
    }
    picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return _Atlas(picture, table["em_px"], table["cap_height_em"], glyphs)


def line(text: str, size_px: float, weight: Weight = "regular") -> Line:
    """Set a line of text.

    Parameters
    ----------
    text : what to write; characters outside the atlas become a box.
    size_px : size of the em, pixels, > 0. Capitals are 8/11 of it high.
    weight : "regular" or "semibold".
    """
    atlas = _atlas()
    glyphs = [_glyph(atlas, character, weight) for character in text]
    scale = size_px / atlas.em_px
    advance = sum(glyph.advance for glyph in glyphs) * scale
    # Everything at the size of the atlas first, on a canvas whose edges fall on whole pixels of
    # the result.
    left = int(np.floor(min((glyph.left for glyph in glyphs), default=0) * scale)) - 1
    top = int(np.floor(min((glyph.top for glyph in glyphs), default=0) * scale)) - 1
    width = int(np.ceil(advance)) + 2 - left
    height = (
        int(np.ceil(max((glyph.top + glyph.height for glyph in glyphs), default=0) * scale))
        + 1
        - top
    )
    large = np.zeros((round(height / scale), round(width / scale)), np.uint8)
    pen, baseline = -left / scale, round(-top / scale)
    for glyph in glyphs:
        x, y = round(pen) + glyph.left, baseline + glyph.top
        target = large[y : y + glyph.height, x : x + glyph.width]
        source = atlas.picture[glyph.y : glyph.y + glyph.height, glyph.x : glyph.x + glyph.width]
        np.maximum(target, source[: target.shape[0], : target.shape[1]], out=target)
        pen += glyph.advance
    mask = cv2.resize(
        large, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    return Line(np.asarray(mask, np.uint8), left, top, advance)


def width_px(text: str, size_px: float, weight: Weight = "regular") -> float:
    """Return how wide a line will be, pixels."""
    atlas = _atlas()
    return (
        sum(_glyph(atlas, character, weight).advance for character in text) * size_px / atlas.em_px
    )


def cap_height_px(size_px: float) -> float:
    """Return the height of capitals and figures at a size, pixels."""
    return size_px * _atlas().cap_height_em


@lru_cache(maxsize=_TEXTS)
def fitted(text: str, size_px: float, max_width_px: float, weight: Weight = "regular") -> str:
    """Return the text, or as much of its beginning as fits with an ellipsis."""
    if width_px(text, size_px, weight) <= max_width_px:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + _ELLIPSIS
        if width_px(shorter, size_px, weight) <= max_width_px:
            return shorter
    return _ELLIPSIS


def _glyph(atlas: _Atlas, character: str, weight: Weight) -> _Glyph:
    glyphs = atlas.glyphs[weight]
    return glyphs.get(character) or glyphs[_UNKNOWN]
