"""Colours and sizes of everything that is drawn.

Colours are distinct for people with any colour vision, on a dark and on a light background. The
first labels take those of Okabe and Ito (2008, "Color Universal Design"); those that follow were
chosen to differ from them under simulated colour blindness (Machado et al. 2009, IEEE TVCG 15:6),
which a test checks. Weights take a diverging map and
potentials a sequential one, with monotonic lightness on each side (Crameri et al. 2020, Nature
Communications 11:5444).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

#: Blue, green, red, 0..255: the order of OpenCV.
Colour: TypeAlias = tuple[int, int, int]


def rgb(code: str) -> Colour:
    """Return the colour of "#rrggbb"."""
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def palette(*codes: str) -> tuple[Colour, ...]:
    """Return the colours of several codes "#rrggbb"."""
    return tuple(map(rgb, codes))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return `first` mixed with `share` (0..1) of `second`."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return blue, green, red


#: Least contrast of text, by the guidelines of WCAG 2.1 (level AA).
LEAST_CONTRAST = 4.5
#: Darker than this, sRGB is linear.
_LINEAR_BELOW = 0.04045


def luminance(colour: Colour) -> float:
    """Return the relative luminance, 0..1, as in WCAG 2.1."""
    blue, green, red = (
        share / 12.92 if share <= _LINEAR_BELOW else ((share + 0.055) / 1.055) ** 2.4
        for share in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: Colour, second: Colour) -> float:
    """Return the contrast of two colours, 1..21, as in WCAG 2.1."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def ink(ground: Colour) -> Colour:
    """Return black or white, whichever stands out more on the ground."""
    return max((0, 0, 0), (255, 255, 255), key=lambda end: contrast(end, ground))


@lru_cache(maxsize=1024)
def readable(colour: Colour, ground: Colour) -> Colour:
    """Return the colour, mixed with as much black or white as text on the ground needs."""
    end = ink(ground)
    mixed = (mix(colour, end, share / 20) for share in range(21))
    return next((each for each in mixed if contrast(each, ground) >= LEAST_CONTRAST), end)


@dataclass(frozen=True)
class Theme:
    """A set of colours.

    Attributes
    ----------
    ground, plate, rule : panel, plots on it, thin lines.
    strong, normal, faint : text by importance.
    labels : one colour for each label, in order; further labels repeat them, paler.
    undecided : faces without a label and neurons without a label.
    good, warning : dot of the status line, and text.
    diverging, sequential : anchors of the colour maps, low to high.
    """

    name: str
    ground: Colour
    plate: Colour
    rule: Colour
    strong: Colour
    normal: Colour
    faint: Colour
    labels: tuple[Colour, ...]
    undecided: Colour
    good: Colour
    warning: Colour
    diverging: tuple[Colour, ...]
    sequential: tuple[Colour, ...]

    def label(self, index: int) -> Colour:
        """Return the colour of the label with this index; `undecided` below 0."""
        if index < 0:
            return self.undecided
        again, index = divmod(index, len(self.labels))
        return mix(self.labels[index], self.strong, min(0.35 * again, 0.7))

    def label_text(self, index: int) -> Colour:
        """Return the colour of the name of a label on a plate."""
        return readable(self.label(index), self.plate)


DARK = Theme(
    name="dark",
    ground=rgb("#12151b"),
    plate=rgb("#1a1f27"),
    rule=rgb("#323a47"),
    strong=rgb("#f4f6f8"),
    normal=rgb("#b9c1cc"),
    faint=rgb("#98a2b0"),
    labels=palette(
        "#56b4e9", "#e69f00", "#14b88a", "#9a5cf0", "#e8433a", "#f4e37c", "#d4f5ea", "#c45a9e"
    ),
    undecided=rgb("#98a1ae"),
    good=rgb("#14b88a"),
    warning=rgb("#f0b429"),
    diverging=palette("#b5e2fb", "#56b4e9", "#2a6a93", "#171b22", "#8a5a10", "#e69f00", "#ffe1a3"),
    sequential=palette("#141a26", "#1f3a5f", "#3f6c86", "#7f9a7b", "#d2b85a", "#fff2b3"),
)

LIGHT = Theme(
    name="light",
    ground=rgb("#f7f8fa"),
    plate=rgb("#ffffff"),
    rule=rgb("#d3d8e0"),
    strong=rgb("#14181f"),
    normal=rgb("#3d4754"),
    faint=rgb("#5d6673"),
    labels=palette(
        "#0072b2", "#d55e00", "#008561", "#28148c", "#781400", "#8c28f0", "#c2187a", "#14181f"
    ),
    undecided=rgb("#7b8491"),
    good=rgb("#00774f"),
    warning=rgb("#965a00"),
    diverging=palette("#00324f", "#0072b2", "#8fc1de", "#f4f4f2", "#eeb07f", "#d55e00", "#5c2800"),
    sequential=palette("#fbf6df", "#e3cf7e", "#8fa583", "#4a7589", "#234468", "#10192b"),
)

THEMES = {theme.name: theme for theme in (DARK, LIGHT)}

#: A picture of this height is drawn at the design's own size: one unit is one pixel.
DESIGN_HEIGHT = 480


@dataclass(frozen=True)
class Style:
    """A theme at one scale.

    Attributes
    ----------
    unit : pixels for one unit of the design.
    """

    theme: Theme
    unit: float = 1.0

    def px(self, units: float) -> int:
        """Return a length of the design in whole pixels."""
        return round(units * self.unit)

    def at_least(self, least_px: int, units: float) -> int:
        """Return a length of the design in whole pixels, not below `least_px`."""
        return max(least_px, self.px(units))

    # Capital letters end on whole pixels at these sizes, so they look sharp.

    @property
    def small_px(self) -> float:
        """Font size of axes and notes."""
        return 9.62 * self.unit

    @property
    def text_px(self) -> float:
        """Font size of most text."""
        return 11.0 * self.unit

    @property
    def large_px(self) -> float:
        """Font size of what is read from a distance."""
        return 27.5 * self.unit


@lru_cache(maxsize=16)
def colour_table(anchors: Sequence[Colour]) -> npt.NDArray[np.uint8]:
    """Return a colour map, (256, 3) uint8, linear between evenly spaced anchors."""
    points = np.asarray(anchors, float)
    position = np.linspace(0, len(points) - 1, 256)
    channels = [np.interp(position, np.arange(len(points)), points[:, k]) for k in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def colour_mapped(
    values: npt.NDArray[np.float32], low: float, high: float, anchors: Sequence[Colour]
) -> npt.NDArray[np.uint8]:
    """Return values as colours, (..., 3) uint8; values outside low..high take the end colours."""
    span = high - low
    share = (values - low) / span if span > 0 else np.full_like(values, 0.5)
    index = np.clip(np.nan_to_num(share) * 255 + 0.5, 0, 255).astype(np.uint8)
    return colour_table(anchors).take(index, axis=0)
