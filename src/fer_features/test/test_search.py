"""Where the detector looks, and what becomes of it: cost, far faces, lost faces, determinism."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_features.core.detector import Detection, DetectorParameters, FaceDetector
from fer_features.core.search import FaceSearch, SearchParameters
from fer_features.core.tracker import FaceTracker, TrackerParameters
from fer_features.core.windows import Window, whole_picture

Picture = NDArray[np.uint8]
Scene = Callable[[Sequence[tuple[float, float, float]]], Picture]

FRAME_NS = 33_333_333
WHOLE = whole_picture(640, 480)
FIRST_ROUND = 9
"""Searches until all of a VGA picture was looked at: its six halves, three times the whole."""


class RecordingDetector(FaceDetector):
    """Notes every window that it is asked to look at."""

    def __init__(self) -> None:
        super().__init__(DetectorParameters())
        self.windows: list[Window] = []

    def detect(self, image: Picture, window: Window) -> list[Detection]:
        self.windows.append(window)
        return super().detect(image, window)


def new_search(**parameters: object) -> tuple[FaceSearch, RecordingDetector]:
    detector = RecordingDetector()
    tracker = FaceTracker(TrackerParameters())
    return FaceSearch(SearchParameters(**parameters), detector, tracker), detector


def test_a_followed_face_costs_one_small_window_a_frame(clip: list[Picture]) -> None:
    search, detector = new_search(full_search_period_s=1.0, hold_s=0)
    for k, frame in enumerate(clip[:60]):
        (track,) = search.follow(frame, k * FRAME_NS)
        assert (track.id, track.detected) == (1, True)
        if k == FIRST_ROUND:
            detector.windows.clear()
    assert len(detector.windows) == 60 - 1 - FIRST_ROUND + 1
    close = [window for window in detector.windows if track.size_px < window.side < WHOLE.side]
    assert len(close) >= 60 - 1 - FIRST_ROUND


def test_new_faces_are_searched_for_by_the_stamps(scene: Scene) -> None:
    search, detector = new_search(full_search_period_s=0.25, small_faces=False)
    one, two = scene([(150, 240, 120)]), scene([(150, 240, 120), (480, 240, 140)])
    search.follow(one, 0)
    # A search that found somebody is followed by another one at once.
    assert len(search.follow(one, FRAME_NS)) == 1
    assert len(search.follow(two, FRAME_NS + 240_000_000)) == 1
    assert len(search.follow(two, FRAME_NS + 250_000_000)) == 2
    assert detector.windows.count(WHOLE) == 3


def test_people_who_come_together_are_found_within_one_round(scene: Scene) -> None:
    places = [(100 + 145 * (k % 4), 120 + 210 * (k // 4), 62) for k in range(8)]
    search, _ = new_search()
    for k in range(FIRST_ROUND + 1):
        tracks = search.follow(scene(places), k * FRAME_NS)
    assert [track.id for track in tracks] == list(range(1, 9))
    # None of them is seen a second time, twice as large, as small faces are at times.
    assert all(track.size_px < 100 for track in tracks)


def test_without_tracked_regions_each_frame_is_searched(clip: list[Picture]) -> None:
    search, detector = new_search(tracked_regions=False)
    for k in range(5):
        assert len(search.follow(clip[k], k * FRAME_NS)) == 1
    assert detector.windows == [WHOLE] * 5


def test_small_faces_are_found_in_halves_of_the_picture_and_kept(scene: Scene) -> None:
    picture = scene([(420, 330, 50)])
    whole, _ = new_search(small_faces=False)
    assert not any(whole.follow(picture, k * FRAME_NS) for k in range(30))
    search, _ = new_search()
    seen = [len(search.follow(picture, k * FRAME_NS)) for k in range(40)]
    assert seen[20:] == [1] * 20


def test_a_face_that_leaves_is_looked_for_at_once_and_forgotten_after_the_timeout(
    scene: Scene,
) -> None:
    search, detector = new_search(full_search_period_s=100, small_faces=False)
    search.follow(scene([(150, 240, 120)]), 0)
    detector.windows.clear()
    (track,) = search.follow(scene([(480, 240, 120)]), FRAME_NS)
    assert WHOLE in detector.windows
    assert track.id == 2
    empty = scene([])
    assert search.follow(empty, 2 * FRAME_NS) == []
    assert search.follow(empty, 29 * FRAME_NS) == []
    assert search.follow(empty, 30 * FRAME_NS) == []
    assert len(search.tracker.tracks) == 2
    assert search.follow(empty, 32 * FRAME_NS) == []
    assert search.tracker.tracks == []


def test_far_apart_faces_take_turns_and_none_is_lost(scene: Scene) -> None:
    picture = scene([(90, 120, 70), (540, 120, 70), (90, 380, 70), (540, 380, 70)])
    search, detector = new_search(max_windows=2)
    for k in range(150):
        search.follow(picture, k * FRAME_NS)
    detector.windows.clear()
    for k in range(150, 180):
        before = len(detector.windows)
        tracks = search.follow(picture, k * FRAME_NS)
        assert len(tracks) == 4
        assert sum(track.detected for track in tracks) >= 2
        assert len(detector.windows) - before <= 2 + 1
    assert len({track.id for track in tracks}) == 4


@pytest.mark.parametrize("vertical", [0, 60])
def test_two_rendered_faces_that_cross_keep_their_ids(scene: Scene, vertical: int) -> None:
    search, _ = new_search()
    for k in range(70):
        left, right = (80 + 7 * k, 200, 120), (80 + 7 * (69 - k), 200 + vertical, 120)
        tracks = search.follow(scene([left, right]), k * FRAME_NS)
        if k == 5:
            first = {t.id: t.centre_px[0] < 320 for t in tracks}
            assert sorted(first.values()) == [False, True]
    last = {t.id: t.centre_px[0] < 320 for t in tracks}
    assert last == {identity: not was_left for identity, was_left in first.items()}


def test_same_frames_same_tracks_to_the_bit(scene: Scene) -> None:
    frames = [scene([(150 + 5 * k, 200, 110), (500, 260, 60)]) for k in range(20)]
    runs = []
    for _ in range(2):
        search, _ = new_search()
        tracks = [search.follow(f, k * FRAME_NS) for k, f in enumerate(frames)]
        runs.append([(t.id, t.score, t.landmarks_px.tobytes()) for ts in tracks for t in ts])
    assert runs[0] == runs[1]


def test_stamps_that_jump_back_begin_anew(clip: list[Picture]) -> None:
    search, detector = new_search()
    search.follow(clip[0], 10**9)
    (track,) = search.follow(clip[1], 0)
    assert track.id == 2
    assert detector.windows == [WHOLE, WHOLE]


def test_a_picture_too_small_for_halves_is_searched_whole(scene: Scene) -> None:
    search, detector = new_search()
    search.follow(scene([])[:200, :200], 0)
    search.follow(scene([])[:200, :200], FRAME_NS)
    assert detector.windows == [Window(0, 0, 200)] * 2


def test_a_face_that_fills_a_still_picture_is_found(clip: list[Picture]) -> None:
    search, _ = new_search()
    tight = clip[0][130:345, 210:430]
    (face,) = search.detect_still(tight)
    assert face.box_px[2] > 0.7 * tight.shape[1]


def test_of_a_still_picture_the_largest_faces_are_described(scene: Scene) -> None:
    detector = FaceDetector(DetectorParameters(max_faces=2))
    search = FaceSearch(SearchParameters(), detector, FaceTracker(TrackerParameters()))
    found = search.detect_still(scene([(120, 240, 90), (320, 240, 150), (520, 240, 140)]))
    assert sorted(round(face.centre_px[0], -2) for face in found) == [300, 500]


def test_a_still_picture_shows_all_its_faces_well_resolved(scene: Scene) -> None:
    search, _ = new_search()
    found = search.detect_still(scene([(120, 150, 50), (400, 250, 180), (580, 420, 60)]))
    assert len(found) == 3
    assert [face.score for face in found] == sorted((f.score for f in found), reverse=True)
    assert search.tracker.tracks == []
