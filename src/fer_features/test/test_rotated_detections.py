"""Several looks at a still face: what is found in a turned picture is turned back."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_features.core.alignment import from_pixel_centres
from fer_features.core.detector import (
    LEFT_EYE,
    RIGHT_EYE,
    Detection,
    DetectorParameters,
    FaceDetector,
)
from fer_features.core.rotated_detections import mean_detection
from fer_features.core.search import FaceSearch, SearchParameters
from fer_features.core.tracker import FaceTracker, TrackerParameters
from fer_features.core.windows import Window

Picture = NDArray[np.uint8]
Scene = Callable[[list[tuple[float, float, float]]], Picture]

WINDOW = Window(40, 20, 200)


class Marks(FaceDetector):
    """Finds a 'face' whose landmarks are the middles of six discs, the brightest first."""

    BRIGHTNESS = (250, 210, 170, 130, 90, 50)

    def __init__(self) -> None:
        super().__init__(DetectorParameters())

    def detect(self, image: Picture, window: Window) -> list[Detection]:
        grey = image[..., 0]
        count, discs, _, middles = cv2.connectedComponentsWithStats((grey > 25).astype(np.uint8))
        if count != 1 + len(self.BRIGHTNESS):
            return []
        brightness = [grey[discs == disc].max() for disc in range(1, count)]
        brightest_first = 1 + np.argsort(brightness)[::-1]
        points = middles[brightest_first] + 0.5
        return [Detection(np.append(points.mean(axis=0) - 40, (80, 80)), 0.9, points)]


def marked() -> tuple[Picture, Detection]:
    picture = np.zeros((260, 320, 3), np.uint8)
    for k, brightness in enumerate(Marks.BRIGHTNESS):
        angle = k * np.pi / 3
        middle = (round(150 + 45 * np.cos(angle)), round(125 + 30 * np.sin(angle)))
        cv2.circle(picture, middle, 6, (brightness,) * 3, -1)
    [face] = Marks().detect(picture, WINDOW)
    return picture, face


@pytest.mark.parametrize("turn_deg", [10.0, -10.0, 35.0])
def test_what_is_found_in_a_turned_picture_is_turned_back(turn_deg: float) -> None:
    picture, face = marked()
    seen = mean_detection(Marks(), picture, face, WINDOW, [turn_deg])
    # The second look finds the same places, so their mean is where they were.
    np.testing.assert_allclose(seen.landmarks_px, face.landmarks_px, atol=0.3)
    np.testing.assert_allclose(seen.centre_px, face.centre_px, atol=0.3)
    np.testing.assert_array_equal(seen.box_px[2:], face.box_px[2:])
    assert seen.score == face.score


def test_a_look_counts_as_much_as_the_first_and_one_in_vain_not_at_all() -> None:
    picture, face = marked()
    off = Detection(face.box_px, face.score, face.landmarks_px + 3.0)
    halfway = mean_detection(Marks(), picture, off, WINDOW, [10.0])
    np.testing.assert_allclose(halfway.landmarks_px, face.landmarks_px + 1.5, atol=0.3)
    empty = np.zeros_like(picture)
    same = mean_detection(Marks(), empty, off, WINDOW, [10.0, -10.0])
    np.testing.assert_array_equal(same.landmarks_px, off.landmarks_px)


def test_another_face_beside_it_is_not_taken_for_it() -> None:
    picture, face = marked()
    shift = np.array([60.0, 0.0])
    elsewhere = Detection(np.append(shift, (0, 0)) + face.box_px, 0.8, face.landmarks_px + shift)
    same = mean_detection(Marks(), picture, elsewhere, Window(100, 20, 200), [10.0, -10.0])
    np.testing.assert_array_equal(same.landmarks_px, elsewhere.landmarks_px)


def _eyes(picture: Picture, turns_deg: tuple[float, ...]) -> NDArray[np.float64]:
    parameters = SearchParameters(still_turns_deg=turns_deg)
    detector = FaceDetector(DetectorParameters())
    search = FaceSearch(parameters, detector, FaceTracker(TrackerParameters()))
    face = search.detect_still(picture)[0]
    return face.landmarks_px[[RIGHT_EYE, LEFT_EYE]]


def test_eyes_of_a_still_picture_depend_less_on_how_the_face_lies(scene: Scene) -> None:
    errors: dict[tuple[float, ...], list[float]] = {(): [], (10.0, -10.0): []}
    for x, y, size in [(320, 240, 110), (290, 250, 130), (340, 230, 90)]:
        picture = scene([(x, y, size)])
        for roll_deg, shrunk in [(-25, 0.8), (-12, 0.9), (7, 0.85), (18, 0.95), (28, 0.75)]:
            matrix = cv2.getRotationMatrix2D((320, 240), roll_deg, shrunk)
            turned = cv2.warpAffine(
                picture, from_pixel_centres(matrix), (640, 480), borderMode=cv2.BORDER_REPLICATE
            )
            for turns_deg, found in errors.items():
                wanted = _eyes(picture, turns_deg) @ matrix[:, :2].T + matrix[:, 2]
                off = _eyes(np.asarray(turned, np.uint8), turns_deg) - wanted
                found.append(float(np.linalg.norm(off) / np.linalg.norm(wanted[1] - wanted[0])))
    one_look, three_looks = (np.mean(found) for found in errors.values())
    assert three_looks < 0.85 * one_look
