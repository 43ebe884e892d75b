"""Random variants of a face, as other cameras, lights and detectors would have shown it.

A variant may be rotated, scaled and shifted relative to the eyes, high in contrast with highlights
and shadows clipped, JPEG-compressed, resampled at an angle, reduced to few pixels, lit from one
side, darker or lighter, blurred, low in contrast, or noisy.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_features.core.alignment import CropGeometry, align_face

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Variation:
    """How much faces vary.

    Attributes
    ----------
    roll_deg : standard deviation of the rotation in the image plane, degrees.
    log_scale : standard deviation of the natural logarithm of the scale.
    shift : standard deviation of the shift of the eyes, in eye distances.
    harsh, compressed, rolled, coarse, light, blurred, faint, noise : probabilities of clipped
        highlights and shadows, JPEG artefacts, rotation of the whole picture, low resolution, other
        light, blur, low contrast, and noise.
    """

    roll_deg: float = 8.0
    log_scale: float = 0.07
    shift: float = 0.073
    harsh: float = 0.3
    compressed: float = 0.3
    rolled: float = 0.2
    coarse: float = 0.25
    light: float = 0.5
    blurred: float = 0.3
    faint: float = 0.5
    noise: float = 0.4


COARSE_EYE_DISTANCES_PX = (6.0, 15.0)
"""Range of the distance of the eyes in a face of low resolution."""
SMALLEST_PICTURE_PX = 16
LARGEST_GAIN = 3.0
"""Largest factor of the contrast of a harsh picture."""
PIVOT_SPREAD = 20.0
"""The grey value that becomes middle grey in a harsh picture: its standard deviation about the mean
of the picture."""
MIDDLE_GREY = 128
JPEG_QUALITIES = (20, 80)
LARGEST_ROLL_DEG = 35.0
LOG_GAMMA = 0.45
"""Standard deviation of the natural logarithm of gamma."""
LARGEST_SLOPE = 0.8
"""Relative change of brightness over the crop, under light from one side."""
BLURS_PX = (0.4, 1.1)
LEAST_CONTRAST = 0.25
LARGEST_NOISE = 12.0
"""Standard deviation, in grey values."""


def variant(
    picture: Picture,
    eyes_px: Points,
    geometry: CropGeometry,
    variation: Variation,
    rng: np.random.Generator,
) -> Picture | None:
    """Return a random variant of a face (side, side), or None if it cannot be cropped.

    Parameters
    ----------
    picture : (h, w), grey.
    eyes_px : x and y of the person's right and left eye (2, 2).
    """
    if rng.random() < variation.harsh:
        picture = _harsh(picture, rng)
    if rng.random() < variation.compressed:
        picture = compressed(picture, int(rng.integers(*JPEG_QUALITIES)), cv2.IMREAD_GRAYSCALE)
    if rng.random() < variation.rolled:
        picture, eyes_px = _rolled(picture, eyes_px, rng)
    eyes_px = _moved(eyes_px, variation, rng)
    if rng.random() < variation.coarse:
        picture, eyes_px = _coarser(picture, eyes_px, rng)
    aligned = align_face(picture, eyes_px, geometry)
    if aligned is None:
        return None
    crop = aligned.crop.astype(np.float64)
    if rng.random() < variation.light:
        crop = _lit(crop, rng)
    if rng.random() < variation.blurred:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(*BLURS_PX)).astype(np.float64, copy=False)
    if rng.random() < variation.faint:
        crop = crop.mean() + (crop - crop.mean()) * rng.uniform(LEAST_CONTRAST, 1.0)
    if rng.random() < variation.noise:
        crop += rng.normal(0.0, rng.uniform(0.0, LARGEST_NOISE), crop.shape)
    return np.clip(np.rint(crop), 0, 255).astype(np.uint8)


def _harsh(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return a picture with more contrast than grey values can show: a steep tone curve."""
    pivot = picture.mean() + rng.normal(0.0, PIVOT_SPREAD)
    gain = np.exp(rng.uniform(0.0, np.log(LARGEST_GAIN)))
    grey_values = np.rint(MIDDLE_GREY + gain * (np.arange(256) - pivot)).clip(0, 255)
    return np.asarray(cv2.LUT(picture, grey_values.astype(np.uint8)), np.uint8)


def compressed(picture: Picture, quality: int, read_as: int) -> Picture:
    """Return a picture with JPEG artefacts, read as a flag of `cv2.imdecode` says."""
    _, data = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(data, read_as), np.uint8)


def rotated(picture: Picture, degrees: float) -> tuple[Picture, Points]:
    """Return a picture rotated about its centre, and the matrix (2, 3) for pixel centres."""
    height, width = picture.shape[:2]
    # OpenCV counts from pixel centres.
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8), np.asarray(turn)


def _rolled(picture: Picture, eyes_px: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Return a rotated picture and its eyes. The alignment rotates it back, which blurs it."""
    picture, turn = rotated(picture, rng.uniform(-LARGEST_ROLL_DEG, LARGEST_ROLL_DEG))
    return picture, np.asarray((eyes_px - 0.5) @ turn[:, :2].T + turn[:, 2] + 0.5)


def _moved(eyes_px: Points, variation: Variation, rng: np.random.Generator) -> Points:
    middle = eyes_px.mean(axis=0)
    distance = np.hypot(*(eyes_px[1] - eyes_px[0]))
    angle = np.deg2rad(rng.normal(0.0, variation.roll_deg))
    scale = np.exp(rng.normal(0.0, variation.log_scale))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    turned = (eyes_px - middle) @ np.array([[cosine, sine], [-sine, cosine]])
    shift = rng.normal(0.0, variation.shift, 2) * distance
    return np.asarray(middle + turned + shift)


def _coarser(picture: Picture, eyes_px: Points, rng: np.random.Generator) -> tuple[Picture, Points]:
    """Return picture and eyes at a lower resolution, or unchanged if it is low already."""
    height, width = picture.shape
    distance = np.hypot(*(eyes_px[1] - eyes_px[0]))
    factor = rng.uniform(*COARSE_EYE_DISTANCES_PX) / max(distance, 1.0)
    if factor >= 1:
        return picture, eyes_px
    size = (
        max(int(width * factor), SMALLEST_PICTURE_PX),
        max(int(height * factor), SMALLEST_PICTURE_PX),
    )
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return small, eyes_px * np.array([size[0] / width, size[1] / height])


def _lit(crop: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a crop with another gamma and a gradient of light in a random direction."""
    curved = 255 * (crop / 255) ** np.exp(rng.normal(0.0, LOG_GAMMA))
    direction = rng.uniform(0.0, 2 * np.pi)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]] / (len(crop) - 1) - 0.5
    slope = np.cos(direction) * x + np.sin(direction) * y
    return np.asarray(curved * (1 + rng.uniform(0.0, LARGEST_SLOPE) * slope))
