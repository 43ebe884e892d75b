"""What is known at a moment: joins, the face that is followed, and hints about what is missing."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from fer_viz.core.messages import ImageFaces
from fer_viz.core.scene import Face
from fer_viz.core.scene_builder import AnnotatedImage, GraphTopics, SceneBuilder

TOPICS = GraphTopics("/fer/image_raw", "/fer/features", "/fer/expressions")
STEP_NS = 33_333_333

FaceMaker = Callable[..., Face]


@pytest.fixture
def builder() -> SceneBuilder[str]:
    """All that is known at 0 s: nothing."""
    return SceneBuilder(TOPICS, 0.0)


def drawn_image(
    builder: SceneBuilder[str], stamp_ns: int, faces: tuple[Face, ...], now_s: float
) -> AnnotatedImage[str]:
    """Send an image and its results, and return what can be drawn."""
    assert builder.add_image(stamp_ns, f"image {stamp_ns}", now_s) is None
    builder.add_detections(ImageFaces(stamp_ns, faces, 0), now_s)
    drawn = builder.add_results(ImageFaces(stamp_ns, faces, 0), now_s, 0.02)
    assert drawn is not None
    return drawn


def test_an_image_is_drawn_with_its_own_answers(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    builder.add_image(1, "first", 0.1)
    builder.add_image(2, "second", 0.13)
    results = ImageFaces(1, (make_face(),), 0)
    assert builder.add_results(results, 0.14, 0.02) == AnnotatedImage(1, "first", results)


def test_landmarks_come_from_the_same_stamp(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    eyes = np.array([[1, 2], [3, 4]], np.float32)
    for stamp_ns, scale in ((1, 1), (2, 100)):
        seen = Face(id=1, box_px=(0, 0, 9, 9), landmarks_px=eyes * scale)
        builder.add_detections(ImageFaces(stamp_ns, (seen,), 0), 0.1)
    drawn = AnnotatedImage(1, "image", ImageFaces(1, (make_face(id=1),), 0))
    (face,) = builder.scene(drawn, 0.1).faces
    np.testing.assert_array_equal(face.landmarks_px, eyes)
    assert face.label == "smile"


def test_the_largest_face_is_followed_without_flicker(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    followed = []
    for k, (side_1, side_2) in enumerate(((100, 90), (100, 105), (100, 130), (125, 130))):
        faces = (make_face(1, box=(0, 0, side_1, side_1)), make_face(2, box=(0, 0, side_2, side_2)))
        focus = builder.scene(drawn_image(builder, k + 1, faces, 0.1), 0.1).focus
        assert focus is not None
        followed.append(focus.id)
    assert followed == [1, 1, 2, 2]


def test_a_wanted_face_is_followed_while_it_is_there(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    builder.configure(1.0, 0.5, wanted_face=2)
    large, small = make_face(1, box=(0, 0, 90, 90)), make_face(2, box=(0, 0, 9, 9))
    focus = builder.scene(drawn_image(builder, 1, (large, small), 0.1), 0.1).focus
    assert focus is not None and focus.id == 2
    focus = builder.scene(drawn_image(builder, 2, (large,), 0.2), 0.2).focus
    assert focus is not None and focus.id == 1
    assert builder.scene(drawn_image(builder, 3, (), 0.3), 0.3).focus is None


def test_images_are_drawn_plain_when_answers_stop(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    drawn_image(builder, 1, (make_face(),), 0.1)
    assert builder.add_image(2, "soon", 0.5) is None
    assert builder.add_image(3, "late", 0.7) == AnnotatedImage(3, "late", None)


def test_answers_that_come_need_no_help_from_features(
    builder: SceneBuilder[str], make_face: FaceMaker
) -> None:
    drawn_image(builder, 1, (make_face(),), 0.1)
    builder.add_image(2, "image", 0.13)
    assert builder.add_detections(ImageFaces(2, (), 0), 0.14) is None


def test_hints_name_what_is_missing(builder: SceneBuilder[str], make_face: FaceMaker) -> None:
    assert builder.hint(0.4) == ""
    assert builder.hint(3.0) == "no image on /fer/image_raw for 3 s: is the camera node up?"
    builder.add_image(1, "image", 3.0)
    assert builder.hint(3.0) == "no features on /fer/features for 3 s: is the features node up?"
    builder.add_detections(ImageFaces(1, (), 0), 3.0)
    assert builder.hint(3.0) == "no results on /fer/expressions for 3 s: is the snn node up?"
    builder.add_results(ImageFaces(99, (), 0), 3.0, 0.02)
    expected = "results on /fer/expressions are not of images on /fer/image_raw"
    assert builder.hint(3.0) == expected
    builder.add_results(ImageFaces(1, (), 0), 3.0, 0.02)
    assert builder.hint(3.0) == ""


def test_a_picture_without_answers_carries_the_hint_and_the_boxes(
    builder: SceneBuilder[str],
) -> None:
    seen = Face(id=1, box_px=(1, 2, 3, 4))
    builder.add_detections(ImageFaces(4, (), 0), 2.0)
    assert builder.add_image(5, "image", 2.0) is None
    drawn = builder.add_detections(ImageFaces(5, (seen,), 0), 2.0)
    assert drawn == AnnotatedImage(5, "image", None)
    scene = builder.scene(drawn, 2.0)
    assert scene.faces == (seen,)
    assert "no results on /fer/expressions" in scene.status.hint


def test_the_last_image_is_shown_again_when_no_more_come(builder: SceneBuilder[str]) -> None:
    assert builder.stalled(9.0) is None
    builder.add_image(1, "last", 10.0)
    assert builder.stalled(10.3) is None
    assert builder.stalled(11.0) == AnnotatedImage(1, "last", None)


def test_status_counts_and_measures(builder: SceneBuilder[str]) -> None:
    for k in range(60):
        now_s = k / 30
        builder.add_image(k * STEP_NS, "image", now_s)
        builder.add_detections(ImageFaces(k * STEP_NS, (), 1), now_s)
        drawn = builder.add_results(ImageFaces(k * STEP_NS, (), 2), now_s, 0.021)
    assert drawn is not None
    status = builder.scene(drawn, 2.0).status
    assert status.rate_hz == pytest.approx(30, rel=0.05)
    assert status.latency_ms == pytest.approx(21)
    assert (status.skipped, status.hint) == (180, "")


def test_latency_of_an_old_recording_is_not_shown(builder: SceneBuilder[str]) -> None:
    builder.add_image(1, "image", 0.1)
    drawn = builder.add_results(ImageFaces(1, (), 0), 0.1, 86_400.0)
    assert drawn is not None
    assert math.isnan(builder.scene(drawn, 0.1).status.latency_ms)


def test_restart_forgets_images(builder: SceneBuilder[str]) -> None:
    builder.add_image(1, "image", 0.1)
    builder.restart(5.0)
    assert builder.add_results(ImageFaces(1, (), 0), 5.0, 0.0) is None
    assert builder.hint(5.2) == ""
