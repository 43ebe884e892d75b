"""More people than are followed, and cameras with few frames a second."""

from __future__ import annotations

import numpy as np
import pytest

from fer_testing.crowds import crowd, new_search, watch
from fer_testing.heads import Head, Stage

SETTLED = 90
"""Frames after which no new id may come: 3 s."""


@pytest.mark.parametrize(
    ("people", "width", "height", "size"),
    [(9, 640, 480, 70), (20, 1280, 720, 80), (50, 1280, 720, 80)],
)
def test_of_a_still_crowd_the_largest_are_followed_and_keep_their_ids(
    people: int, width: int, height: int, size: float
) -> None:
    large = sorted(np.random.default_rng(people).permutation(people)[:8].tolist())
    heads = crowd(people, width, height, size, large, 1.3)
    seen = watch(Stage(width, height).picture(heads), heads, SETTLED + 60)
    # Two windows around faces, one search, and a closer look at two candidates.
    assert max(frame.detector_runs for frame in seen) <= 5
    settled = seen[SETTLED]
    assert settled.heads == large
    assert all(frame.ids == settled.ids for frame in seen[SETTLED:])


def test_the_largest_are_followed_where_only_three_are() -> None:
    large = [3, 9, 14]
    heads = crowd(20, 1280, 720, 80, large, 1.5)
    seen = watch(Stage(1280, 720).picture(heads), heads, SETTLED, max_faces=3)
    assert seen[-1].heads == large


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
