"""The whole core: frames in, observations out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fer_features.core.alignment import CropGeometry
from fer_features.core.detector import LEFT_EYE, RIGHT_EYE, DetectorParameters
from fer_features.core.gabor import GaborParameters, features_from_crops
from fer_features.core.pipeline import (
    FaceObservation,
    FeatureParameters,
    FeaturePipeline,
    RegionOfInterest,
    clip_box,
    largest,
)

Picture = NDArray[np.uint8]
FRAME_NS = 33_333_333


@pytest.fixture
def pipeline() -> FeaturePipeline:
    return FeaturePipeline()


def test_each_frame_of_the_clip_has_one_face_with_features(
    pipeline: FeaturePipeline, clip: list[Picture]
) -> None:
    for k, frame in enumerate(clip[:90:3]):
        (face,) = pipeline.process(frame, 3 * k * FRAME_NS)
        assert face.id == 1 and 0.5 <= face.score <= 1
        assert face.crop is not None and face.crop.shape == (48, 48)
        assert face.features is not None and face.features.shape == (24, 12, 12)
        assert face.features.dtype == np.float32
        assert (face.features >= 0).all() and (face.features <= 1).all()
        assert np.array_equal(face.features, features_from_crops(face.crop[None])[0])
        roi = face.roi
        eyes = face.landmarks_px[[RIGHT_EYE, LEFT_EYE]]
        assert (eyes > (roi.x, roi.y)).all()
        assert (eyes < (roi.x + roi.width, roi.y + roi.height)).all()


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_rolled_face_looks_like_the_upright_one(
    clip: list[Picture], turn: Callable[[Picture, float], Picture], degrees: float
) -> None:
    def settled(picture: Picture) -> FaceObservation:
        (face,) = FeaturePipeline().process_still(picture)
        return face

    upright, rolled = settled(clip[0]), settled(turn(clip[0], degrees))
    other = settled(clip[300])
    turned = np.rad2deg(rolled.roll_rad - upright.roll_rad)
    assert turned == pytest.approx(degrees, abs=6)
    assert upright.features is not None and rolled.features is not None
    assert other.features is not None
    distance = np.abs(rolled.features - upright.features).mean()
    assert distance < 0.6 * np.abs(other.features - upright.features).mean()


def test_an_empty_picture_has_no_observations(pipeline: FeaturePipeline) -> None:
    assert pipeline.process(np.zeros((480, 640, 3), np.uint8), 0) == []
    assert pipeline.process_still(np.zeros((480, 640, 3), np.uint8)) == []


@settings(max_examples=15, deadline=None)
@given(
    picture=hnp.arrays(
        np.uint8,
        st.one_of(
            st.tuples(st.integers(1, 40), st.integers(1, 40)),
            st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
        ),
    ),
    stamp_ns=st.integers(0, 2**62),
)
def test_any_picture_is_taken(picture: Picture, stamp_ns: int) -> None:
    SHARED.process(picture, stamp_ns)
    SHARED.process_still(picture)


SHARED = FeaturePipeline()


def test_padded_and_read_only_frames_are_taken(
    pipeline: FeaturePipeline, clip: list[Picture]
) -> None:
    padded = np.zeros((480, 660, 3), np.uint8)
    padded[:, :640] = clip[0]
    view = padded[:, :640]
    view.flags.writeable = False
    (face,) = pipeline.process(view, 0)
    (same,) = FeaturePipeline().process(clip[0], 0)
    assert np.array_equal(face.features, same.features)


def test_new_parameters_hold_from_the_next_frame_and_keep_the_tracks(
    pipeline: FeaturePipeline, clip: list[Picture]
) -> None:
    pipeline.process(clip[0], 0)
    new = replace(
        pipeline.parameters,
        gabor=GaborParameters(orientations=4, wavelengths_px=(5.0,), pool=6),
        detector=DetectorParameters(model="back"),
    )
    pipeline.parameters = new
    (face,) = pipeline.process(clip[1], FRAME_NS)
    assert face.id == 1
    assert face.features is not None and face.features.shape == (4, 8, 8)


def test_a_tight_crop_is_taken_whole(pipeline: FeaturePipeline) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    face = pipeline.process_crop(picture)
    assert face.roi == RegionOfInterest(0, 0, 48, 48)
    assert np.isnan(face.score)
    assert face.crop is not None and face.crop.shape == (48, 48)
    assert np.array_equal(face.features, features_from_crops(face.crop[None])[0])


def test_spec_tells_of_other_eye_places() -> None:
    assert FeatureParameters().feature_spec == GaborParameters().spec
    other = FeatureParameters(geometry=CropGeometry(eye_height=0.3, eye_distance=0.5))
    assert other.feature_spec == GaborParameters().spec + ";eye_distance=0.5;eye_height=0.3"


@given(
    hnp.arrays(np.float64, 4, elements=st.floats(-1e4, 1e4)).map(
        lambda box: np.concatenate([box[:2], np.abs(box[2:])])
    ),
    st.integers(1, 2000),
    st.integers(1, 2000),
)
def test_region_lies_in_the_picture(box: NDArray[np.float64], width: int, height: int) -> None:
    roi = clip_box(box, width, height)
    assert roi.x >= 0 and roi.y >= 0 and roi.width >= 0 and roi.height >= 0
    assert roi.x + roi.width <= width and roi.y + roi.height <= height


def test_largest_face_of_equals_is_the_first(scene, pipeline: FeaturePipeline) -> None:
    faces = pipeline.process_still(scene([(150, 240, 110), (450, 240, 170)]))
    chosen = largest(faces)
    assert chosen is faces[0]
    assert largest([]) is None
    assert largest([replace(chosen, id=2), replace(chosen, id=1)]).id == 1
