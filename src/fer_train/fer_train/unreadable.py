"""Pictures of faces, spoilt so that no expression can be read: covered, cut or turned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from fer_features.core.detector import LEFT_EYE, MOUTH, NOSE_TIP, RIGHT_EYE
from fer_train.drawings import SMOOTH, Picture, Points, line, moved, point, random_colour

Spoilt: TypeAlias = Callable[[Picture, Points, np.random.Generator], Picture]

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
    colour = random_colour(rng, 0, 45)
    half = (round(0.38 * apart), round(rng.uniform(0.24, 0.34) * apart))
    is_round = bool(rng.integers(2))
    for eye in (moved(each, 0, 0.05 * apart) for each in eyes):
        if is_round:
            cv2.ellipse(drawn, point(eye), half, 0, 0, 360, colour, -1, SMOOTH)
        else:
            cv2.rectangle(drawn, point(eye - half), point(eye + half), colour, -1)
    line(drawn, eyes, colour, max(round(0.08 * apart), 1))
    return drawn


def with_mask(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), masked from the nose down."""
    drawn = picture.copy()
    middle, across, down = _axes(landmarks_px)
    nose = landmarks_px[NOSE_TIP]
    top = (middle + 2 * nose) / 3
    outline = [(0, 0), (0.85, 0.05), (1.0, 0.35), (0.8, 1.0), (0, 1.4)]
    right = [top + across * x + down * y for x, y in outline]
    left = [top - across * x + down * y for x, y in outline[::-1]]
    colour = _MASKS[rng.integers(len(_MASKS))]
    cv2.fillPoly(drawn, [np.rint([*right, *left]).astype(np.int32)], colour, SMOOTH)
    shade = tuple(round(0.85 * each) for each in colour)
    for y in (0.35, 0.7):
        ends = [top + down * y + across * x for x in (-0.7, 0.7)]
        line(drawn, ends, shade, 1)
    return drawn


def with_hand(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), a hand before its mouth."""
    drawn = picture.copy()
    _, across, down = _axes(landmarks_px)
    mouth, nose = landmarks_px[MOUTH], landmarks_px[NOSE_TIP]
    cheek = point((mouth + nose) / 2 + 0.5 * across)[::-1]
    skin = picture[tuple(np.clip(cheek, 0, np.array(picture.shape[:2]) - 1))]
    shade = rng.uniform(0.8, 1.15)
    lit, dark = (tuple(np.clip(skin * share, 0, 255).tolist()) for share in (shade, 0.6 * shade))
    across = across * rng.choice([-1, 1])
    slope = rng.uniform(-0.15, 0.4)
    thick = max(round(0.3 * float(np.linalg.norm(down))), 2)
    for finger in range(-1, 3):
        middle = mouth + down * (0.27 * finger - 0.05)
        ends = [
            middle - across * (rng.uniform(0.45, 0.75) + x) + down * slope * x for x in (0.0, -2.2)
        ]
        line(drawn, ends, dark, thick + max(thick // 6, 2))
        line(drawn, ends, lit, thick)
    return drawn


def with_band(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), its eyes behind a band."""
    drawn = picture.copy()
    _, across, down = _axes(landmarks_px)
    width = max(round(rng.uniform(0.45, 0.8) * float(np.linalg.norm(down))), 2)
    middle, cloth = landmarks_px[[RIGHT_EYE, LEFT_EYE]].mean(axis=0), random_colour(rng, 0, 256)
    line(drawn, [middle - 1.6 * across, middle + 1.6 * across], cloth, width)
    woven = drawn + rng.uniform(0, 14) * rng.standard_normal(picture.shape[:2])[..., None]
    covered = (drawn != picture).any(axis=2, keepdims=True)
    return np.where(covered, np.clip(woven, 0, 255), picture).astype(np.uint8)


def pixelated(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2) in squares, as a censor does."""
    _, across, _ = _axes(landmarks_px)
    block = max(float(np.linalg.norm(across)) * rng.uniform(0.25, 0.4), 2.0)
    height, width = picture.shape[:2]
    size_px = (max(round(width / block), 2), max(round(height / block), 2))
    small = cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


def cut_below_the_nose(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return the part of a picture (h, w, 3) above the mouth of a face with landmarks (6, 2)."""
    nose, mouth = landmarks_px[NOSE_TIP, 1], landmarks_px[MOUTH, 1]
    end = round(nose + rng.uniform(0.1, 0.4) * (mouth - nose))
    return picture[: int(np.clip(end, 8, len(picture)))].copy()


def cut_below_the_eyes(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return the part of a picture (h, w, 3) below the eyes of a face with landmarks (6, 2)."""
    eyes, nose = landmarks_px[[RIGHT_EYE, LEFT_EYE], 1].mean(), landmarks_px[NOSE_TIP, 1]
    begin = round(eyes + rng.uniform(0.3, 0.6) * (nose - eyes))
    return picture[int(np.clip(begin, 0, len(picture) - 8)) :].copy()


def cut_in_half(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return the left or right half of a picture (h, w, 3) of a face with landmarks (6, 2)."""
    eyes = landmarks_px[[RIGHT_EYE, LEFT_EYE], 0]
    end = round(eyes.mean() + rng.uniform(-0.15, 0.15) * (eyes[1] - eyes[0]))
    end = int(np.clip(end, 8, picture.shape[1] - 8))
    return (picture[:, :end] if rng.integers(2) else picture[:, end:]).copy()


SPOILT: dict[str, Spoilt] = {
    "upside down": upside_down,
    "sunglasses": with_sunglasses,
    "band over the eyes": with_band,
    "mask": with_mask,
    "hand before the mouth": with_hand,
    "cut below the nose": cut_below_the_nose,
    "cut below the eyes": cut_below_the_eyes,
    "cut in half": cut_in_half,
    "pixelated": pixelated,
}
"""What is done to pictures of faces, by name."""


def _axes(landmarks_px: Points) -> tuple[Points, Points, Points]:
    """Return the middle of the eyes, an eye distance to the left one, and down to the mouth."""
    right, left = landmarks_px[[RIGHT_EYE, LEFT_EYE]]
    middle = (right + left) / 2
    down = landmarks_px[MOUTH] - middle
    across = np.array([down[1], -down[0]]) / max(float(np.linalg.norm(down)), 1.0)
    return middle, across * float(np.linalg.norm(left - right)), down
