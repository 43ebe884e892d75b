"""Tracks faces from frame to frame; each face has an id of its own.

Tracks move at constant velocity between detections. The assignment of minimal cost matches
predicted and detected faces, so that crossing faces keep their ids. Time is that of the stamps.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_features.core.assignment import assign
from fer_features.core.detector import LEFT_EYE, RIGHT_EYE, Boxed, Detection, shifted
from fer_features.core.holding import Reference

EYES = [RIGHT_EYE, LEFT_EYE]

MATCH_LIMIT = 1.0
"""Cost above which a detection is another face: about one face width away, or 2.7 times larger."""

VELOCITY_TIME_S = 0.1
"""Time constant of the low-pass filter of the velocity: a few frames, against landmark noise."""

CROWDED = 1.3
"""Faces closer than this, in face sizes, hide each other: their detections are too inaccurate to
update the velocity."""

STEADY = 0.008
"""Largest innovation of a steady face, in face sizes: about the landmark noise of a still face."""

FORESEEABLE_S = 0.1
"""How long the position of a steady face is predictable."""

LOOKS = 3
"""A track ends only after the detector has looked for it in vain this often: a camera may be slow,
and in a crowd each face waits for its turn."""

PAUSE = 10.0
"""A gap between two frames longer than this, in timeouts, is a pause, which ends all tracks."""

GIVES_WAY_S = 1.0
"""A face that has been lost for longer gives its place to any new face."""

LARGER = 1.1
"""Without a free place, a new face takes that of the smallest if it is larger by this factor: more
than sizes fluctuate, so that faces of about the same size do not take turns."""


@dataclass(frozen=True)
class TrackerParameters:
    """Settings of the tracker.

    Attributes
    ----------
    new_face_score : smallest score (0..1) of a detection that starts a track.
    timeout_s : a track that was not found for longer than this, in at least `LOOKS` looks, ends.
    smoothing_s : time constant of the low-pass filter of the landmarks; 0: no filter.
    """

    new_face_score: float = 0.6
    timeout_s: float = 1.0
    smoothing_s: float = 0.03


@dataclass
class Track(Boxed):
    """A tracked face, at the stamp of the last frame.

    Attributes
    ----------
    id : at least 1, never reused.
    box_px : (4,) x, y, width, height.
    landmarks_px : (6, 2).
    velocity_px_s : (2,) of the box's centre.
    score : of the last detection, 0..1.
    detected : whether the face was detected in this frame; otherwise it is predicted.
    detected_ns : stamp of the last detection.
    looked_for_ns : stamp of the last frame in which the detector looked for it.
    missed : number of looks in vain since the last detection.
    innovation : last distance between predicted and detected eyes, in face sizes; infinite before
        the second detection.
    reference : the face as it was at the last look at which it was steady.
    """

    id: int
    box_px: NDArray[np.float64]
    landmarks_px: NDArray[np.float64]
    velocity_px_s: NDArray[np.float64]
    score: float
    detected: bool
    detected_ns: int
    looked_for_ns: int
    missed: int = 0
    innovation: float = math.inf
    reference: Reference | None = None

    def moved(self, elapsed_s: float) -> Track:
        """Return the track moved at its velocity."""
        shift_px = self.velocity_px_s * elapsed_s
        landmarks_px = self.landmarks_px + shift_px
        return replace(self, box_px=shifted(self.box_px, shift_px), landmarks_px=landmarks_px)

    def is_steady(self, stamp_ns: int) -> bool:
        """Return whether the position at a stamp is predictable."""
        was_found = self.detected_ns >= self.looked_for_ns
        is_soon = stamp_ns - self.detected_ns <= FORESEEABLE_S * NANOSECONDS
        return was_found and is_soon and self.innovation <= STEADY

    def is_lost(self, stamp_ns: int, timeout_s: float) -> bool:
        """Return whether the face was not found for longer than this, and looked for."""
        return self.missed >= LOOKS and stamp_ns - self.detected_ns > timeout_s * NANOSECONDS


class FaceTracker:
    """Gives every face an id that it keeps as long as it is tracked."""

    def __init__(self, parameters: TrackerParameters):
        self.parameters = parameters
        self.tracks: list[Track] = []
        self._next_id = 1
        self._stamp_ns: int | None = None

    def predict(self, stamp_ns: int) -> list[Track]:
        """Predict all tracks at a stamp and return them, by id.

        A stamp before the last one, or after a pause, ends all tracks; ids are not reused.
        """
        last_ns, self._stamp_ns = self._stamp_ns, stamp_ns
        timeout_s = self.parameters.timeout_s
        pause_ns = PAUSE * timeout_s * NANOSECONDS
        if last_ns is None or not 0 <= stamp_ns - last_ns <= pause_ns:
            self.tracks = []
            return self.tracks
        self.tracks = [track for track in self.tracks if not track.is_lost(stamp_ns, timeout_s)]
        elapsed_s = (stamp_ns - last_ns) / NANOSECONDS
        self.tracks = [track.moved(elapsed_s) for track in self.tracks]
        for track in self.tracks:
            track.detected = False
        return self.tracks

    def foresee(self, stamp_ns: int) -> list[Track]:
        """Return all tracks predicted at a later stamp, by id, if all of them are steady, else [].

        This changes nothing: call `predict` and `update` for that stamp as usual.
        """
        if self._stamp_ns is None or stamp_ns < self._stamp_ns:
            return []
        if not all(track.is_steady(stamp_ns) for track in self.tracks):
            return []
        elapsed_s = (stamp_ns - self._stamp_ns) / NANOSECONDS
        return [track.moved(elapsed_s) for track in self.tracks]

    def admits(self, size_px: float, max_tracks: int) -> bool:
        """Return whether a new face of this size would be tracked."""
        return len(self.tracks) < max_tracks or self._gives_way(self._last(), size_px)

    def update(
        self,
        detections: Sequence[Detection],
        max_tracks: int = 8,
        waiting: Collection[int] = frozenset(),
    ) -> list[Track]:
        """Update the tracks with the detections of the frame that `predict` was called for.

        Parameters
        ----------
        detections:
            The faces found in this frame.
        max_tracks:
            Largest number of tracks. New faces take the place of the smallest only if they are
            clearly larger.
        waiting:
            Ids of tracks that the detector did not look for in this frame.

        Returns
        -------
        All tracks, by id.
        """
        if self._stamp_ns is None:
            raise RuntimeError("predict must be called before update")
        expected, detected = _boxes(self.tracks), _boxes(detections)
        pairs = assign(match_costs(expected, detected), MATCH_LIMIT)
        crowded = crowded_boxes(expected)
        for row, column in pairs:
            self._correct(self.tracks[row], detections[column], crowded[row])
        matched_rows = {row for row, _ in pairs}
        for row, track in enumerate(self.tracks):
            track.missed += row not in matched_rows and track.id not in waiting
        while len(self.tracks) > max_tracks:
            self.tracks.remove(self._last())
        taken = {column for _, column in pairs}
        others = [face for column, face in enumerate(detections) if column not in taken]
        new = [face for face in others if face.score >= self.parameters.new_face_score]
        if len(self.tracks) + len(new) > max_tracks:
            new.sort(key=lambda face: -face.size_px)
        for face in new:
            if not self.admits(face.size_px, max_tracks):
                break
            if len(self.tracks) == max_tracks:
                self.tracks.remove(self._last())
            self._begin(face)
        return self.tracks

    def _last(self) -> Track:
        """Return the track that is the first to go: the longest lost, else the smallest."""
        assert self._stamp_ns is not None
        lost = [track for track in self.tracks if track.is_lost(self._stamp_ns, GIVES_WAY_S)]
        if lost:
            return min(lost, key=lambda track: (track.detected_ns, -track.id))
        return min(self.tracks, key=lambda track: (track.size_px, -track.id))

    def _gives_way(self, track: Track, size_px: float) -> bool:
        assert self._stamp_ns is not None
        return track.is_lost(self._stamp_ns, GIVES_WAY_S) or size_px > LARGER * track.size_px

    def _begin(self, detection: Detection) -> None:
        assert self._stamp_ns is not None
        self.tracks.append(
            Track(
                id=self._next_id,
                box_px=detection.box_px,
                landmarks_px=detection.landmarks_px,
                velocity_px_s=np.zeros(2),
                score=detection.score,
                detected=True,
                detected_ns=self._stamp_ns,
                looked_for_ns=self._stamp_ns,
            )
        )
        self._next_id += 1

    def _correct(self, track: Track, detection: Detection, crowded: bool | np.bool_) -> None:
        assert self._stamp_ns is not None
        elapsed_s = (self._stamp_ns - track.detected_ns) / NANOSECONDS
        if elapsed_s > 0:
            if not crowded:
                error_px = detection.centre_px - track.centre_px
                gain = low_pass_gain(elapsed_s, VELOCITY_TIME_S)
                track.velocity_px_s = track.velocity_px_s + gain * error_px / elapsed_s
            off_px = detection.landmarks_px[EYES] - track.landmarks_px[EYES]
            track.innovation = float(np.abs(off_px).max()) / track.size_px
            gain = low_pass_gain(elapsed_s, self.parameters.smoothing_s)
            track.landmarks_px = track.landmarks_px + gain * (
                detection.landmarks_px - track.landmarks_px
            )
            track.box_px = track.box_px + gain * (detection.box_px - track.box_px)
        track.score = detection.score
        track.detected = True
        track.detected_ns = self._stamp_ns
        track.missed = 0


def low_pass_gain(elapsed_s: float, time_constant_s: float) -> float:
    """Return the gain (0..1) of a first-order low-pass filter for a new value.

    It is rounded, because exponentials differ in their last bit between processors.
    """
    return 1.0 if time_constant_s <= 0 else round(1 - math.exp(-elapsed_s / time_constant_s), 9)


def match_costs(
    expected_px: NDArray[np.float64], detected_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the matching costs of n expected and m detected boxes (n, 4) and (m, 4), as (n, m).

    Cost = distance of the centres in mean sizes + |logarithm of the ratio of sizes|, dimensionless.
    """
    distances, sizes = _distances(expected_px, detected_px)
    ratio = np.log(_sizes(detected_px)[None, :] / _sizes(expected_px)[:, None])
    return np.asarray(distances / sizes + np.abs(ratio))


def crowded_boxes(boxes_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the boxes (n, 4) are so close to another that one may hide the other."""
    if len(boxes_px) <= 1:
        return np.zeros(len(boxes_px), bool)
    distances, sizes = _distances(boxes_px, boxes_px)
    near = distances < CROWDED * sizes
    np.fill_diagonal(near, False)
    return np.asarray(near.any(axis=1))


def _boxes(faces: Sequence[Track] | Sequence[Detection]) -> NDArray[np.float64]:
    return np.array([face.box_px for face in faces]).reshape(len(faces), 4)


def _sizes(boxes_px: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes_px[:, 2] + boxes_px[:, 3]) / 2)


def _distances(
    first_px: NDArray[np.float64], second_px: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances of centres and the mean sizes of all pairs of boxes, (n, m) each."""
    first, second = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (first_px, second_px))
    apart = first[:, None] - second[None, :]
    sizes = (_sizes(first_px)[:, None] + _sizes(second_px)[None, :]) / 2
    return np.hypot(apart[..., 0], apart[..., 1]), sizes
