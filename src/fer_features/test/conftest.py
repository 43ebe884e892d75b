"""Pictures with faces for the tests: frames of the demo clip, and scenes put together from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import fer_camera
from fer_testing.heads import Head, Stage
from fer_testing.message_packages import messages_folder, messages_of_others
from fer_testing.ros import graph, ros_domain

__all__ = ["graph", "messages_folder", "messages_of_others", "ros_domain"]

Picture = NDArray[np.uint8]
Scene = Callable[[Sequence[tuple[float, float, float]]], Picture]

CLIP = Path(fer_camera.__file__).parent / "demo" / "demo.mp4"


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
def scene() -> Scene:
    """Return a function that draws faces, given as (middle x, middle y, size) px, on 640x480.

    Each face is another person's; later ones hide earlier ones.
    """

    stage = Stage()

    def draw(faces: Sequence[tuple[float, float, float]]) -> Picture:
        return stage.picture([Head(person, *place) for person, place in enumerate(faces)])

    return draw


@pytest.fixture(scope="session")
def turn() -> Callable[[Picture, float], Picture]:
    """Return a function that turns a picture about its middle, degrees, clockwise."""

    def apply(picture: Picture, degrees: float) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
        return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return apply
