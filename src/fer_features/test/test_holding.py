"""Steady faces are followed by optical flow between two looks of the detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_features.core.detector import Detection, FaceDetector
from fer_features.core.holding import Reference, reference
from fer_features.core.pipeline import FeatureParameters, FeaturePipeline
from fer_features.core.search import SearchParameters
from fer_features.core.windows import Window

Picture = NDArray[np.uint8]
Scene = Callable[[Sequence[tuple[float, float, float]]], Picture]

FRAME_NS = 33_333_333
BOX_PX = np.array([100.0, 80.0, 120.0, 120.0])
EYES_PX = np.array([[130.0, 120.0], [190.0, 120.0]])


def blots() -> Picture:
    """Return a picture in which every place looks different."""
    coarse = np.random.default_rng(3).integers(30, 220, (30, 40), np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def shifted(picture: Picture, x: float, y: float) -> Picture:
    matrix = np.array([[1, 0, x], [0, 1, y]], float)
    size = picture.shape[1::-1]
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT))


def kept(picture: Picture) -> Reference:
    face = reference(picture, BOX_PX, EYES_PX)
    assert face is not None
    return face


@given(st.floats(-6, 6), st.floats(-6, 6))
def test_a_shift_is_measured_within_a_tenth_of_a_pixel(x: float, y: float) -> None:
    picture = blots()
    measured = kept(picture).shift_px(shifted(picture, x, y))
    assert measured == pytest.approx([x, y], abs=0.1)


@pytest.mark.parametrize(
    "now",
    [
        np.full((240, 320), 90, np.uint8),
        np.ascontiguousarray(blots()[::-1]),
        blots()[:150],
        np.zeros((1, 1, 3), np.uint8),
    ],
    ids=["grey", "another picture", "a part", "a pixel"],
)
def test_a_face_that_is_not_there_is_not_held(now: Picture) -> None:
    assert kept(blots()).shift_px(now) is None


@pytest.mark.parametrize("corner", [(-1.0, 80.0), (100.0, -1.0), (201.0, 80.0), (100.0, 121.0)])
def test_a_face_that_is_partly_outside_is_not_held(corner: tuple[float, float]) -> None:
    assert reference(blots(), np.array([*corner, 120.0, 120.0]), EYES_PX) is None


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the looks that find a face, as the length of a list."""
    seen: list[int] = []
    detect = FaceDetector.detect

    def counting(self: FaceDetector, image: Picture, window: Window) -> list[Detection]:
        seen.append(0)
        return detect(self, image, window)

    monkeypatch.setattr(FaceDetector, "detect", counting)
    return seen


def pipeline(hold_s: float) -> FeaturePipeline:
    search = SearchParameters(hold_s=hold_s, full_search_period_s=60.0)
    return FeaturePipeline(replace(FeatureParameters(), search=search))


@pytest.mark.parametrize(("hold_s", "expected"), [(0.0, 12), (0.04, 6), (0.08, 4)])
def test_a_still_face_is_looked_at_once_in_so_many_frames(
    scene: Scene, looks: list[int], hold_s: float, expected: int
) -> None:
    picture, features = scene([(300, 240, 120)]), pipeline(hold_s)
    for k in range(20):
        features.process(picture, k * FRAME_NS)
    looks.clear()
    for k in range(20, 32):
        (face,) = features.process(picture, k * FRAME_NS)
        assert face.score > 0.5
    assert len(looks) == expected


def test_a_face_that_drifts_is_held_where_it_is(scene: Scene) -> None:
    places = [250 + 0.4 * k for k in range(40)]
    frames = [scene([(x, 240, 120)]) for x in places]
    middles = {}
    for hold_s in (0.0, 0.08):
        features = pipeline(hold_s)
        seen = [features.process(frame, k * FRAME_NS) for k, frame in enumerate(frames)]
        middles[hold_s] = np.array([face.landmarks_px[:2, 0].mean() for [face] in seen])[20:]
    assert np.std(middles[0.08] - places[20:]) <= 1.1 * np.std(middles[0.0] - places[20:])


def test_a_held_face_that_disappears_is_looked_for_at_once(scene: Scene, looks: list[int]) -> None:
    picture, empty, features = scene([(300, 240, 120)]), scene([]), pipeline(0.08)
    for k in range(30):
        features.process(picture, k * FRAME_NS)
    for k in range(30, 33):
        looks.clear()
        features.process(empty, k * FRAME_NS)
        assert looks
