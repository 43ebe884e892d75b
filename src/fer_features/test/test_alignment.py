"""Alignment: closed forms of the similarity, and faces turned, scaled and cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_features.core.alignment import (
    GRID,
    TIGHT_EYES,
    CropGeometry,
    align_face,
    on_grid,
    roll_of,
    similarity,
    to_grey,
    whole_picture_crop,
    widened_eyes,
)

Picture = NDArray[np.uint8]

GEOMETRY = CropGeometry()
EYES = np.array([[280.0, 200.0], [360.0, 200.0]])
points = st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))


def smooth_picture() -> Picture:
    noise = np.random.default_rng(4).random((480, 640))
    blurred = cv2.GaussianBlur(noise, (0, 0), 8)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def turned_about_eyes(
    picture: Picture, degrees: float, scale: float
) -> tuple[Picture, NDArray[np.float64]]:
    """Return the picture turned clockwise and scaled about the eyes' middle, and its eyes."""
    middle = EYES.mean(axis=0)
    # OpenCV counts from pixel centres, and its positive angles are counter-clockwise.
    matrix = cv2.getRotationMatrix2D(tuple(middle - 0.5), -degrees, scale)
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return cv2.warpAffine(picture, matrix, (640, 480)), (EYES - middle) @ turn.T + middle


@given(points, points, points, points)
def test_similarity_maps_both_points_without_distortion(a, b, c, d) -> None:
    source, target = np.array([a, b]), np.array([c, d])
    assume(np.hypot(*(source[1] - source[0])) > 1)
    matrix = similarity(source, target)
    mapped = source @ matrix[:, :2].T + matrix[:, 2]
    assert mapped == pytest.approx(target, abs=1e-6)
    turn = matrix[:, :2]
    assert turn @ turn.T == pytest.approx(abs(np.linalg.det(turn)) * np.eye(2), abs=1e-6)
    assert np.linalg.det(turn) >= 0


@given(points, points)
def test_rounded_eyes_move_by_less_than_anybody_sees(a, b) -> None:
    eyes = np.array([a, b])
    distance = np.hypot(*(eyes[1] - eyes[0]))
    assume(distance > 1)
    assert np.abs(on_grid(eyes) - eyes).max() <= distance / GRID


def test_processors_agree_on_rounded_eyes() -> None:
    rng = np.random.default_rng(0)
    eyes = EYES + rng.uniform(-10, 10, (2000, 2, 2))
    # The difference between the results of the detector with and without AVX2.
    others = eyes + rng.normal(0, 3e-6, eyes.shape)
    agree = [np.array_equal(on_grid(a), on_grid(b)) for a, b in zip(eyes, others, strict=True)]
    assert agree.count(False) <= len(agree) / 1000


def test_similarity_needs_two_places() -> None:
    with pytest.raises(ValueError, match="no direction"):
        similarity(np.zeros((2, 2)), GEOMETRY.eyes_px)


@pytest.mark.parametrize("degrees", [-30, -10, 0, 20, 30])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.3])
def test_turned_and_scaled_face_gives_the_same_crop(degrees: float, scale: float) -> None:
    picture = smooth_picture()
    straight = align_face(picture, EYES, GEOMETRY)
    turned, eyes = turned_about_eyes(picture, degrees, scale)
    aligned = align_face(turned, eyes, GEOMETRY)
    assert straight is not None and aligned is not None
    assert aligned.crop.shape == (48, 48)
    assert np.rad2deg(aligned.roll_rad) == pytest.approx(degrees, abs=1e-9)
    difference = np.abs(aligned.crop.astype(int) - straight.crop)
    assert difference.mean() < 1.5


@pytest.mark.parametrize("distance", [15, 40, 100, 200])
def test_eyes_lie_where_the_geometry_says(distance: float) -> None:
    eyes = np.array([[320 - distance / 2, 240.0], [320 + distance / 2, 240.0]])
    ys, xs = np.mgrid[:480, :640] + 0.5
    for eye, expected in zip(eyes, GEOMETRY.eyes_px, strict=True):
        radius = distance / 8
        spot = 255 * np.exp(-((xs - eye[0]) ** 2 + (ys - eye[1]) ** 2) / (2 * radius**2))
        aligned = align_face(spot.astype(np.uint8), eyes, GEOMETRY)
        assert aligned is not None
        weights = aligned.crop.astype(float)
        y, x = np.mgrid[:48, :48] + 0.5
        centre = [(weights * x).sum() / weights.sum(), (weights * y).sum() / weights.sum()]
        assert centre == pytest.approx(expected, abs=0.1)


def test_fine_stripes_of_a_large_face_average_out() -> None:
    picture = np.zeros((480, 640), np.uint8)
    picture[:, ::2] = 255
    aligned = align_face(picture, np.array([[220.0, 200.0], [420.0, 200.0]]), GEOMETRY)
    assert aligned is not None
    assert aligned.crop.std() < 4
    assert aligned.crop.mean() == pytest.approx(127.5, abs=2)


def test_colour_and_grey_pictures_give_the_same_crop(clip: list[Picture]) -> None:
    colour = align_face(clip[0], EYES, GEOMETRY)
    grey = align_face(to_grey(clip[0]), EYES, GEOMETRY)
    assert colour is not None and grey is not None
    assert np.array_equal(colour.crop, grey.crop)


def test_face_half_outside_goes_on_with_the_edge() -> None:
    picture = np.full((100, 100), 50, np.uint8)
    picture[:, :3] = 200
    aligned = align_face(picture, np.array([[-20.0, 50.0], [20.0, 50.0]]), GEOMETRY)
    assert aligned is not None
    assert (aligned.crop[:, :20] == 200).all()


@pytest.mark.parametrize(
    "eyes",
    [[[900.0, 900.0], [950.0, 900.0]], [[5.0, 5.0], [5.0, 5.0]], [[np.nan, 0.0], [10.0, 0.0]]],
    ids=["outside", "coincident", "not a number"],
)
def test_face_that_cannot_be_cropped(eyes: list[list[float]]) -> None:
    assert align_face(np.zeros((100, 100), np.uint8), np.array(eyes), GEOMETRY) is None


def test_roll_is_clockwise_positive() -> None:
    assert roll_of(np.array([[0.0, 0.0], [1.0, 1.0]])) == pytest.approx(np.pi / 4)


def test_eyes_of_a_face_turned_away_are_widened_about_their_middle() -> None:
    eyes = np.array([[100.0, 50.0], [106.0, 58.0]])
    assert np.array_equal(widened_eyes(eyes, 20), eyes)
    wide = widened_eyes(eyes, 100)
    assert np.hypot(*(wide[1] - wide[0])) == pytest.approx(33)
    assert wide.mean(axis=0) == pytest.approx([103, 54])
    assert roll_of(wide) == pytest.approx(roll_of(eyes))
    coincident = np.zeros((2, 2))
    assert np.array_equal(widened_eyes(coincident, 100), coincident)


def test_a_tight_crop_is_aligned_by_the_mean_eyes() -> None:
    picture = smooth_picture()[100:300, 100:300]
    expected = align_face(picture, 200 * TIGHT_EYES, GEOMETRY)
    assert expected is not None
    crop = whole_picture_crop(picture, GEOMETRY)
    assert np.array_equal(crop, expected.crop)
    wide = np.pad(picture, ((0, 0), (30, 30)))
    assert np.array_equal(whole_picture_crop(wide, GEOMETRY), crop)
    assert whole_picture_crop(picture[:2, :2], GEOMETRY) is None


def test_the_last_bits_of_the_eyes_do_not_change_the_crop() -> None:
    """They differ between processors; corners of the crop may lie on whole pixels."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (480, 640), np.uint8)
    for _ in range(400):
        eyes_px = np.array([[299.5, 218.25], [387.0, 212.25]]) + rng.integers(-40, 40, (2, 2)) / 4
        crops = []
        for noise in (0.0, 1e-12, -1e-12):
            aligned = align_face(picture, eyes_px + noise, CropGeometry())
            assert aligned is not None
            crops.append(aligned.crop.tobytes())
        assert len(set(crops)) == 1
