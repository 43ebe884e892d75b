"""Pictures with faces for the tests: frames of the demo clip, and scenes put together from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_common.testing import graph, ros_domain
from fer_common.testing_messages import messages_folder, messages_of_others

__all__ = ["graph", "messages_folder", "messages_of_others", "ros_domain"]

Picture = NDArray[np.uint8]
Scene = Callable[[Sequence[tuple[float, float, float]]], Picture]

CLIP = Path(__file__).resolve().parents[2] / "fer_camera" / "demo" / "demo.mp4"
PERSON_FRAMES = 117
"""Frames of the clip that show one person."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep the tests from fighting over cores."""
    cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def clip() -> list[Picture]:
    """Return the frames of the demo clip, (480, 640, 3) BGR."""
    capture = cv2.VideoCapture(str(CLIP))
    frames = []
    while (taken := capture.read())[0]:
        frames.append(taken[1])
    capture.release()
    assert frames, f"{CLIP} can't be read"
    return frames


@pytest.fixture(scope="session")
def scene(clip: list[Picture]) -> Scene:
    """Return a function that draws faces, given as (middle x, middle y, size) px, on 640x480.

    Each face is another person's; later ones hide earlier ones.
    """

    def draw(faces: Sequence[tuple[float, float, float]]) -> Picture:
        picture = np.full((480, 640, 3), 96, np.uint8)
        for person, (x, y, size) in enumerate(faces):
            # Head and hair of a frame, in which the face is about 210 px large.
            head = clip[person * PERSON_FRAMES + 5][40:420, 150:490]
            ys, xs = np.mgrid[: head.shape[0], : head.shape[1]]
            ellipse = ((xs - 170) / 150) ** 2 + ((ys - 190) / 190) ** 2 < 1
            scale = size / 210
            matrix = np.array([[scale, 0, x - 170 * scale], [0, scale, y - 200 * scale]])
            drawn = cv2.warpAffine(head, matrix, (640, 480), flags=cv2.INTER_AREA)
            mask = cv2.warpAffine(ellipse.astype(np.uint8), matrix, (640, 480))
            picture[mask > 0] = drawn[mask > 0]
        return picture

    return draw


@pytest.fixture(scope="session")
def turn() -> Callable[[Picture, float], Picture]:
    """Return a function that turns a picture about its middle, degrees, clockwise."""

    def apply(picture: Picture, degrees: float) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
        return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return apply
