"""From a frame to the features of every face in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_features.core.alignment import (
    CropGeometry,
    align_face,
    on_grid,
    whole_picture_crop,
    widened_eyes,
)
from fer_features.core.detector import DetectorParameters, FaceDetector, size_of
from fer_features.core.gabor import GaborBank, GaborParameters
from fer_features.core.search import FaceSearch, SearchParameters
from fer_features.core.tracker import EYES, FaceTracker, Track, TrackerParameters


@dataclass(frozen=True)
class FeatureParameters:
    """Settings of all stages between a frame and its features."""

    detector: DetectorParameters = field(default_factory=DetectorParameters)
    search: SearchParameters = field(default_factory=SearchParameters)
    tracker: TrackerParameters = field(default_factory=TrackerParameters)
    geometry: CropGeometry = field(default_factory=CropGeometry)
    gabor: GaborParameters = field(default_factory=GaborParameters)

    @cached_property
    def feature_spec(self) -> str:
        """Text that identifies the features; networks refuse features with another one."""
        parts = [self.gabor.spec]
        if self.geometry.eye_distance != CropGeometry.eye_distance:
            parts.append(f"eye_distance={self.geometry.eye_distance:g}")
        if self.geometry.eye_height != CropGeometry.eye_height:
            parts.append(f"eye_height={self.geometry.eye_height:g}")
        return ";".join(parts)


class RegionOfInterest(NamedTuple):
    """A box in whole pixels, clipped to the picture."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class FaceObservation:
    """One face of one frame.

    Attributes
    ----------
    id : of its track, at least 1; 0 in a still picture.
    roi : its bounding box.
    score : of its last detection, 0..1 (from the previous frame where detection is deferred, see
        `observe`); NaN for a track that was only predicted.
    landmarks_px : (6, 2), in the order of the detector; empty (0, 2) without detection.
    roll_rad : rotation that the alignment removed; clockwise in the picture is positive.
    crop : (side, side) uint8, grey; None if the face cannot be cropped.
    features : (channels, rows, columns) float32 >= 0, dimensionless; None without a crop, and
        from `find_still`.
    """

    id: int
    roi: RegionOfInterest
    score: float
    landmarks_px: NDArray[np.float64]
    roll_rad: float
    crop: NDArray[np.uint8] | None
    features: NDArray[np.float32] | None


class FeaturePipeline:
    """Detects, tracks and aligns faces, and computes their features.

    The same frames with the same stamps give the same observations. Not thread-safe.

    Raises
    ------
    ModelError : the detector model cannot be loaded.
    """

    def __init__(self, parameters: FeatureParameters | None = None):
        self._parameters = parameters or FeatureParameters()
        detector = FaceDetector(self._parameters.detector)
        tracker = FaceTracker(self._parameters.tracker)
        self._search = FaceSearch(self._parameters.search, detector, tracker)
        self._bank = GaborBank(self._parameters.gabor)
        self._deferred: tuple[NDArray[np.uint8], int] | None = None

    @property
    def parameters(self) -> FeatureParameters:
        """Present settings. New ones apply from the next frame on; tracks and ids are kept."""
        return self._parameters

    @parameters.setter
    def parameters(self, new: FeatureParameters) -> None:
        self.catch_up()
        if new.detector.model != self._parameters.detector.model:
            self._search.detector = FaceDetector(new.detector)
        if new.gabor != self._parameters.gabor:
            self._bank = GaborBank(new.gabor)
        self._search.detector.parameters = new.detector
        self._search.tracker.parameters = new.tracker
        self._search.parameters = new.search
        self._parameters = new

    def process(self, image: NDArray[np.uint8], stamp_ns: int) -> list[FaceObservation]:
        """Return the faces of the next frame of a sequence, by id.

        Parameters
        ----------
        image : (h, w, 3) BGR or (h, w) grey.
        stamp_ns : capture time, ns. A stamp before the last one starts a new sequence.
        """
        faces = self.observe(image, stamp_ns)
        self.catch_up()
        return faces

    def observe(self, image: NDArray[np.uint8], stamp_ns: int) -> list[FaceObservation]:
        """Return the same as `process`, but defer the detection to `catch_up` where possible.

        Steady faces are processed at their predicted positions, which the detection would hardly
        change; it is needed for the next frame. Keep the image unchanged until `catch_up`. If that
        is not called, the next frame does it first.
        """
        self.catch_up()
        tracks = self._search.foresee(stamp_ns)
        if tracks:
            self._deferred = (image, stamp_ns)
        else:
            tracks = self._search.follow(image, stamp_ns, awaited=True)
        return [self._with_features(self._aligned_track(image, track)) for track in tracks]

    def catch_up(self) -> None:
        """Run the deferred detection of the last frame, if there is one."""
        deferred, self._deferred = self._deferred, None
        if deferred is not None:
            self._search.follow(*deferred)

    def process_still(self, image: NDArray[np.uint8]) -> list[FaceObservation]:
        """Return the faces of a single picture, largest first. Tracks are not changed."""
        return [self._with_features(face) for face in self.find_still(image)]

    def find_still(self, image: NDArray[np.uint8]) -> list[FaceObservation]:
        """Return the faces of a single picture, largest first, without their features."""
        faces = self._search.detect_still(image)
        faces.sort(key=lambda face: -face.box_px[2:].prod())
        return [self._aligned(image, 0, f.box_px, f.landmarks_px, f.score) for f in faces]

    def process_crop(self, image: NDArray[np.uint8]) -> FaceObservation:
        """Return the observation of a picture that is already a tight face crop."""
        height, width = image.shape[:2]
        crop = whole_picture_crop(image, self._parameters.geometry)
        return FaceObservation(
            id=0,
            roi=RegionOfInterest(0, 0, width, height),
            score=math.nan,
            landmarks_px=np.empty((0, 2)),
            roll_rad=0.0,
            crop=crop,
            features=self._features(crop),
        )

    def _with_features(self, face: FaceObservation) -> FaceObservation:
        return replace(face, features=self._features(face.crop))

    def _aligned_track(self, image: NDArray[np.uint8], track: Track) -> FaceObservation:
        score = track.score if track.detected else math.nan
        return self._aligned(image, track.id, track.box_px, track.landmarks_px, score)

    def _aligned(
        self,
        image: NDArray[np.uint8],
        identity: int,
        box_px: NDArray[np.float64],
        landmarks_px: NDArray[np.float64],
        score: float,
    ) -> FaceObservation:
        eyes_px = widened_eyes(landmarks_px[EYES], size_of(box_px))
        aligned = align_face(image, on_grid(eyes_px), self._parameters.geometry)
        return FaceObservation(
            id=identity,
            roi=clip_box(box_px, image.shape[1], image.shape[0]),
            score=score,
            landmarks_px=landmarks_px,
            roll_rad=aligned.roll_rad if aligned else 0.0,
            crop=aligned.crop if aligned else None,
            features=None,
        )

    def _features(self, crop: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
        return None if crop is None else self._bank.features(crop)


def clip_box(box_px: NDArray[np.float64], width: int, height: int) -> RegionOfInterest:
    """Return a box (x, y, w, h) in whole pixels, clipped to a picture of the given size."""
    limit = np.array([width, height])
    low = np.clip(np.floor(box_px[:2]), 0, limit).astype(int)
    high = np.clip(np.ceil(box_px[:2] + box_px[2:]), low, limit).astype(int)
    x, y = low.tolist()
    w, h = (high - low).tolist()
    return RegionOfInterest(x, y, w, h)


def largest(faces: list[FaceObservation]) -> FaceObservation | None:
    """Return the largest face (of equal ones, that of lowest id); None if there is none."""
    return max(faces, key=lambda face: (face.roi.width * face.roi.height, -face.id), default=None)
