"""Drawings, prints and covered faces that are made from pictures of faces.

Each kind is a mechanism with random parameters: how it looks differs much from picture to picture.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_features.core.detector import LEFT_EYE, MOUTH, RIGHT_EYE
from fer_train.drawings import Picture, Points

Tones: TypeAlias = NDArray[np.float32]


def lines(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) as lines: the sharpened difference of two blurs, cut off.

    Winnemoeller, Kyprianidis and Olsen, XDoG, Computers and Graphics 36, 2012.
    """
    grey = _tones(picture)
    sigma = eye_distance(landmarks_px) * rng.uniform(0.012, 0.035)
    fine, coarse = _blurred(grey, sigma), _blurred(grey, 1.6 * sigma)
    sharpened = fine + rng.uniform(5, 30) * (fine - coarse)
    level = np.quantile(sharpened, rng.uniform(0.05, 0.3))
    with np.errstate(over="ignore"):
        paper = 1 / (1 + np.exp(-rng.uniform(4, 60) * (sharpened - level)))
    return _inked(paper, rng)


def edges(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return the edges of a picture (h, w, 3): the gradient's size, or thin lines at its crests."""
    grey = _blurred(_tones(picture), eye_distance(landmarks_px) * rng.uniform(0.01, 0.04))
    if rng.integers(2):
        slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        ink = np.minimum(slope / max(np.quantile(slope, rng.uniform(0.9, 0.99)), 1e-6), 1)
    else:
        high = rng.uniform(30, 110)
        crests = cv2.Canny((255 * grey).astype(np.uint8), 0.4 * high, high)
        width = max(round(eye_distance(landmarks_px) * rng.uniform(0.01, 0.04)), 1)
        ink = _blurred(cv2.dilate(crests, np.ones((width, width))) / 255, 0.6)
    return _inked(1 - ink, rng)


def hatched(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) as hatching: the darker, the more layers of strokes cross."""
    apart = eye_distance(landmarks_px)
    grey = _equalised(_blurred(_tones(picture), 0.03 * apart))
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    wobble = _noise(grey.shape, 0.3 * apart, rng)
    angle, pitch = rng.uniform(0, np.pi), apart * rng.uniform(0.06, 0.14)
    ink = np.zeros_like(grey)
    layers = int(rng.integers(2, 5))
    for k in range(layers):
        turn = angle + k * rng.uniform(0.5, 1.2)
        phase = (x * np.cos(turn) + y * np.sin(turn)) / pitch + rng.uniform(0.1, 0.6) * wobble
        stroke = np.abs((phase + _noise(grey.shape, 2.0, rng) * 0.05) % 1 - 0.5) < rng.uniform(
            0.1, 0.22
        )
        ink = np.maximum(ink, stroke * (grey < (layers - k) / (layers + 1)))
    if rng.integers(2):
        outline = cv2.adaptiveThreshold(
            (255 * grey).astype(np.uint8), 1, 0, cv2.THRESH_BINARY_INV, _odd(0.2 * apart), 12
        )
        ink = np.maximum(ink, outline)
    return _inked(1 - _blurred(ink, 0.5) * rng.uniform(0.6, 1), rng)


def in_few_tones(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) in two to five tones, as a stencil or a comic is printed."""
    apart = eye_distance(landmarks_px)
    grey = _blurred(_tones(picture), apart * rng.uniform(0.01, 0.08))
    if rng.integers(2):
        grey = cv2.medianBlur((255 * grey).astype(np.uint8), _odd(0.06 * apart))
    number = int(rng.integers(2, 6))
    shares = np.sort(rng.uniform(0.05, 0.95, number - 1)) if rng.integers(2) else None
    if shares is None:
        shares = (np.arange(1, number) + rng.uniform(-0.3, 0.3, number - 1)) / number
    levels = np.quantile(grey, shares)
    tones = np.sort(rng.uniform(0, 1, number))
    tones = (tones - tones[0]) / max(tones[-1] - tones[0], 1e-6)
    return _inked(tones[np.digitize(grey, levels)], rng)


def halftone(picture: Picture, landmarks_px: Points, rng: np.random.Generator) -> Picture:
    """Return a picture (h, w, 3) as a grid of dots, the darker the larger."""
    apart = eye_distance(landmarks_px)
    grey = _equalised(_tones(picture))
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    turn, pitch = rng.uniform(0, np.pi / 2), apart * rng.uniform(0.08, 0.2)
    u, v = (
        2 * np.pi * (x * np.cos(turn + k) + y * np.sin(turn + k)) / pitch for k in (0, np.pi / 2)
    )
    screen = 0.5 + (np.cos(u) + np.cos(v)) / 4
    paper = 1 / (1 + np.exp(-rng.uniform(8, 40) * (grey - screen)))
    return _inked(_blurred(paper, 0.5), rng)


def with_object_over_the_mouth(
    picture: Picture, landmarks_px: Points, rng: np.random.Generator
) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), something before its mouth."""
    return _covered(picture, landmarks_px, landmarks_px[MOUTH], rng.uniform(0.35, 0.75), rng)


def with_object_over_the_eyes(
    picture: Picture, landmarks_px: Points, rng: np.random.Generator
) -> Picture:
    """Return a picture (h, w, 3) of a face with landmarks (6, 2), something before its eyes."""
    eyes = landmarks_px[[RIGHT_EYE, LEFT_EYE]]
    return _covered(picture, landmarks_px, eyes.mean(axis=0), rng.uniform(0.75, 1.1), rng)


def _covered(
    picture: Picture, landmarks_px: Points, at: Points, reach: float, rng: np.random.Generator
) -> Picture:
    """Return a picture with a shape of random outline, texture and light over a place.

    Parameters
    ----------
    reach : half the width of the shape, distances of the eyes.
    """
    apart = eye_distance(landmarks_px)
    across = landmarks_px[LEFT_EYE] - landmarks_px[RIGHT_EYE]
    turns = np.linspace(0, 2 * np.pi, int(rng.integers(5, 40)), endpoint=False)
    flat = rng.uniform(0.35, 0.7)
    ripple = 1 + rng.uniform(0, 0.25) * rng.uniform(-1, 1, len(turns))
    power = rng.uniform(0.4, 1.0)
    x, y = (
        apart * reach * ripple * each
        for each in (
            np.sign(np.cos(turns)) * np.abs(np.cos(turns)) ** power,
            flat * np.sign(np.sin(turns)) * np.abs(np.sin(turns)) ** power,
        )
    )
    tilt = np.arctan2(across[1], across[0]) + rng.uniform(-0.35, 0.35)
    shift = rng.uniform(-0.08, 0.08, 2) * apart
    outline = np.stack(
        [x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt)], axis=1
    )
    height, width = picture.shape[:2]
    where = np.zeros((height, width), np.uint8)
    cv2.fillPoly(where, [np.rint(at + shift + outline).astype(np.int32)], 255)
    share = _blurred(where / 255, rng.uniform(0.3, 1.2))[..., None]
    light = 1 + rng.uniform(0, 0.5) * _noise(where.shape, apart * rng.uniform(0.05, 0.8), rng)
    grain = rng.uniform(0, 12) * _noise(where.shape, 0.7, rng)
    thing = rng.integers(10, 246, 3) * light[..., None] + grain[..., None]
    if rng.integers(3) == 0:
        pitch, turn = apart * rng.uniform(0.08, 0.4), rng.uniform(0, np.pi)
        rows, columns = np.mgrid[:height, :width]
        stripe = np.sin(2 * np.pi * (columns * np.cos(turn) + rows * np.sin(turn)) / pitch) > 0
        thing = np.where(stripe[..., None], thing, rng.uniform(0.3, 0.8) * thing)
    return np.clip(picture * (1 - share) + thing * share, 0, 255).astype(np.uint8)


FACE_LIKE = {
    "lines": lines,
    "edges": edges,
    "hatched": hatched,
    "few tones": in_few_tones,
    "halftone": halftone,
    "object over the mouth": with_object_over_the_mouth,
    "object over the eyes": with_object_over_the_eyes,
}
"""What is done to pictures of faces, by name. Some still look much like faces."""


def eye_distance(landmarks_px: Points) -> float:
    """Return the distance of the eyes, pixels."""
    return max(float(np.linalg.norm(landmarks_px[LEFT_EYE] - landmarks_px[RIGHT_EYE])), 8.0)


def _tones(picture: Picture) -> Tones:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255


def _blurred(grey: NDArray[np.floating], sigma_px: float) -> Tones:
    return cv2.GaussianBlur(np.asarray(grey, np.float32), (0, 0), max(sigma_px, 0.3))


def _equalised(grey: Tones) -> Tones:
    return cv2.equalizeHist((255 * np.clip(grey, 0, 1)).astype(np.uint8)).astype(np.float32) / 255


def _noise(shape: tuple[int, ...], sigma_px: float, rng: np.random.Generator) -> Tones:
    """Return smooth noise with a standard deviation of 1."""
    smooth = _blurred(rng.standard_normal(shape[:2]), sigma_px)
    return smooth / max(float(smooth.std()), 1e-6)


def _odd(size_px: float) -> int:
    return max(2 * round(size_px / 2) + 1, 3)


def _inked(paper: NDArray[np.floating], rng: np.random.Generator) -> Picture:
    """Return tones (h, w) from 0, ink, to 1, paper, in random colours, some light on dark."""
    ink, sheet = rng.uniform(0, 90, 3), rng.uniform(170, 255, 3)
    if rng.integers(6) == 0:
        ink, sheet = sheet, ink
    drawn = ink + np.clip(paper, 0, 1)[..., None] * (sheet - ink)
    grain = rng.uniform(0, 5) * rng.standard_normal(paper.shape)
    return np.clip(drawn + grain[..., None], 0, 255).astype(np.uint8)
