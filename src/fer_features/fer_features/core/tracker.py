"""Tracks faces from frame to frame; each face has an id of its own.

Tracks move at constant velocity between detections. The assignment of minimal cost matches
predicted and detected faces, so that crossing faces keep their ids. Time is that of the stamps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_features.core.assignment import assign
from fer_features.core.detector import LEFT_EYE, RIGHT_EYE, Detection, centre_of

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


@dataclass(frozen=True)
class TrackerParameters:
    """Settings of the tracker.

    Attributes
    ----------
    new_face_score : smallest score (0..1) of a detection that starts a track.
    timeout_s : a track without detection for longer than this ends.
    smoothing_s : time constant of the low-pass filter of the landmarks; 0: no filter.
    """

    new_face_score: float = 0.6
    timeout_s: float = 1.0
    smoothing_s: float = 0.03


@dataclass
class Track:
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
    innovation : last distance between predicted and detected eyes, in face sizes; infinite before
        the second detection.
    """

    id: int
    box_px: NDArray[np.float64]
    landmarks_px: NDArray[np.float64]
    velocity_px_s: NDArray[np.float64]
    score: float
    detected: bool
    detected_ns: int
    looked_for_ns: int
    innovation: float = math.inf

    def moved(self, elapsed_s: float) -> Track:
        """Return the track moved at its velocity."""
        shift = self.velocity_px_s * elapsed_s
        box_px = self.box_px + np.append(shift, (0.0, 0.0))
        return replace(self, box_px=box_px, landmarks_px=self.landmarks_px + shift)

    def is_steady(self, stamp_ns: int) -> bool:
        """Return whether the position at a stamp is predictable."""
        was_found = self.detected_ns >= self.looked_for_ns
        is_soon = stamp_ns - self.detected_ns <= FORESEEABLE_S * NANOSECONDS
        return was_found and is_soon and self.innovation <= STEADY

    @property
    def centre_px(self) -> NDArray[np.float64]:
        """Centre of the box, (2,)."""
        return centre_of(self.box_px)

    @property
    def size_px(self) -> float:
        """Mean of the box's width and height."""
        return float(self.box_px[2:].mean())


class FaceTracker:
    """Gives every face an id that it keeps as long as it is tracked."""

    def __init__(self, parameters: TrackerParameters):
        self.parameters = parameters
        self.tracks: list[Track] = []
        self._next_id = 1
        self._stamp_ns: int | None = None

    def predict(self, stamp_ns: int) -> list[Track]:
        """Predict all tracks at a stamp and return them, by id.

        A stamp before the last one ends all tracks; ids are not reused.
        """
        last_ns, self._stamp_ns = self._stamp_ns, stamp_ns
        if last_ns is None or stamp_ns < last_ns:
            self.tracks = []
            return self.tracks
        timeout_ns = self.parameters.timeout_s * NANOSECONDS
        self.tracks = [t for t in self.tracks if stamp_ns - t.detected_ns <= timeout_ns]
        elapsed_s = (stamp_ns - last_ns) / NANOSECONDS
        self.tracks = [replace(track.moved(elapsed_s), detected=False) for track in self.tracks]
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

    def update(self, detections: Sequence[Detection], max_tracks: int = 8) -> list[Track]:
        """Update the tracks with the detections of the frame that `predict` was called for.

        Returns
        -------
        All tracks, by id; at most `max_tracks`, those detected most recently.
        """
        if self._stamp_ns is None:
            raise RuntimeError("predict must be called before update")
        expected, detected = _boxes(self.tracks), _boxes(detections)
        pairs = assign(match_costs(expected, detected), MATCH_LIMIT)
        crowded = crowded_boxes(expected)
        for row, column in pairs:
            self._correct(self.tracks[row], detections[column], crowded[row])
        taken = {column for _, column in pairs}
        for column, detection in enumerate(detections):
            if column not in taken and detection.score >= self.parameters.new_face_score:
                self._begin(detection)
        newest_first = sorted(self.tracks, key=lambda t: (-t.detected_ns, t.id))
        self.tracks = sorted(newest_first[:max_tracks], key=lambda t: t.id)
        return self.tracks

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


def low_pass_gain(elapsed_s: float, time_constant_s: float) -> float:
    """Return the gain (0..1) of a first-order low-pass filter for a new value."""
    return 1.0 if time_constant_s <= 0 else float(1 - np.exp(-elapsed_s / time_constant_s))


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
    distances, sizes = _distances(boxes_px, boxes_px)
    near = distances < CROWDED * sizes
    np.fill_diagonal(near, False)
    return np.asarray(near.any(axis=1))


def _boxes(faces: Sequence[Track] | Sequence[Detection]) -> NDArray[np.float64]:
    return np.array([face.box_px for face in faces]).reshape(len(faces), 4)


def _sizes(boxes_px: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(boxes_px[:, 2:].mean(axis=1))


def _distances(
    first_px: NDArray[np.float64], second_px: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances of centres and the mean sizes of all pairs of boxes, (n, m) each."""
    first, second = (boxes[:, :2] + boxes[:, 2:] / 2 for boxes in (first_px, second_px))
    apart = first[:, None] - second[None, :]
    sizes = (_sizes(first_px)[:, None] + _sizes(second_px)[None, :]) / 2
    return np.hypot(apart[..., 0], apart[..., 1]), sizes
