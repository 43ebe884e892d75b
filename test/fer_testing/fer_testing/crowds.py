"""Crowds of still heads, and what is made of them frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_features.core.detector import DetectorParameters, FaceDetector
from fer_features.core.search import FaceSearch, SearchParameters
from fer_features.core.tracker import FaceTracker, TrackerParameters
from fer_testing.heads import Head, Picture
from fer_testing.rendering.timeline import PEOPLE

FRAME_NS = 33_333_333


class CountingDetector(FaceDetector):
    """Counts how often it looks."""

    runs = 0

    def detect(self, *arguments: Any) -> Any:
        """Look for faces."""
        self.runs += 1
        return super().detect(*arguments)


def new_search(max_faces: int = 8) -> tuple[FaceSearch, CountingDetector]:
    """Return a search that has seen nothing yet, and its detector."""
    detector = CountingDetector(DetectorParameters(max_faces=max_faces))
    return FaceSearch(SearchParameters(), detector, FaceTracker(TrackerParameters())), detector


def crowd(
    people: int, width: int, height: int, size: float, large: Sequence[int] = (), larger: float = 1
) -> list[Head]:
    """Return still heads in rows and columns, some of them larger."""
    columns = round((people * width / height) ** 0.5)
    rows = -(-people // columns)
    return [
        Head(
            k % (2 * PEOPLE),
            (k % columns + 0.5) * width / columns,
            (k // columns + 0.5) * height / rows,
            size * (larger if k in large else 1),
        )
        for k in range(people)
    ]


@dataclass(frozen=True)
class Seen:
    """What was made of a frame.

    Attributes
    ----------
    heads : nearest head of each face that is followed, sorted.
    """

    ids: list[int]
    heads: list[int]
    detector_runs: int


def watch(picture: Picture, heads: Sequence[Head], frames: int, max_faces: int = 8) -> list[Seen]:
    """Return what is made of a picture that stands still at 30 Hz."""
    search, detector = new_search(max_faces)
    middles = np.array([(head.x, head.y) for head in heads])
    seen = []
    for k in range(frames):
        before = detector.runs
        tracks = search.follow(picture, k * FRAME_NS)
        nearest = [int(np.hypot(*(middles - each.centre_px).T).argmin()) for each in tracks]
        seen.append(Seen([each.id for each in tracks], sorted(nearest), detector.runs - before))
    return seen
