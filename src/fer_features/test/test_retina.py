"""Light adaptation: closed forms, and what it takes out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_features.core.retina import ADAPTED_BITS, BRIGHTEST, DARK_LIGHT, adapted

SURROUND_PX = 8.0
UNIT = 2.0**-ADAPTED_BITS


@given(st.integers(0, 255))
def test_an_even_field_gives_its_closed_form(level: int) -> None:
    seen = adapted(np.full((48, 48), level, np.uint8), SURROUND_PX)
    assert seen == pytest.approx(level / (level + DARK_LIGHT) / BRIGHTEST, abs=1e-5)


def test_without_a_surround_nothing_but_the_scale_changes() -> None:
    crop = np.arange(48 * 48).reshape(48, 48).astype(np.uint8)
    assert adapted(crop, 0) == pytest.approx(crop / 255, abs=UNIT)


@given(st.integers(0, 2**32 - 1))
def test_values_stay_between_0_and_1(seed: int) -> None:
    crop = np.random.default_rng(seed).integers(0, 256, (48, 48)).astype(np.uint8)
    seen = adapted(crop, SURROUND_PX)
    assert np.array_equal(seen % UNIT, np.zeros_like(seen))
    assert 0 <= seen.min() <= seen.max() <= 1


def test_half_the_light_is_nearly_the_same_picture() -> None:
    bright = np.random.default_rng(0).integers(120, 250, (48, 48)).astype(np.uint8)
    dim = (bright // 2).astype(np.uint8)
    assert adapted(dim, SURROUND_PX) == pytest.approx(adapted(bright, SURROUND_PX), abs=0.03)


def test_light_from_one_side_drops_out() -> None:
    slope = np.linspace(0.4, 1.0, 48)
    even = np.full((48, 48), 200.0)
    seen = adapted(np.round(even * slope).astype(np.uint8), SURROUND_PX)
    inner = seen[:, 12:36]
    assert inner.std() / inner.mean() < 0.2 * slope[12:36].std() / slope[12:36].mean()
