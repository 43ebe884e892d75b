"""Tracking: ids through movement, crossings, gaps and stamps that jump."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fer_features.core.assignment import assign
from fer_features.core.detector import Detection
from fer_features.core.tracker import FaceTracker, Track, TrackerParameters

FRAME_NS = 33_333_333


def face(x: float, y: float, size: float = 100, score: float = 0.9) -> Detection:
    box = np.array([x - size / 2, y - size / 2, size, size])
    offsets = np.array([[-0.2, -0.1], [0.2, -0.1], [0, 0.1], [0, 0.25], [-0.4, 0], [0.4, 0]])
    return Detection(box, score, np.array([x, y]) + offsets * size)


def step(tracker: FaceTracker, stamp_ns: int, faces: Sequence[Detection]) -> list[Track]:
    tracker.predict(stamp_ns)
    return tracker.update(faces)


def id_at(tracks: Sequence[Track], x: float, y: float) -> int:
    return min(tracks, key=lambda track: float(np.hypot(*(track.centre_px - (x, y))))).id


def total(cost: NDArray[np.float64], pairs: Sequence[tuple[int, int]], limit: float) -> float:
    return sum(cost[pair] for pair in pairs) + limit * (min(cost.shape) - len(pairs))


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.float64, st.tuples(st.integers(0, 4), st.integers(0, 4)), elements=st.floats(0, 2)
    )
)
def test_assignment_is_the_cheapest(cost: NDArray[np.float64]) -> None:
    limit = 1.0
    pairs = assign(cost, limit)
    rows, columns = cost.shape
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(cost[pair] < limit for pair in pairs)
    capped = np.minimum(cost, limit)
    capped = capped if rows <= columns else capped.T
    best = min(
        sum(capped[row, column] for row, column in enumerate(order))
        for order in permutations(range(capped.shape[1]), capped.shape[0])
    )
    assert total(cost, pairs, limit) == pytest.approx(best)


def test_ids_begin_at_one_and_stay_while_faces_move() -> None:
    tracker = FaceTracker(TrackerParameters())
    for k in range(60):
        tracks = step(tracker, k * FRAME_NS, [face(500 - 5 * k, 300), face(100 + 5 * k, 100)])
        assert [track.id for track in tracks] == [1, 2]
        assert id_at(tracks, 500 - 5 * k, 300) == 1


@pytest.mark.parametrize("hidden", [0, 6], ids=["in full view", "one hides the other"])
def test_ids_hold_through_a_crossing(hidden: int) -> None:
    tracker = FaceTracker(TrackerParameters())
    for k in range(60):
        left, right = face(100 + 8 * k, 200), face(572 - 8 * k, 230)
        behind = abs(k - 29.5) < hidden / 2
        tracks = step(tracker, k * FRAME_NS, [right] if behind else [left, right])
    assert len(tracks) == 2
    assert id_at(tracks, 572, 200) == 1
    assert id_at(tracks, 100, 230) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.floats(2, 14),
    st.floats(0.7, 1.4),
    st.integers(0, 15),
    st.floats(-60, 60),
    st.integers(0, 2**32 - 1),
)
def test_ids_hold_through_any_crossing_with_half_a_second_out_of_sight(
    speed_px: float, ratio: float, hidden: int, apart_px: float, seed: int
) -> None:
    """Two faces cross at up to 840 px/s; the one behind is hidden for up to .5 s."""
    rng, tracker = np.random.default_rng(seed), FaceTracker(TrackerParameters())
    half = round(250 / speed_px) + 8
    for k in range(-half, half + 1):
        noise = rng.normal(0, 1, 4)
        left = face(400 + speed_px * k + noise[0], 200 + noise[1])
        right = face(400 - speed_px * k + noise[2], 200 + apart_px + noise[3], 100 * ratio)
        behind = -hidden / 2 <= k < hidden / 2
        tracks = step(tracker, (k + half) * FRAME_NS, [right] if behind else [left, right])
    assert [track.id for track in tracks] == [1, 2]
    assert id_at(tracks, 400 + speed_px * half, 200) == 1
    assert id_at(tracks, 400 - speed_px * half, 200 + apart_px) == 2


def test_a_face_that_was_hidden_for_half_a_second_keeps_its_id() -> None:
    tracker = FaceTracker(TrackerParameters())
    for k in range(60):
        seen = [] if 30 <= k < 45 else [face(100 + 3 * k, 200)]
        tracks = step(tracker, k * FRAME_NS, seen)
    assert [(track.id, track.detected) for track in tracks] == [(1, True)]


def test_a_lost_face_ends_after_the_timeout_by_the_stamps_and_its_id_is_not_used_again() -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=0.5))
    step(tracker, 0, [face(100, 100)])
    for stamp_ns in (200_000_000, 400_000_000, 500_000_000):
        assert [t.detected for t in step(tracker, stamp_ns, [])] == [False]
    assert step(tracker, 500_000_001, []) == []
    assert [t.id for t in step(tracker, 600_000_000, [face(100, 100)])] == [2]


@pytest.mark.parametrize("period_s", [1.1, 2.0, 5.0])
def test_a_slow_camera_loses_a_face_only_after_several_frames(period_s: float) -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=1.0))
    seen = [True, True, False, False, True, False, False, False, False]
    ids = []
    for k, there in enumerate(seen):
        tracks = step(tracker, round(k * period_s * 1e9), [face(100, 100)] if there else [])
        ids.append([track.id for track in tracks])
    assert ids == [[1]] * 8 + [[]]


def test_a_pause_of_the_camera_ends_all_tracks() -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=1.0))
    step(tracker, 0, [face(100, 100)])
    assert [t.id for t in step(tracker, 60 * 10**9, [face(100, 100)])] == [2]


def test_a_track_that_waits_for_its_turn_does_not_end() -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=0.5))
    step(tracker, 0, [face(100, 100), face(500, 100)])
    for k in range(1, 60):
        tracker.predict(k * FRAME_NS)
        tracks = tracker.update([face(500, 100)], waiting={1})
    assert [(t.id, t.detected) for t in tracks] == [(1, False), (2, True)]


def test_a_stamp_that_jumps_back_ends_all_tracks_and_keeps_counting_ids() -> None:
    tracker = FaceTracker(TrackerParameters())
    step(tracker, 10 * FRAME_NS, [face(100, 100), face(400, 100)])
    assert [t.id for t in step(tracker, 0, [face(100, 100)])] == [3]


def test_equal_stamps_are_no_error() -> None:
    tracker = FaceTracker(TrackerParameters())
    step(tracker, 5, [face(100, 100)])
    tracks = step(tracker, 5, [face(102, 100)])
    assert [t.id for t in tracks] == [1]
    assert np.isfinite(tracks[0].velocity_px_s).all()


def test_only_a_sure_detection_begins_a_track_but_a_weaker_one_carries_it_on() -> None:
    tracker = FaceTracker(TrackerParameters(new_face_score=0.6))
    assert step(tracker, 0, [face(100, 100, score=0.55)]) == []
    step(tracker, 1, [face(100, 100, score=0.65)])
    assert [t.detected for t in step(tracker, FRAME_NS, [face(100, 100, score=0.51)])] == [True]


def test_a_face_of_another_size_at_the_same_place_is_another_face() -> None:
    tracker = FaceTracker(TrackerParameters())
    step(tracker, 0, [face(300, 200, size=60)])
    tracks = step(tracker, FRAME_NS, [face(300, 200, size=240)])
    assert [(t.id, t.detected) for t in tracks] == [(1, False), (2, True)]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_of_a_still_crowd_the_largest_keep_their_ids(limit: int, people: int, seed: int) -> None:
    """Whatever the order in which the faces are found."""
    rng = np.random.default_rng(seed)
    sizes = 60 * 1.2 ** rng.permutation(people)
    crowd = [face(40_000 * k, 100, size) for k, size in enumerate(sizes)]
    tracker = FaceTracker(TrackerParameters(timeout_s=60))
    for k in range(3 * people):
        tracker.predict(k * FRAME_NS)
        seen = rng.permutation(people)[: max(people // 2, 1)] if k < 2 * people else range(people)
        tracks = tracker.update([crowd[i] for i in seen], max_tracks=limit)
        if k == 2 * people:
            settled = [track.id for track in tracks]
    assert [track.id for track in tracks] == settled
    kept = sorted(track.size_px for track in tracks)
    assert kept == pytest.approx(sorted(sizes)[-limit:])


def test_faces_of_one_size_do_not_take_turns() -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=10))
    for k in range(20):
        tracker.predict(k * FRAME_NS)
        tracks = tracker.update([face(100 + 1000 * k, 100, 100 + k % 5)], max_tracks=3)
    assert [t.id for t in tracks] == [1, 2, 3]


def test_a_large_face_takes_the_place_of_a_small_one_that_came_first() -> None:
    tracker = FaceTracker(TrackerParameters())
    ids = []
    for k in range(40):
        tracker.predict(k * FRAME_NS)
        seen = [face(100, 100, 80)] + ([face(500, 300, 300)] if 10 <= k < 30 else [])
        ids.append([track.id for track in tracker.update(seen, max_tracks=1)])
    assert ids == [[1]] * 10 + [[2]] * 30
    for k in range(40, 70):
        tracker.predict(k * FRAME_NS)
        tracks = tracker.update([face(100, 100, 80)], max_tracks=1)
    assert [track.id for track in tracks] == [3]


def test_a_long_lost_face_gives_its_place_to_any_other() -> None:
    tracker = FaceTracker(TrackerParameters(timeout_s=60))
    step(tracker, 0, [face(100, 100, 300)])
    for k in range(1, 60):
        tracker.predict(k * FRAME_NS)
        tracks = tracker.update([face(900, 100, 80)], max_tracks=1)
    assert [track.id for track in tracks] == [2]


def test_smoothing_calms_a_resting_face_and_hardly_delays_a_moving_one() -> None:
    tracker = FaceTracker(TrackerParameters(smoothing_s=0.03))
    noise = np.random.default_rng(0).normal(0, 1, (200, 2))
    resting = [step(tracker, k * FRAME_NS, [face(*(100 + noise[k]))])[0] for k in range(200)]
    assert np.std([t.landmarks_px[0, 0] for t in resting[20:]]) < 0.8
    tracker = FaceTracker(TrackerParameters(smoothing_s=0.03))
    for k in range(60):
        moving = step(tracker, k * FRAME_NS, [face(100 + 5 * k, 100)])[0]
    assert moving.centre_px[0] == pytest.approx(100 + 5 * 59, abs=0.5)


def test_without_smoothing_landmarks_are_as_detected() -> None:
    tracker = FaceTracker(TrackerParameters(smoothing_s=0))
    step(tracker, 0, [face(100, 100)])
    detected = face(107, 93)
    assert step(tracker, FRAME_NS, [detected])[0].landmarks_px == pytest.approx(
        detected.landmarks_px
    )


def test_update_needs_predict() -> None:
    with pytest.raises(RuntimeError, match="predict"):
        FaceTracker(TrackerParameters()).update([])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10)), max_size=30))
def test_ids_are_unique_and_never_come_back(events: list[tuple[int, int]]) -> None:
    tracker = FaceTracker(TrackerParameters())
    rng = np.random.default_rng(len(events))
    gone: set[int] = set()
    before: set[int] = set()
    for stamp_ns, count in events:
        places = rng.uniform(0, 2000, (count, 2))
        tracks = step(tracker, stamp_ns, [face(x, y) for x, y in places])
        ids = [track.id for track in tracks]
        assert ids == sorted(set(ids)) and len(ids) <= 8
        gone |= before - set(ids)
        assert not gone & set(ids)
        before = set(ids)
