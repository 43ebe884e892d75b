"""Colours that people with any colour vision can tell apart, on dark and on light ground.

Labels take the colours of Okabe and Ito (2008, "Color Universal Design"). Weights take a diverging
map and potentials a sequential one whose lightness is monotonic on each side (Crameri et al. 2020,
Nature Communications 11:5444).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

#: Blue, green, red, 0..255, as OpenCV wants them.
Colour: TypeAlias = tuple[int, int, int]


def rgb(code: str) -> Colour:
    """Return the colour of "#rrggbb"."""
    return int(code[5:7], 16), int(code[3:5], 16), int(code[1:3], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return `first` with `share` (0..1) of `second` in it."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return blue, green, red


@dataclass(frozen=True)
class Theme:
    """Colours of everything that is drawn.

    Attributes
    ----------
    ground, plate, rule : the panel, plots on it, and fine lines.
    strong, normal, faint : text by importance.
    labels : one colour for each label, in order; more labels than colours begin again, paler.
    undecided : a face of which the network says nothing.
    good, warning : dots of the status line.
    diverging, sequential : anchors of the colour maps, low to high.
    """

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
        """Return the colour of a label; that of an unnamed neuron for a negative index."""
        if index < 0:
            return self.undecided
        again, index = divmod(index, len(self.labels))
        return mix(self.labels[index], self.strong, min(0.35 * again, 0.7))


_SKY, _ORANGE, _GREEN, _PURPLE = rgb("#56b4e9"), rgb("#e69f00"), rgb("#009e73"), rgb("#cc79a7")
_YELLOW, _VERMILLION, _BLUE = rgb("#f0e442"), rgb("#d55e00"), rgb("#0072b2")

DARK = Theme(
    ground=rgb("#12151b"),
    plate=rgb("#1a1f27"),
    rule=rgb("#2c333e"),
    strong=rgb("#f4f6f8"),
    normal=rgb("#b9c1cc"),
    faint=rgb("#7d8796"),
    labels=(_SKY, _ORANGE, rgb("#14b88a"), _PURPLE, _YELLOW, rgb("#ee7733"), rgb("#4c8ee0")),
    undecided=rgb("#98a1ae"),
    good=rgb("#14b88a"),
    warning=rgb("#f0b429"),
    diverging=tuple(
        map(rgb, ("#b5e2fb", "#56b4e9", "#2a6a93", "#171b22", "#8a5a10", "#e69f00", "#ffe1a3"))
    ),
    sequential=tuple(map(rgb, ("#141a26", "#1f3a5f", "#3f6c86", "#7f9a7b", "#d2b85a", "#fff2b3"))),
)

LIGHT = Theme(
    ground=rgb("#f7f8fa"),
    plate=rgb("#ffffff"),
    rule=rgb("#dde1e7"),
    strong=rgb("#14181f"),
    normal=rgb("#3d4754"),
    faint=rgb("#76808e"),
    labels=(
        _BLUE,
        _VERMILLION,
        rgb("#008561"),
        rgb("#a8487d"),
        rgb("#b07a00"),
        rgb("#3295cf"),
        rgb("#555b66"),
    ),
    undecided=rgb("#7b8491"),
    good=rgb("#008561"),
    warning=rgb("#c77700"),
    diverging=tuple(
        map(rgb, ("#00324f", "#0072b2", "#8fc1de", "#f4f4f2", "#eeb07f", "#d55e00", "#5c2800"))
    ),
    sequential=tuple(map(rgb, ("#fbf6df", "#e3cf7e", "#8fa583", "#4a7589", "#234468", "#10192b"))),
)

THEMES = {"dark": DARK, "light": LIGHT}


@lru_cache(maxsize=16)
def table(anchors: Sequence[Colour]) -> npt.NDArray[np.uint8]:
    """Return a colour map, (256, 3) uint8, straight between evenly spaced anchors."""
    points = np.asarray(anchors, float)
    position = np.linspace(0, len(points) - 1, 256)
    channels = [
        np.interp(position, np.arange(len(points)), points[:, channel]) for channel in range(3)
    ]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def mapped(
    values: npt.NDArray[np.float32], low: float, high: float, anchors: Sequence[Colour]
) -> npt.NDArray[np.uint8]:
    """Return values as colours, (..., 3) uint8; beyond `low` and `high` the map's ends."""
    if not values.size:
        # OpenCV divides by the size.
        return np.zeros((*values.shape, 3), np.uint8)
    span = high - low
    share = (values - low) / span if span > 0 else np.full_like(values, 0.5)
    index = np.clip(np.nan_to_num(share) * 255 + 0.5, 0, 255).astype(np.uint8)
    flat = cv2.applyColorMap(index.reshape(1, -1), table(anchors)[:, None])
    return np.asarray(flat, np.uint8).reshape(*values.shape, 3)
