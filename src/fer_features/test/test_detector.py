"""The detector: anchors, decoding and letterbox in closed form, and faces of the demo clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_common.core.errors import FerError
from fer_features.core.detector import (
    LEFT_EYE,
    MODELS,
    MOUTH,
    NOSE_TIP,
    RIGHT_EYE,
    DetectorParameters,
    FaceDetector,
    anchor_centres,
    decode,
    intersection_over_union,
    letterbox,
    weighted_suppression,
)
from fer_features.core.windows import Window, whole_picture

Picture = NDArray[np.uint8]
WHOLE = whole_picture(640, 480)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(DetectorParameters())


def test_anchors_are_the_cells_of_both_grids() -> None:
    anchors = anchor_centres(MODELS["short_range"])
    assert anchors.shape == (896, 2)
    assert anchors[0] == pytest.approx([1 / 32, 1 / 32])
    assert np.array_equal(anchors[0], anchors[1])
    assert anchors[2] == pytest.approx([3 / 32, 1 / 32])
    assert anchors[512] == pytest.approx([1 / 16, 1 / 16])
    assert anchors[-1] == pytest.approx([15 / 16, 15 / 16])


def test_decoding_adds_offsets_to_the_anchor() -> None:
    raw = np.zeros((1, 16))
    raw[0, :4] = 3, -5, 20, 30
    raw[0, 4:6] = 7, 8
    points = decode(raw, np.array([[0.5, 0.25]]), 128)
    assert points[0, 0] == pytest.approx([64 + 3 - 10, 32 - 5 - 15])
    assert points[0, 1] == pytest.approx([64 + 3 + 10, 32 - 5 + 15])
    assert points[0, 2] == pytest.approx([64 + 7, 32 + 8])
    assert points[0, 3] == pytest.approx([64, 32])


def test_overlap_of_boxes() -> None:
    box = np.array([0.0, 0, 2, 2])
    others = np.array([[0.0, 0, 2, 2], [1, 0, 2, 2], [2, 0, 2, 2], [0, 0, 0, 0]])
    assert intersection_over_union(box, others) == pytest.approx([1, 1 / 3, 0, 0])


def test_candidates_of_one_face_are_averaged_by_score() -> None:
    points = np.zeros((3, 8, 2))
    points[:, 1] = 10
    points[1] += 1
    points[2] += 100
    faces = weighted_suppression(points, np.array([0.9, 0.6, 0.7]), 0.3)
    assert [face.score for face in faces] == [0.9, 0.7]
    assert faces[0].box_px == pytest.approx([0.4, 0.4, 10, 10])
    assert faces[1].box_px == pytest.approx([100, 100, 10, 10])


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 300), st.integers(20, 300), st.integers(10, 400), st.data())
def test_letterbox_maps_back_and_does_not_distort(
    width: int, height: int, side: int, data: st.DataObject
) -> None:
    x = data.draw(st.integers(1 - side, width - 1))
    y = data.draw(st.integers(1 - side, height - 1))
    canvas = np.empty((128, 128, 3), np.uint8)
    picture = np.full((height, width, 3), 255, np.uint8)
    scale, offset = letterbox(picture, Window(x, y, side), canvas)
    shown = np.argwhere(canvas[:, :, 0] == 255)
    low, high = shown.min(axis=0)[::-1], shown.max(axis=0)[::-1] + 1
    assert low * scale + offset == pytest.approx([max(x, 0), max(y, 0)])
    # Less than a pixel of the canvas may be cut off.
    ends = [min(x + side, width), min(y + side, height)]
    assert high * scale + offset == pytest.approx(ends, abs=max(side / 128, 1e-6))
    # Less than a pixel of the canvas off the ideal scale over the whole width.
    assert ((high - low) * np.abs(side / 128 / scale - 1) <= 2).all()


def test_letterbox_of_a_window_beside_the_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside the picture of 10x10"):
        letterbox(np.zeros((10, 10), np.uint8), Window(10, 0, 5), np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_finds_the_face_in_each_frame_of_the_clip(clip: list[Picture], model: str) -> None:
    detector = FaceDetector(DetectorParameters(model=model))
    for frame in clip[::90]:
        (face,) = detector.detect(frame, WHOLE)
        assert face.score > 0.7
        x, y, w, h = face.box_px
        assert 150 < w < 260 and 0.8 < w / h < 1.25
        marks = face.landmarks_px
        assert (marks > [x - 20, y - 20]).all() and (marks < [x + w + 20, y + h + 20]).all()
        assert marks[RIGHT_EYE, 0] + 50 < marks[LEFT_EYE, 0]
        assert marks[[RIGHT_EYE, LEFT_EYE], 1].max() < marks[NOSE_TIP, 1] < marks[MOUTH, 1]


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_finds_rolled_faces_and_their_roll(
    detector: FaceDetector,
    clip: list[Picture],
    turn: Callable[[Picture, float], Picture],
    degrees: float,
) -> None:
    def roll(picture: Picture) -> float:
        (face,) = detector.detect(picture, WHOLE)
        dx, dy = face.landmarks_px[LEFT_EYE] - face.landmarks_px[RIGHT_EYE]
        return float(np.rad2deg(np.arctan2(dy, dx)))

    assert roll(turn(clip[0], degrees)) - roll(clip[0]) == pytest.approx(degrees, abs=6)


def test_a_grey_picture_shows_the_same_face(detector: FaceDetector, clip: list[Picture]) -> None:
    grey = np.ascontiguousarray(clip[0][:, :, 1])
    (face,) = detector.detect(grey, WHOLE)
    (colour,) = detector.detect(clip[0], WHOLE)
    assert face.box_px == pytest.approx(colour.box_px, abs=8)


def test_same_picture_same_result_to_the_bit(detector: FaceDetector, clip: list[Picture]) -> None:
    first, again = (
        detector.detect(clip[3], WHOLE),
        FaceDetector(DetectorParameters()).detect(clip[3], WHOLE),
    )
    assert np.array_equal(first[0].landmarks_px, again[0].landmarks_px)
    assert first[0].score == again[0].score


@pytest.mark.parametrize("level", [0, 128, 255])
def test_no_face_in_plain_pictures(detector: FaceDetector, level: int) -> None:
    assert detector.detect(np.full((480, 640, 3), level, np.uint8), WHOLE) == []


def test_no_face_in_noise(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    assert detector.detect(noise, WHOLE) == []


def test_faces_cut_by_the_window_are_left_out(detector: FaceDetector, clip: list[Picture]) -> None:
    (face,) = detector.detect(clip[0], WHOLE)
    middle = face.box_px[0] + face.box_px[2] / 2
    assert detector.detect(clip[0], Window(int(middle) - 300, 100, 300)) == []


def test_bad_models_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(FerError, match="unknown detector model 'huge': choose one of back"):
        FaceDetector(DetectorParameters(model="huge"))
    with pytest.raises(FerError, match="is missing: install fer_features again"):
        FaceDetector(DetectorParameters(), tmp_path)
    (tmp_path / MODELS["short_range"].file_name).write_bytes(b"no model")
    with pytest.raises(FerError, match="cannot be read"):
        FaceDetector(DetectorParameters(), tmp_path)
