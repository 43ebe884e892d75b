"""More people than are followed, and cameras with few frames a second."""

from __future__ import annotations

import numpy as np
import pytest

from fer_features.core.detector import DetectorParameters, FaceDetector
from fer_features.core.search import FaceSearch, SearchParameters
from fer_features.core.tracker import FaceTracker, TrackerParameters
from fer_testing.heads import PEOPLE, Head, Stage

FRAME_NS = 33_333_333
SETTLED = 90
"""Frames after which no new id may come: 3 s."""


class CountingDetector(FaceDetector):
    """Counts how often it looks."""

    runs = 0

    def detect(self, image, window):  # type: ignore[no-untyped-def]
        self.runs += 1
        return super().detect(image, window)


def new_search(max_faces: int = 8) -> tuple[FaceSearch, CountingDetector]:
    detector = CountingDetector(DetectorParameters(max_faces=max_faces))
    return FaceSearch(SearchParameters(), detector, FaceTracker(TrackerParameters())), detector


def crowd(people: int, width: int, height: int, size: float) -> list[Head]:
    """Return still heads in rows and columns."""
    columns = round((people * width / height) ** 0.5)
    rows = -(-people // columns)
    return [
        Head(
            k % (2 * PEOPLE),
            (k % columns + 0.5) * width / columns,
            (k // columns + 0.5) * height / rows,
            size,
        )
        for k in range(people)
    ]


@pytest.mark.parametrize(
    ("people", "width", "height", "size"), [(9, 640, 480, 70), (20, 1280, 720, 95)]
)
def test_still_people_keep_their_ids_although_there_are_more_than_are_followed(
    people: int, width: int, height: int, size: float
) -> None:
    picture = Stage(width, height).picture(crowd(people, width, height, size))
    search, detector = new_search()
    for k in range(SETTLED + 60):
        before = detector.runs
        ids = [track.id for track in search.follow(picture, k * FRAME_NS)]
        # Two windows around faces, one search, and a closer look at two candidates.
        assert detector.runs - before <= 5
        if k == SETTLED:
            settled = ids
        if k >= SETTLED:
            assert ids == settled and len(ids) == 8


def test_the_largest_of_a_crowd_are_followed() -> None:
    heads = crowd(20, 1280, 720, 80)
    large = [3, 9, 14]
    heads = [Head(h.person, h.x, h.y, 120 if k in large else 80) for k, h in enumerate(heads)]
    search, _ = new_search(max_faces=3)
    picture = Stage(1280, 720).picture(heads)
    for k in range(SETTLED):
        tracks = search.follow(picture, k * FRAME_NS)
    middles = np.array([(head.x, head.y) for head in heads])
    nearest = [np.hypot(*(middles - track.centre_px).T).argmin() for track in tracks]
    assert sorted(nearest) == large


@pytest.mark.parametrize("period_s", [1.0, 1.1, 2.0, 5.0])
def test_a_slow_camera_finds_everybody_and_keeps_the_ids(period_s: float) -> None:
    places = [(100 + 145 * (k % 4), 120 + 210 * (k // 4)) for k in range(8)]
    picture = Stage().picture([Head(k, *place, 65) for k, place in enumerate(places)])
    search, _ = new_search()
    rng = np.random.default_rng(0)
    seen, ids, stamp_ns = [], set(), 0
    for _ in range(20):
        tracks = search.follow(picture, stamp_ns)
        seen.append(len(tracks))
        ids |= {track.id for track in tracks}
        stamp_ns += round(period_s * 1e9 * rng.uniform(0.95, 1.05))
    assert sum(seen) >= 0.95 * 8 * len(seen)
    assert ids == set(range(1, 9))
