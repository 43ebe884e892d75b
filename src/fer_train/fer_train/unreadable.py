"""Pictures in which no expression can be read: faces covered, cut or upside down, and drawings.

They are made from pictures of faces, or drawn from nothing, so that no others need to be collected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_features.core.detector import LEFT_EYE, MOUTH, NOSE_TIP, RIGHT_EYE

Picture: TypeAlias = NDArray[np.uint8]
Points: TypeAlias = NDArray[np.float64]
Spoilt: TypeAlias = Callable[[Picture, Points, np.random.Generator], Picture]

SIDE_PX = 160
"""Side of the drawings."""

_SMOOTH = cv2.LINE_AA
_MASKS = ((230, 230, 230), (200, 170, 120), (40, 40, 40), (180, 150, 140))
"""Colours of masks, BGR."""


def upside_down(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) turned by 180 degrees."""
    return np.ascontiguousarray(picture[::-1, ::-1])


def with_sunglasses(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), its eyes behind dark glasses."""
    drawn = picture.copy()
    eyes = landmarks_px[[RIGHT_EYE, LEFT_EYE]]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    colour = _colour(rng, 0, 45)
    half = (round(0.38 * apart), round(rng.uniform(0.24, 0.34) * apart))
    is_round = bool(rng.integers(2))
    for eye in (_moved(each, 0, 0.05 * apart) for each in eyes):
        if is_round:
            cv2.ellipse(drawn, _point(eye), half, 0, 0, 360, colour, -1, _SMOOTH)
        else:
            cv2.rectangle(drawn, _point(eye - half), _point(eye + half), colour, -1)
    _line(drawn, eyes, colour, max(round(0.08 * apart), 1))
    return drawn


def with_mask(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), masked from the nose down."""
    drawn = picture.copy()
    eyes = landmarks_px[[RIGHT_EYE, LEFT_EYE]]
    nose, mouth = landmarks_px[NOSE_TIP], landmarks_px[MOUTH]
    middle = eyes.mean(axis=0)
    down = (mouth - middle) / max(float(np.linalg.norm(mouth - middle)), 1.0)
    across = np.array([-down[1], down[0]])
    height, width = float(np.linalg.norm(mouth - middle)), float(np.linalg.norm(eyes[1] - eyes[0]))
    top = (middle + 2 * nose) / 3
    outline = [(0, 0), (0.85, 0.05), (1.0, 0.35), (0.8, 1.0), (0, 1.4)]
    right = [top + across * x * width + down * y * height for x, y in outline]
    left = [top - across * x * width + down * y * height for x, y in outline[::-1]]
    colour = _MASKS[rng.integers(len(_MASKS))]
    cv2.fillPoly(drawn, [np.rint([*right, *left]).astype(np.int32)], colour, _SMOOTH)
    shade = tuple(round(0.85 * each) for each in colour)
    for y in (0.35, 0.7):
        ends = [top + down * y * height + across * x * width for x in (-0.7, 0.7)]
        _line(drawn, ends, shade, 1)
    return drawn


def cut_below_the_nose(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return the part of a picture (h, w, 3) above the mouth of a face with landmarks (6, 2)."""
    nose, mouth = landmarks_px[NOSE_TIP, 1], landmarks_px[MOUTH, 1]
    end = round(nose + rng.uniform(0.1, 0.4) * (mouth - nose))
    return picture[: int(np.clip(end, 8, len(picture)))].copy()


SPOILT: dict[str, Spoilt] = {
    "upside down": upside_down,
    "sunglasses": with_sunglasses,
    "mask": with_mask,
    "cut below the nose": cut_below_the_nose,
}
"""What is done to pictures of faces, by name."""


def cartoon(rng: np.random.Generator) -> Picture:
    """Return the drawing of a face, (SIDE_PX, SIDE_PX, 3)."""
    drawn = _plain(rng)
    centre, black = np.array([80.0 + rng.integers(-5, 6), 80.0]), (0, 0, 0)
    size = (int(rng.integers(38, 53)), int(rng.integers(50, 63)))
    cv2.ellipse(drawn, _point(centre), size, 0, 0, 360, _colour(rng, 120, 255), -1, _SMOOTH)
    cv2.ellipse(drawn, _point(centre), size, 0, 0, 360, black, 2, _SMOOTH)
    apart, eye = int(rng.integers(16, 24)), (int(rng.integers(5, 10)), int(rng.integers(5, 13)))
    for side in (-1, 1):
        at = _moved(centre, side * apart, -14)
        cv2.ellipse(drawn, _point(at), eye, 0, 0, 360, (255, 255, 255), -1, _SMOOTH)
        cv2.ellipse(drawn, _point(at), eye, 0, 0, 360, black, 1, _SMOOTH)
        cv2.circle(drawn, _point(at), 4, black, -1, _SMOOTH)
        brow = _moved(at, 0, -18)
        _line(drawn, [_moved(brow, -8, 0), _moved(brow, 8, int(rng.integers(-4, 5)))], black, 2)
    _line(drawn, [_moved(centre, 0, -5), _moved(centre, -4, 10)], black, 2)
    mouth, end = (int(rng.integers(10, 22)), int(rng.integers(3, 14))), int(rng.choice([180, 360]))
    cv2.ellipse(drawn, _point(_moved(centre, 0, 24)), mouth, 0, 0, end, black, 2, _SMOOTH)
    return drawn


def animal(rng: np.random.Generator) -> Picture:
    """Return the drawing of a dog or cat with fur, (SIDE_PX, SIDE_PX, 3)."""
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
            cv2.fillPoly(drawn, [ear.astype(np.int32)], dark, _SMOOTH)
        else:
            at = _moved(centre, side * 52, -5)
            cv2.ellipse(drawn, _point(at), (14, 36), -15 * side, 0, 360, dark, -1, _SMOOTH)
    cv2.ellipse(drawn, _point(centre), (50, 52), 0, 0, 360, fur, -1, _SMOOTH)
    muzzle = (int(rng.integers(20, 31)), int(rng.integers(18, 27)))
    cv2.ellipse(drawn, _point(_moved(centre, 0, 22)), muzzle, 0, 0, 360, light, -1, _SMOOTH)
    apart, size = int(rng.integers(18, 26)), int(rng.integers(5, 10))
    for side in (-1, 1):
        cv2.circle(
            drawn, _point(_moved(centre, side * apart, -12)), size, (15, 15, 15), -1, _SMOOTH
        )
        jaw = _moved(centre, 9 * side, 28)
        cv2.ellipse(drawn, _point(jaw), (9, 6), 0, 0, 180, nose, 2, _SMOOTH)
    cv2.ellipse(drawn, _point(_moved(centre, 0, 10)), (11, 8), 0, 0, 360, nose, -1, _SMOOTH)
    _line(drawn, [_moved(centre, 0, 16), _moved(centre, 0, 28)], nose, 2)
    hair = cv2.GaussianBlur(rng.normal(0, 28, (SIDE_PX, SIDE_PX)), (3, 9), 0)
    return np.clip(drawn + hair[..., None], 0, 255).astype(np.uint8)


DRAWINGS = {"cartoon": cartoon, "animal": animal}


def _plain(rng: np.random.Generator) -> Picture:
    return np.full((SIDE_PX, SIDE_PX, 3), rng.integers(60, 256, 3), np.uint8)


def _colour(rng: np.random.Generator, low: int, high: int) -> tuple[int, ...]:
    return tuple(int(each) for each in rng.integers(low, high, 3))


def _moved(place: Points, x: float, y: float) -> Points:
    return place + np.array([x, y])


def _line(
    picture: Picture, ends: Sequence[Points] | Points, colour: tuple[int, ...], width_px: int
) -> None:
    begin, end = ends
    cv2.line(picture, _point(begin), _point(end), colour, width_px, _SMOOTH)


def _point(place: Points) -> tuple[int, int]:
    x, y = np.rint(place).astype(int).tolist()
    return x, y
