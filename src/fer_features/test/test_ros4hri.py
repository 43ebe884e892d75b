"""Regions and pictures of faces as REP-155 wants them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_features.core.pipeline import RegionOfInterest
from fer_features.ros.ros4hri import fitted, normalised


@pytest.mark.parametrize(
    ("roi", "rows", "columns"),
    [
        (RegionOfInterest(10, 20, 40, 40), (0, 128), (0, 128)),
        (RegionOfInterest(0, 0, 40, 20), (32, 96), (0, 128)),
        (RegionOfInterest(60, 0, 4, 80), (0, 128), (61, 67)),
        (RegionOfInterest(0, 0, 300, 300), (0, 128), (0, 128)),
    ],
)
def test_a_face_is_scaled_centred_and_padded_with_zeros(
    roi: RegionOfInterest, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    picture = np.full((300, 300, 3), 200, np.uint8)
    result = fitted(picture, roi, (128, 128))
    expected = np.zeros((128, 128, 3), np.uint8)
    expected[slice(*rows), slice(*columns)] = 200
    np.testing.assert_array_equal(result, expected)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 99),
    st.integers(0, 79),
    st.integers(1, 100),
    st.integers(1, 80),
    st.integers(16, 200),
    st.integers(16, 200),
)
def test_any_box_has_a_picture_of_the_size_that_was_asked_for(
    x: int, y: int, w: int, h: int, width: int, height: int
) -> None:
    picture = np.full((80, 100, 3), 9, np.uint8)
    roi = RegionOfInterest(x, y, min(w, 100 - x), min(h, 80 - y))
    result = fitted(picture, roi, (width, height))
    assert result.shape == (height, width, 3)
    assert 9 in result


def test_regions_are_parts_of_the_picture() -> None:
    assert normalised(RegionOfInterest(0, 120, 640, 360), 640, 480) == (0, 0.25, 1, 1)
