"""Where the detector looks for faces: around the tracked ones, and at times everywhere.

The detector costs the same for any window. So a window around the tracked faces shows them larger
than the whole picture, at the same cost. Searches for new faces are periodic (by the stamps). A
search is immediate when no face is tracked or one was lost, and repeated in every frame until a
round of searches has found no new face, because people arrive together. Frames that are far apart
are searched in more windows each, so a slow camera misses nobody. The result depends only on the
frames and stamps so far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_features.core.detector import (
    Detection,
    FaceDetector,
    centre_of,
    intersection_over_union,
    shifted,
)
from fer_features.core.holding import reference
from fer_features.core.rotated_detections import mean_detection
from fer_features.core.tracker import STEADY, FaceTracker, Track
from fer_features.core.windows import Window, half_size_windows, whole_picture, windows_around

MARGIN = 0.9
"""Margin around a tracked face, in face sizes, as in the pictures the detector was trained on."""

STILL_MARGINS = (0.0, 0.2, 0.5)
"""Margins around a still picture, in its longer sides: a face that fills it needs some."""

CONCENTRIC = 0.25
"""Boxes whose centres are closer than this, in sizes of the larger box, are the same face: two real
faces this close would hide each other. The detector may report a small face twice as large."""

LATEST = 1.5
"""Periods after which a search no longer waits for a frame whose result is not awaited."""

TURN_S = 0.1
"""Windows around tracked faces are limited for each such time: frames further apart get more."""

MOST_SEEN_CLOSE = 64
"""Number of faces that are remembered as seen at a higher resolution, without place for them."""

SMALLEST_PART = 0.2
"""Smallest size of a face, as a fraction of its window, for accurate landmarks."""


@dataclass(frozen=True)
class SearchParameters:
    """Settings of the search.

    Attributes
    ----------
    tracked_regions : detect tracked faces around their predicted positions, otherwise in the whole
        picture only.
    full_search_period_s : time between two searches for new faces while faces are tracked.
    small_faces : also search halves of the picture, in turn with the whole.
    max_windows : largest number of windows around tracked faces per frame of at most `TURN_S`;
        the others follow in the next frames.
    look_after : defer the detection of steady faces, see `FeaturePipeline.observe`.
    hold_s : how long after a look a steady face is followed by optical flow alone, see `holding`.
    still_turns_deg : rotations of a still picture for further detections, see `mean_detection`.
    """

    tracked_regions: bool = True
    full_search_period_s: float = 0.25
    small_faces: bool = True
    max_windows: int = 2
    look_after: bool = True
    hold_s: float = 0.08
    still_turns_deg: tuple[float, ...] = (10.0, -10.0)


class FaceSearch:
    """Detects and tracks the faces of a sequence of frames."""

    def __init__(self, parameters: SearchParameters, detector: FaceDetector, tracker: FaceTracker):
        self.parameters = parameters
        self.detector = detector
        self.tracker = tracker
        self._last_ns: int | None = None
        self._searched_ns: int | None = None
        self._turn = 0
        self._empty_searches = 0
        self._seen_close: list[NDArray[np.float64]] = []

    def foresee(self, stamp_ns: int) -> list[Track]:
        """Return the predicted tracks of the next frame, by id, if detection can wait, else [].

        Call `follow` for that frame before the next one.
        """
        return self.tracker.foresee(stamp_ns) if self.parameters.look_after else []

    def follow(self, image: NDArray[np.uint8], stamp_ns: int, awaited: bool = False) -> list[Track]:
        """Detect and track the faces of a frame; return their tracks, by id.

        If the result is `awaited`, a periodic search that can wait follows in a later frame.

        They include tracks outside the windows of this frame (`Track.detected` is false), but not
        those that were looked for and not found.
        """
        if self._last_ns is not None and stamp_ns < self._last_ns:
            # A repeated sequence is searched in the same way again.
            self._last_ns, self._searched_ns, self._turn, self._empty_searches = None, None, 0, 0
            self._seen_close = []
        elapsed_s = 0.0 if self._last_ns is None else (stamp_ns - self._last_ns) / NANOSECONDS
        self._last_ns = stamp_ns
        expected = list(self.tracker.predict(stamp_ns))
        found: list[Detection] = []
        looked_for = expected
        if self.parameters.tracked_regions:
            found, looked_for = self._look_around(image, expected, stamp_ns, elapsed_s)
        asked = {track.id for track in looked_for}
        waiting = {track.id: track for track in expected if track.id not in asked}
        windows = self._windows_to_search(image, stamp_ns, found, looked_for, awaited)
        for window in windows:
            # The prediction of a waiting track is better than a coarse detection.
            known = [*_boxes(waiting.values()), *_boxes(found)]
            new = self._newcomers(known, self.detector.detect(image, window))
            found += self._seen_closer(image, known, new)
        tracks = self.tracker.update(found, self._max_faces, waiting)
        if self.parameters.hold_s > 0:
            for track in tracks:
                if track.looked_for_ns == stamp_ns and track.is_steady(stamp_ns):
                    track.reference = reference(image, track.box_px, track.landmarks_px)
        if windows:
            known_ids = {track.id for track in expected}
            nobody_new = all(track.id in known_ids for track in tracks)
            self._empty_searches = self._empty_searches + len(windows) if nobody_new else 0
        return [track for track in tracks if track.detected or track.id in waiting]

    def detect_still(self, image: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces of a single picture at the resolution of tracked faces, by score."""
        coarse: list[Detection] = []
        whole, *halves = self._search_windows(image)
        for window in (*(whole.grown(margin) for margin in STILL_MARGINS), *halves):
            coarse += self._others(_boxes(coarse), self.detector.detect(image, window))
        coarse = self._largest(coarse)
        fine: list[Detection] = []
        for window, _ in windows_around(_boxes(coarse), MARGIN, SMALLEST_PART):
            fine += self._others(_boxes(fine), self.detector.detect(image, window))
        fine += self._others(_boxes(fine), coarse)
        fine = [self._averaged(image, face) for face in self._largest(fine)]
        return sorted(fine, key=lambda face: -face.score)

    @property
    def _max_faces(self) -> int:
        return self.detector.parameters.max_faces

    def _largest(self, faces: list[Detection]) -> list[Detection]:
        return sorted(faces, key=lambda face: -face.size_px)[: self._max_faces]

    def _averaged(self, image: NDArray[np.uint8], face: Detection) -> Detection:
        [(window, _)] = windows_around([face.box_px], MARGIN, SMALLEST_PART)
        turns = self.parameters.still_turns_deg
        return mean_detection(self.detector, image, face, window, turns)

    def _look_around(
        self, image: NDArray[np.uint8], expected: Sequence[Track], stamp_ns: int, elapsed_s: float
    ) -> tuple[list[Detection], list[Track]]:
        """Return the faces around the tracks, and the tracks that the detector looked for.

        It does not look at a window in which all faces are held.
        """
        found: list[Detection] = []
        looked_for: list[Track] = []
        groups = []
        for window, members in windows_around([t.box_px for t in expected], MARGIN, SMALLEST_PART):
            held = self._held(image, [expected[i] for i in members], stamp_ns)
            found += held
            if not held:
                groups.append((window, members))
        groups.sort(key=lambda group: min(expected[i].looked_for_ns for i in group[1]))
        turns = max(math.ceil(elapsed_s / TURN_S), 1)
        for window, members in groups[: turns * self.parameters.max_windows]:
            looked_for += [expected[i] for i in members]
            if window.meets(*_size(image)):
                found += self._newcomers(_boxes(found), self.detector.detect(image, window))
        for track in looked_for:
            track.looked_for_ns = stamp_ns
        return found, looked_for

    def _held(
        self, image: NDArray[np.uint8], tracks: Sequence[Track], stamp_ns: int
    ) -> list[Detection]:
        """Return the faces of tracks if all are steady and where they are expected, else []."""
        limit_ns = self.parameters.hold_s * NANOSECONDS
        for track in tracks:
            too_old = stamp_ns - track.looked_for_ns > limit_ns
            if track.reference is None or too_old or not track.is_steady(stamp_ns):
                return []
        held = []
        for track in tracks:
            assert track.reference is not None
            shift_px = track.reference.shift_px(image)
            if shift_px is None:
                return []
            box_px = shifted(track.reference.box_px, shift_px)
            if np.abs(box_px - track.box_px).max() > STEADY * track.size_px:
                return []
            held.append(Detection(box_px, track.score, track.reference.landmarks_px + shift_px))
        return held

    def _windows_to_search(
        self,
        image: NDArray[np.uint8],
        stamp_ns: int,
        found: Sequence[Detection],
        looked_for: Sequence[Track],
        awaited: bool,
    ) -> list[Window]:
        """Return the windows to search for new and lost faces in this frame."""
        windows, whole = self._round(image), whole_picture(*_size(image))
        nobody = not (found or looked_for)
        due = self._searches_due(stamp_ns, len(windows), nobody, bool(awaited and looked_for))
        if due:
            self._searched_ns = stamp_ns
            first, self._turn = self._turn, self._turn + due
            in_turn = [windows[turn % len(windows)] for turn in range(first, first + due)]
            return list(dict.fromkeys([whole, *in_turn] if nobody else in_turn))
        return [] if _all_found(looked_for, found) else [whole]

    def _searches_due(self, stamp_ns: int, round_length: int, nobody: bool, can_wait: bool) -> int:
        """Return how many windows of a round are due, by the time since the last search.

        Where nobody is seen, it is at least one, and a round takes a second at most. If it can
        wait, it is none for another half of the period.
        """
        if self._searched_ns is None or not self.parameters.tracked_regions:
            return 1
        elapsed_s = (stamp_ns - self._searched_ns) / NANOSECONDS
        people_arrive = self._empty_searches < round_length
        period_s = self.parameters.full_search_period_s
        due = elapsed_s / period_s if period_s > 0 else 1
        if can_wait and due < LATEST:
            due = 0
        if nobody:
            due = max(due, elapsed_s * round_length, 1)
        return int(min(max(due, people_arrive), round_length))

    def _seen_closer(
        self,
        image: NDArray[np.uint8],
        known_px: Sequence[NDArray[np.float64]],
        new: list[Detection],
    ) -> list[Detection]:
        """Return the new faces; without a free track, those worth one, at a higher resolution.

        In a wide window, small faces are at times reported too large.
        """
        if len(self.tracker.tracks) < self._max_faces:
            return new
        worth = [face for face in new if self.tracker.admits(face.size_px, self._max_faces)]
        # The same faces may be reported too large in each round: every other one has its turn, too.
        others = [face for face in worth if not _overlaps(face.box_px, self._seen_close, 0.0)]
        if not others:
            boxes = _boxes(worth)
            self._seen_close = [box for box in self._seen_close if not _overlaps(box, boxes, 0.0)]
        worth = sorted(others or worth, key=lambda face: -face.size_px)
        worth = worth[: self.parameters.max_windows]
        self._seen_close = [*self._seen_close, *_boxes(worth)][-MOST_SEEN_CLOSE:]
        closer: list[Detection] = []
        for window, _ in windows_around(_boxes(worth), MARGIN, SMALLEST_PART):
            known = [*known_px, *_boxes(closer)]
            closer += self._newcomers(known, self.detector.detect(image, window))
        return closer

    def _search_windows(self, image: NDArray[np.uint8]) -> list[Window]:
        width, height = _size(image)
        whole = whole_picture(width, height)
        # A half with fewer pixels than the network input shows no more detail than the whole.
        resolves_more = whole.side >= 2 * self.detector.input_px
        if not (self.parameters.small_faces and resolves_more):
            return [whole]
        return [whole, *half_size_windows(width, height)]

    def _round(self, image: NDArray[np.uint8]) -> list[Window]:
        """Return the windows of a round of searches: the whole before each pair of halves."""
        whole, *halves = self._search_windows(image)
        if not (self.parameters.tracked_regions and halves):
            return [whole]
        pairs = [halves[i : i + 2] for i in range(0, len(halves), 2)]
        return [window for pair in pairs for window in (whole, *pair)]

    def _others(
        self, known_px: Sequence[NDArray[np.float64]], faces: Sequence[Detection]
    ) -> list[Detection]:
        """Return the faces that overlap none of the known boxes."""
        limit = self.detector.parameters.overlap_threshold
        return [face for face in faces if not _overlaps(face.box_px, known_px, limit)]

    def _newcomers(
        self, known_px: Sequence[NDArray[np.float64]], faces: Sequence[Detection]
    ) -> list[Detection]:
        """Return the faces that are neither a known face nor concentric with one."""
        others = self._others(known_px, faces)
        return [face for face in others if not _surrounds(face.box_px, known_px)]


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = image.shape[:2]
    return width, height


def _boxes(faces: Iterable[Detection | Track]) -> list[NDArray[np.float64]]:
    return [face.box_px for face in faces]


def _overlaps(
    box_px: NDArray[np.float64], others_px: Sequence[NDArray[np.float64]], limit: float
) -> bool:
    if not others_px:
        return False
    return bool((intersection_over_union(box_px, np.stack(others_px)) > limit).any())


def _surrounds(box_px: NDArray[np.float64], others_px: Sequence[NDArray[np.float64]]) -> bool:
    if not others_px:
        return False
    others = np.stack(others_px)
    apart = np.abs(centre_of(box_px) - (others[:, :2] + others[:, 2:] / 2)).max(axis=1)
    return bool(
        (apart < CONCENTRIC * np.maximum(box_px[2:].max(), others[:, 2:].max(axis=1))).any()
    )


def _all_found(tracks: Sequence[Track], found: Sequence[Detection]) -> bool:
    boxes = _boxes(found)
    return all(_overlaps(track.box_px, boxes, 0.0) for track in tracks)
