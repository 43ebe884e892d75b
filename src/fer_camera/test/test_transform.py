"""Cutting, scaling, mirroring and converting."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_camera.core.parameters import DEFAULTS, TABLE
from fer_camera.core.transform import target_size, transform
from fer_common.core.parameters import ParameterError

SIDES = st.integers(1, 200)


def ramp(rows: int, cols: int) -> np.ndarray:
    picture = np.zeros((rows, cols, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 250, cols)
    picture[..., 1] = np.linspace(0, 250, rows)[:, None]
    return picture


def test_nothing_to_do_costs_nothing() -> None:
    picture = ramp(10, 20)
    assert transform(picture, DEFAULTS) is picture


def test_flip_mirrors_left_to_right() -> None:
    picture = ramp(10, 20)
    np.testing.assert_array_equal(
        transform(picture, replace(DEFAULTS, flip=True)), picture[:, ::-1]
    )


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_turns_clockwise_before_all_else(degrees: int) -> None:
    picture = ramp(10, 20)
    turned = transform(picture, replace(DEFAULTS, rotation=degrees))
    np.testing.assert_array_equal(turned, np.rot90(picture, -degrees // 90))
    upright = replace(DEFAULTS, rotation=degrees, width=12, height=16, flip=True, encoding="mono8")
    assert transform(picture, upright).shape == (16, 12)
    back = transform(turned, replace(DEFAULTS, rotation=360 - degrees))
    np.testing.assert_array_equal(back, picture)


def test_a_device_is_asked_for_the_size_before_the_turn() -> None:
    asked = replace(DEFAULTS, width=480, height=640)
    assert asked.source_size == (480, 640)
    assert replace(asked, rotation=180).source_size == (480, 640)
    assert replace(asked, rotation=90).source_size == (640, 480)


def test_only_quarter_turns_are_accepted() -> None:
    with pytest.raises(ParameterError, match="rotation is 45 deg: choose 0, 90, 180 or 270"):
        TABLE.merged(TABLE.defaults(), {"rotation": 45})


def test_mono_is_luma() -> None:
    picture = ramp(10, 20)
    grey = transform(picture, replace(DEFAULTS, encoding="mono8"))
    assert grey.shape == (10, 20)
    b, g, r = np.moveaxis(picture.astype(float), 2, 0)
    np.testing.assert_allclose(grey, 0.114 * b + 0.587 * g + 0.299 * r, atol=1)


@pytest.mark.parametrize(
    ("wanted", "size"),
    [((0, 0), (640, 480)), ((320, 0), (320, 240)), ((0, 120), (160, 120)), ((5, 7), (5, 7))],
)
def test_a_missing_side_keeps_the_aspect_ratio(
    wanted: tuple[int, int], size: tuple[int, int]
) -> None:
    assert target_size(640, 480, *wanted) == size


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(0, 200), st.integers(0, 200), st.booleans(), st.booleans())
def test_every_size_comes_out_as_asked(
    rows: int, cols: int, width: int, height: int, flip: bool, mono: bool
) -> None:
    encoding = "mono8" if mono else "bgr8"
    settings = replace(DEFAULTS, width=width, height=height, flip=flip, encoding=encoding)
    result = transform(ramp(rows, cols), settings)
    assert result.shape[1::-1] == target_size(cols, rows, width, height)
    assert result.ndim == (2 if mono else 3)
    assert result.dtype == np.uint8


@pytest.mark.parametrize("size", [(300, 300), (640, 200), (100, 480), (900, 500)])
def test_a_circle_stays_round_and_in_the_middle(size: tuple[int, int]) -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(picture, (320, 240), 45, (255, 255, 255), -1)
    width, height = size
    result = transform(picture, replace(DEFAULTS, width=width, height=height))[..., 0] > 127
    rows, cols = np.nonzero(result)
    assert np.ptp(rows) == pytest.approx(np.ptp(cols), abs=2)
    assert (cols.mean(), rows.mean()) == pytest.approx((width / 2, height / 2), abs=1)
