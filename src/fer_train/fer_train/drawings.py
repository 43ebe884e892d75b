"""Faces that are drawn from nothing: figures of any style, cartoons and furry animals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Points: TypeAlias = NDArray[np.float64]
Colour: TypeAlias = tuple[int, ...]

SIDE_PX = 160
"""Side of the drawings."""

SMOOTH = cv2.LINE_AA


@dataclass(frozen=True)
class _Style:
    """What all features of a face have in common.

    Attributes
    ----------
    size_px : half the width and height of the head.
    ink, line_px : colour and width of lines.
    """

    centre_px: Points
    size_px: Points
    ink: Colour
    line_px: int

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Return a place, pixels; the head reaches from -1 to 1."""
        return point(self.centre_px + self.size_px * (x, y))

    def length(self, share: float) -> int:
        """Return a share of half the head's width, pixels."""
        return max(round(share * self.size_px[0]), 1)


def figure(rng: np.random.Generator) -> Picture:
    """Return a head of random shape, material and light, with features of random styles."""
    light, dark = int(rng.integers(90, 256)), int(rng.integers(0, 60))
    style = _Style(
        np.array([80.0, 82.0]) + rng.uniform(-6, 6, 2),
        np.array([rng.uniform(34, 56), rng.uniform(42, 62)]),
        tuple(int(dark * each) for each in rng.uniform(0.6, 1.4, 3)),
        int(rng.integers(1, 4)),
    )
    drawn = _head(style, light, rng)
    apart, height = rng.uniform(0.36, 0.5), rng.uniform(-0.3, 0.0)
    eye, brow = (rng.choice(np.array(each, object)) for each in (_EYES, (None, _brow)))
    width, tall, slope = rng.uniform(0.1, 0.3), rng.uniform(0.6, 1.5), rng.uniform(-0.12, 0.12)
    iris = random_colour(rng, 0, 150)
    for side in (-1, 1):
        eye(drawn, style, side * apart, height, width, tall, iris)
        if brow:
            brow(drawn, style, side, apart, height - width * tall - 0.12, slope)
    nose = rng.choice(np.array((None, _line_nose, _ball_nose), object))
    if nose:
        nose(drawn, style, height, rng)
    _mouth(drawn, style, rng)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.3, 1.4)), np.uint8)


def _head(style: _Style, light: int, rng: np.random.Generator) -> Picture:
    """Return a head without features before a plain ground."""
    ground = np.full((SIDE_PX, SIDE_PX, 3), rng.integers(20, 256, 3), np.float64)
    y, x = (np.mgrid[:SIDE_PX, :SIDE_PX] - style.centre_px[::-1, None, None]) / style.size_px[
        ::-1, None, None
    ]
    power = rng.uniform(1.7, 5)
    chin = 1 + rng.uniform(0, 0.35) * np.maximum(y, 0)
    inside = (np.abs(x * chin) ** power + np.abs(y) ** power < 1).astype(np.float64)
    if rng.integers(2):
        # Ears.
        ears = np.hypot(np.abs(x) - rng.uniform(0.85, 1.1), (y - rng.uniform(-0.9, 0.1)) * 0.8)
        inside = np.maximum(inside, ears < rng.uniform(0.15, 0.4))
    material = light * rng.uniform(0.5, 1.0, 3)
    shade = 1 - rng.uniform(0, 0.6) * (x * rng.uniform(-1, 1) + y * rng.uniform(-0.5, 1)) ** 2
    if rng.integers(2):
        # A round or a flat head.
        shade = shade * (1 - rng.uniform(0, 0.5) * np.minimum(x**2 + rng.integers(2) * y**2, 1))
    grain = cv2.GaussianBlur(rng.standard_normal(x.shape), (0, 0), rng.uniform(0.5, 2))
    surface = material * shade[..., None] + (rng.uniform(0, 25) * grain / grain.std())[..., None]
    if rng.integers(2):
        hair = (y < rng.uniform(-0.75, -0.4) + rng.uniform(-0.5, 0.5) * x**2) & (inside > 0)
        surface = np.where(hair[..., None], np.array(random_colour(rng, 0, 220)), surface)
    edge = cv2.GaussianBlur(inside, (0, 0), 0.7)[..., None]
    drawn = np.clip(ground * (1 - edge) + surface * edge, 0, 255).astype(np.uint8)
    if rng.integers(2):
        rims, _ = cv2.findContours(
            inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(drawn, rims, -1, style.ink, style.line_px, SMOOTH)
    return drawn


def _dot(
    drawn: Picture, style: _Style, x: float, y: float, width: float, tall: float, iris: Colour
) -> None:
    size = (style.length(0.6 * width), style.length(0.6 * width * tall))
    cv2.ellipse(drawn, style.at(x, y), size, 0, 0, 360, style.ink, -1, SMOOTH)


def _ring(
    drawn: Picture, style: _Style, x: float, y: float, width: float, tall: float, iris: Colour
) -> None:
    size = (style.length(width), style.length(width * tall))
    cv2.ellipse(drawn, style.at(x, y), size, 0, 0, 360, (245, 245, 245), -1, SMOOTH)
    cv2.ellipse(drawn, style.at(x, y), size, 0, 0, 360, style.ink, style.line_px, SMOOTH)
    cv2.circle(drawn, style.at(x, y), style.length(0.45 * width), style.ink, -1, SMOOTH)


def _iris(
    drawn: Picture, style: _Style, x: float, y: float, width: float, tall: float, iris: Colour
) -> None:
    size = (style.length(1.2 * width), style.length(1.2 * width * tall))
    inner = (max(round(0.7 * size[0]), 1), max(round(0.85 * size[1]), 1))
    cv2.ellipse(drawn, style.at(x, y), size, 0, 0, 360, (245, 245, 245), -1, SMOOTH)
    cv2.ellipse(drawn, style.at(x, y), inner, 0, 0, 360, iris, -1, SMOOTH)
    cv2.ellipse(drawn, style.at(x, y), size, 0, 190, 350, style.ink, style.line_px + 1, SMOOTH)


def _closed(
    drawn: Picture, style: _Style, x: float, y: float, width: float, tall: float, iris: Colour
) -> None:
    size = (style.length(width), style.length(0.6 * width * tall))
    cv2.ellipse(drawn, style.at(x, y), size, 0, 180, 360, style.ink, style.line_px, SMOOTH)


_EYES = (_dot, _ring, _iris, _closed)


def _brow(drawn: Picture, style: _Style, side: int, apart: float, y: float, slope: float) -> None:
    inner, outer = style.at(side * (apart - 0.18), y + slope), style.at(side * (apart + 0.18), y)
    cv2.line(drawn, inner, outer, style.ink, style.line_px + 1, SMOOTH)


def _line_nose(drawn: Picture, style: _Style, eyes: float, rng: np.random.Generator) -> None:
    end, foot = rng.uniform(0.1, 0.3), rng.uniform(-0.12, 0.12)
    cv2.line(drawn, style.at(0, eyes + 0.1), style.at(foot, end), style.ink, style.line_px, SMOOTH)
    cv2.line(drawn, style.at(foot, end), style.at(0, end + 0.03), style.ink, style.line_px, SMOOTH)


def _ball_nose(drawn: Picture, style: _Style, eyes: float, rng: np.random.Generator) -> None:
    size = (style.length(rng.uniform(0.05, 0.25)), style.length(rng.uniform(0.05, 0.2)))
    cv2.ellipse(drawn, style.at(0, 0.2), size, 0, 0, 360, random_colour(rng, 0, 200), -1, SMOOTH)


def _mouth(drawn: Picture, style: _Style, rng: np.random.Generator) -> None:
    """Draw an arc up or down, or an open mouth."""
    size = (style.length(rng.uniform(0.12, 0.5)), style.length(rng.uniform(0.02, 0.35)))
    begin, end = ((0, 180), (180, 360), (0, 360))[rng.integers(3)]
    at = style.at(0, rng.uniform(0.45, 0.65))
    if rng.integers(2):
        cv2.ellipse(drawn, at, size, 0, begin, end, random_colour(rng, 0, 120), -1, SMOOTH)
    cv2.ellipse(drawn, at, size, 0, begin, end, style.ink, style.line_px, SMOOTH)


def cartoon(rng: np.random.Generator) -> Picture:
    """Return the drawing of a face, (SIDE_PX, SIDE_PX, 3)."""
    drawn = _plain(rng)
    centre, black = np.array([80.0 + rng.integers(-5, 6), 80.0]), (0, 0, 0)
    size = (int(rng.integers(38, 53)), int(rng.integers(50, 63)))
    cv2.ellipse(drawn, point(centre), size, 0, 0, 360, random_colour(rng, 120, 255), -1, SMOOTH)
    cv2.ellipse(drawn, point(centre), size, 0, 0, 360, black, 2, SMOOTH)
    apart, eye = int(rng.integers(16, 24)), (int(rng.integers(5, 10)), int(rng.integers(5, 13)))
    for side in (-1, 1):
        at = moved(centre, side * apart, -14)
        cv2.ellipse(drawn, point(at), eye, 0, 0, 360, (255, 255, 255), -1, SMOOTH)
        cv2.ellipse(drawn, point(at), eye, 0, 0, 360, black, 1, SMOOTH)
        cv2.circle(drawn, point(at), 4, black, -1, SMOOTH)
        brow = moved(at, 0, -18)
        line(drawn, [moved(brow, -8, 0), moved(brow, 8, int(rng.integers(-4, 5)))], black, 2)
    line(drawn, [moved(centre, 0, -5), moved(centre, -4, 10)], black, 2)
    mouth, end = (int(rng.integers(10, 22)), int(rng.integers(3, 14))), int(rng.choice([180, 360]))
    cv2.ellipse(drawn, point(moved(centre, 0, 24)), mouth, 0, 0, end, black, 2, SMOOTH)
    return drawn


def animal(rng: np.random.Generator) -> Picture:
    """Return a dog or cat with fur, in the light of a lamp, (SIDE_PX, SIDE_PX, 3)."""
    drawn, centre, nose = _plain(rng), np.array([80.0, 85.0]), (20, 20, 25)
    base = rng.integers(40, 200, 3)
    fur, dark, light = (
        tuple(int(each) for each in np.clip(values, 0, 255))
        for values in (base, base * 0.5, base * 1.4 + 20)
    )
    has_pointed_ears = bool(rng.integers(2))
    for side in (-1, 1):
        if has_pointed_ears:
            ear = centre + np.array([(side * 20, -40), (side * 52, -78), (side * 50, -20)])
            cv2.fillPoly(drawn, [ear.astype(np.int32)], dark, SMOOTH)
        else:
            at = moved(centre, side * 52, -5)
            cv2.ellipse(drawn, point(at), (14, 36), -15 * side, 0, 360, dark, -1, SMOOTH)
    cv2.ellipse(drawn, point(centre), (50, 52), 0, 0, 360, fur, -1, SMOOTH)
    muzzle = (int(rng.integers(20, 31)), int(rng.integers(18, 27)))
    cv2.ellipse(drawn, point(moved(centre, 0, 22)), muzzle, 0, 0, 360, light, -1, SMOOTH)
    apart, size = int(rng.integers(18, 26)), int(rng.integers(5, 10))
    for side in (-1, 1):
        cv2.circle(drawn, point(moved(centre, side * apart, -12)), size, (15, 15, 15), -1, SMOOTH)
        jaw = moved(centre, 9 * side, 28)
        cv2.ellipse(drawn, point(jaw), (9, 6), 0, 0, 180, nose, 2, SMOOTH)
    cv2.ellipse(drawn, point(moved(centre, 0, 10)), (11, 8), 0, 0, 360, nose, -1, SMOOTH)
    line(drawn, [moved(centre, 0, 16), moved(centre, 0, 28)], nose, 2)
    hair = cv2.GaussianBlur(rng.normal(0, 60, (2 * SIDE_PX, SIDE_PX)), (9, 1), 0)
    size_px = (SIDE_PX, SIDE_PX)
    fur = cv2.warpPolar(hair, size_px, centre, SIDE_PX, cv2.WARP_INVERSE_MAP)
    lamp, (y, x) = centre + rng.uniform(-45, 45, 2), np.mgrid[:SIDE_PX, :SIDE_PX]
    bright = rng.uniform(1.0, 1.3) - rng.uniform(0.2, 0.7) * np.hypot(x - lamp[0], y - lamp[1]) / 80
    lit = drawn * np.maximum(bright, 0.1)[..., None] + fur[..., None]
    return np.clip(cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.6)), 0, 255).astype(np.uint8)


DRAWINGS: dict[str, Callable[[np.random.Generator], Picture]] = {
    "figure": figure,
    "cartoon": cartoon,
    "animal": animal,
}
"""What is drawn from nothing, by name."""


def random_colour(rng: np.random.Generator, low: int, high: int) -> Colour:
    """Return a random colour, each part from low to below high."""
    return tuple(int(each) for each in rng.integers(low, high, 3))


def point(place: Points) -> tuple[int, int]:
    """Return the nearest pixel (x, y)."""
    x, y = np.rint(place).astype(int).tolist()
    return x, y


def moved(place: Points, x: float, y: float) -> Points:
    """Return a place moved right and down, pixels."""
    return place + np.array([x, y])


def line(
    picture: Picture, ends: Sequence[Points] | Points, colour: tuple[int, ...], width_px: int
) -> None:
    """Draw a line between two places."""
    begin, end = ends
    cv2.line(picture, point(begin), point(end), colour, width_px, SMOOTH)


def _plain(rng: np.random.Generator) -> Picture:
    return np.full((SIDE_PX, SIDE_PX, 3), rng.integers(60, 256, 3), np.uint8)
