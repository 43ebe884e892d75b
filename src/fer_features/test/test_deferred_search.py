"""Faces that hold still are described first and looked for afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_features.core.detector import Detection, FaceDetector
from fer_features.core.pipeline import FaceObservation, FeatureParameters, FeaturePipeline
from fer_features.core.search import SearchParameters
from fer_features.core.tracker import FORESEEABLE_S, STEADY, FaceTracker, TrackerParameters
from fer_features.core.windows import Window

Picture = NDArray[np.uint8]
Scene = Callable[[Sequence[tuple[float, float, float]]], Picture]

FRAME_NS = 33_333_333
LOOK_AFTER = FeatureParameters(search=SearchParameters(hold_s=0))
LOOK_FIRST = FeatureParameters(search=SearchParameters(hold_s=0, look_after=False))
SIZE_PX = 100.0


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """Note every window that a detector is asked to look at."""
    seen: list[Window] = []
    detect = FaceDetector.detect

    def noting(self: FaceDetector, image: Picture, window: Window) -> list[Detection]:
        seen.append(window)
        return detect(self, image, window)

    monkeypatch.setattr(FaceDetector, "detect", noting)
    return seen


def face(x: float) -> Detection:
    box = np.array([x - SIZE_PX / 2, 150, SIZE_PX, SIZE_PX])
    landmarks = np.array([[-20, 190], [20, 190], [0, 210], [0, 225], [-40, 200], [40, 200]])
    return Detection(box, 0.9, landmarks + np.array([x, 0.0]))


def follow(tracker: FaceTracker, xs: Sequence[float | None]) -> None:
    for k, x in enumerate(xs):
        for track in tracker.predict(k * FRAME_NS):
            track.looked_for_ns = k * FRAME_NS
        tracker.update([] if x is None else [face(x)])


def facts(faces: Sequence[FaceObservation]) -> list[object]:
    return [
        (face.id, face.roi, face.score, face.landmarks_px.tobytes(), face.features.tobytes())
        for face in faces
        if face.features is not None
    ]


def settled(pipeline: FeaturePipeline, picture: Picture, frames: int = 30) -> int:
    """Show a still picture until everybody in it is known; return the next frame's stamp."""
    for k in range(frames):
        pipeline.process(picture, k * FRAME_NS)
    return frames * FRAME_NS


def test_a_face_at_constant_speed_is_foreseen_where_it_is_predicted() -> None:
    tracker = FaceTracker(TrackerParameters(smoothing_s=0))
    follow(tracker, [200 + 2 * k for k in range(40)])
    now_ns = 40 * FRAME_NS
    (foreseen,) = tracker.foresee(now_ns)
    assert foreseen.centre_px[0] == pytest.approx(200 + 2 * 40, abs=0.1)
    assert (foreseen.detected, foreseen.score) == (True, 0.9)
    (predicted,) = tracker.predict(now_ns)
    assert np.array_equal(foreseen.landmarks_px, predicted.landmarks_px)
    assert np.array_equal(foreseen.box_px, predicted.box_px)
    assert not predicted.detected


@pytest.mark.parametrize(
    ("xs", "is_foreseen"),
    [
        ([200, 200], True),
        ([200], False),
        ([200, 200, 200 + 0.9 * STEADY * SIZE_PX], True),
        ([200, 200, 200 + 1.1 * STEADY * SIZE_PX], False),
        ([200, 200, None], False),
        ([None], False),
    ],
    ids=["still", "seen once", "shaking a little", "moving", "not found", "nobody"],
)
def test_only_a_face_that_was_where_it_was_expected_is_foreseen(
    xs: list[float | None], is_foreseen: bool
) -> None:
    tracker = FaceTracker(TrackerParameters())
    follow(tracker, xs)
    assert bool(tracker.foresee(len(xs) * FRAME_NS)) == is_foreseen


def test_nothing_is_foreseen_long_after_the_last_frame_or_before_it() -> None:
    tracker = FaceTracker(TrackerParameters())
    assert tracker.foresee(0) == []
    follow(tracker, [200, 200])
    last_ns, limit_ns = FRAME_NS, round(FORESEEABLE_S * 1e9)
    assert tracker.foresee(last_ns + limit_ns) != []
    assert tracker.foresee(last_ns + limit_ns + 1) == []
    assert tracker.foresee(last_ns - 1) == []


def test_all_wait_for_the_one_that_moves() -> None:
    tracker = FaceTracker(TrackerParameters())
    for k in range(10):
        tracker.predict(k * FRAME_NS)
        tracker.update([face(200), face(500 if k < 9 else 510)])
    assert tracker.foresee(10 * FRAME_NS) == []


def test_the_detector_looks_after_a_still_face_is_described(
    scene: Scene, looks: list[Window]
) -> None:
    picture, pipeline = scene([(300, 240, 120)]), FeaturePipeline(LOOK_AFTER)
    now_ns = settled(pipeline, picture)
    looks.clear()
    (described,) = pipeline.observe(picture, now_ns)
    assert looks == []
    pipeline.catch_up()
    assert len(looks) == 1
    pipeline.catch_up()
    assert len(looks) == 1
    first = FeaturePipeline(LOOK_FIRST)
    settled(first, picture)
    (looked_at,) = first.process(picture, now_ns)
    apart = np.abs(described.landmarks_px - looked_at.landmarks_px)
    assert apart.max() < 0.01 * described.roi.width


def test_with_look_after_off_it_looks_first(scene: Scene, looks: list[Window]) -> None:
    picture, pipeline = scene([(300, 240, 120)]), FeaturePipeline(LOOK_FIRST)
    now_ns = settled(pipeline, picture)
    looks.clear()
    pipeline.observe(picture, now_ns)
    assert len(looks) == 1
    pipeline.catch_up()
    assert len(looks) == 1


def test_when_it_catches_up_changes_nothing(scene: Scene) -> None:
    frames = [scene([(200 + 5 * min(max(k - 15, 0), 10), 240, 120)]) for k in range(40)]
    at_once, late = FeaturePipeline(), FeaturePipeline()
    for k, frame in enumerate(frames):
        now = at_once.process(frame, k * FRAME_NS)
        assert facts(late.observe(frame, k * FRAME_NS)) == facts(now)


def test_new_settings_do_not_touch_a_look_that_waits(scene: Scene, looks: list[Window]) -> None:
    picture, pipeline = scene([(300, 240, 120)]), FeaturePipeline(LOOK_AFTER)
    now_ns = settled(pipeline, picture)
    looks.clear()
    pipeline.observe(picture, now_ns)
    blind = replace(pipeline.parameters.detector, score_threshold=1.0)
    pipeline.parameters = replace(pipeline.parameters, detector=blind)
    assert len(looks) == 1
    assert len(pipeline.observe(picture, now_ns + FRAME_NS)) == 1
    pipeline.catch_up()
    assert pipeline.observe(picture, now_ns + 2 * FRAME_NS) == []


def test_a_face_that_leaves_is_described_for_one_frame_more(scene: Scene) -> None:
    pipeline = FeaturePipeline()
    now_ns = settled(pipeline, scene([(300, 240, 120)]))
    empty = scene([])
    assert len(pipeline.process(empty, now_ns)) == 1
    assert pipeline.process(empty, now_ns + FRAME_NS) == []


def test_a_moving_face_is_aligned_as_well_as_if_it_was_looked_at_first(scene: Scene) -> None:
    """A head that shakes once a second, by half its size."""
    xs = [320 + 30 * np.sin(2 * np.pi * k / 30) for k in range(90)]
    frames = [scene([(x, 240, 120)]) for x in xs]
    errors = {}
    for name, parameters in (("after", FeatureParameters()), ("first", LOOK_FIRST)):
        pipeline, middles = FeaturePipeline(parameters), []
        for k, frame in enumerate(frames):
            (seen,) = pipeline.process(frame, k * FRAME_NS)
            middles.append(seen.landmarks_px[:2, 0].mean())
        off = np.array(middles[10:]) - xs[10:]
        errors[name] = np.std(off)
    assert errors["after"] < 1.15 * errors["first"] + 0.1
