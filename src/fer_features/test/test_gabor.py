"""Gabor features: the definition, and the fast way against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fer_common.core.errors import ConfigurationError
from fer_features.core.gabor import (
    GaborBank,
    GaborParameters,
    features_from_crops,
    kernel_pair,
    reference_features,
)

AGREEMENT = 1e-4
DEFAULT = GaborParameters()
BANK = GaborBank(DEFAULT)


def grating(wavelength_px: float, angle_rad: float, contrast: float = 100) -> NDArray[np.uint8]:
    y, x = np.mgrid[:48, :48]
    phase = 2 * np.pi * (x * np.cos(angle_rad) + y * np.sin(angle_rad)) / wavelength_px
    return np.round(128 + contrast * np.sin(phase)).astype(np.uint8)


def channels(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean feature of every (scale, orientation), away from the border."""
    return BANK.features(crop).reshape(3, 8, 12, 12)[:, :, 3:9, 3:9].mean(axis=(2, 3))


@pytest.mark.parametrize("wavelength", DEFAULT.wavelengths_px)
@pytest.mark.parametrize("orientation", range(8))
def test_kernels_are_balanced_unit_and_in_quadrature(wavelength: float, orientation: int) -> None:
    even, odd = kernel_pair(DEFAULT, wavelength, orientation)
    side = 2 * int(np.ceil(2.5 * wavelength / 2)) + 1
    assert even.shape == odd.shape == (side, side)
    for kernel in (even, odd):
        assert kernel.sum() == pytest.approx(0, abs=1e-12)
        assert np.linalg.norm(kernel) == pytest.approx(1)
    assert (even * odd).sum() == pytest.approx(0, abs=1e-12)
    assert even == pytest.approx(even[::-1, ::-1])
    assert odd == pytest.approx(-odd[::-1, ::-1])


@pytest.mark.parametrize(
    "parameters",
    [
        DEFAULT,
        GaborParameters(orientations=5, wavelengths_px=(3.0, 20.0), pool=6),
        GaborParameters(orientations=1, sigma_ratio=0.8, gamma=1.0),
        GaborParameters(orientations=2, crop=32, pool=8),
    ],
    ids=lambda parameters: parameters.spec,
)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_fast_equals_definition(parameters: GaborParameters, data: st.DataObject) -> None:
    side = parameters.crop
    crop = data.draw(hnp.arrays(np.uint8, (side, side), elements=st.integers(0, 255)))
    features = GaborBank(parameters).features(crop)
    assert features.shape == parameters.shape
    assert features.dtype == np.float32
    assert features == pytest.approx(reference_features(crop, parameters), abs=AGREEMENT)


@pytest.mark.parametrize(
    "parameters",
    [
        DEFAULT,
        GaborParameters(crop=96, wavelengths_px=(2.0, 40.0), gamma=0.2),
        GaborParameters(crop=192, wavelengths_px=(4.0,), surround_px=60.0),
    ],
    ids=lambda parameters: parameters.spec,
)
def test_the_order_of_summation_does_not_matter(
    parameters: GaborParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = parameters.crop
    # Black and white: the largest amplitudes.
    crop = (np.random.default_rng(4).integers(0, 2, (side, side)) * 255).astype(np.uint8)
    bank = GaborBank(parameters)
    features = bank.features(crop)
    matmul = np.matmul

    def backwards(
        a: NDArray[np.float64], b: NDArray[np.float64], out: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return matmul(a[..., ::-1].copy(), b[..., ::-1, :].copy(), out=out)

    monkeypatch.setattr(np, "matmul", backwards)
    assert np.array_equal(bank.features(crop), features)


@pytest.mark.parametrize("orientation", range(8))
def test_a_grating_drives_its_own_orientation_most(orientation: int) -> None:
    for scale, wavelength in enumerate(DEFAULT.wavelengths_px):
        response = channels(grating(wavelength, np.pi * orientation / 8))[scale]
        assert response.argmax() == orientation
        across = response[(orientation + 4) % 8]
        assert response[orientation] > 5 * across


@given(st.integers(0, 255))
def test_flat_grey_gives_nothing(level: int) -> None:
    features = BANK.features(np.full((48, 48), level, np.uint8))
    assert features.max() < AGREEMENT


def test_contrast_drops_out() -> None:
    strong, weak = channels(grating(6, 0.7, 100)), channels(grating(6, 0.7, 50))
    assert weak == pytest.approx(strong, abs=0.05)


def test_features_are_shares_of_the_energy() -> None:
    crop = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)
    squares = BANK.features(crop).reshape(3, 8, 12, 12) ** 2
    total = squares.sum(axis=1)
    assert (total <= 1 + AGREEMENT).all()
    assert total.mean() > 0.9


def test_mirrored_crop_gives_mirrored_orientations() -> None:
    crop = np.random.default_rng(2).integers(0, 256, (48, 48)).astype(np.uint8)
    features = BANK.features(crop).reshape(3, 8, 12, 12)
    mirrored = BANK.features(np.ascontiguousarray(crop[:, ::-1])).reshape(3, 8, 12, 12)
    assert mirrored[:, -np.arange(8) % 8, :, ::-1] == pytest.approx(features, abs=AGREEMENT)


def test_batch_equals_single_to_the_bit() -> None:
    crops = np.random.default_rng(3).integers(0, 256, (3, 48, 48)).astype(np.uint8)
    batch = features_from_crops(crops)
    assert batch.shape == (3, 24, 12, 12)
    for crop, features in zip(crops, batch, strict=True):
        assert np.array_equal(features, BANK.features(crop))


def test_spec_names_what_makes_the_features_different() -> None:
    assert DEFAULT.spec == "gabor-2;crop=48;o=8;wl=4,6,9;pool=4"
    others = [
        GaborParameters(orientations=4),
        GaborParameters(wavelengths_px=(4.0, 6.0, 9.5)),
        GaborParameters(sigma_ratio=0.6),
        GaborParameters(gamma=0.6),
        GaborParameters(pool=6),
        GaborParameters(crop=64),
    ]
    assert len({DEFAULT.spec, *(other.spec for other in others)}) == 1 + len(others)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ConfigurationError, match="pooling 5 does not divide the crop of 48 px"):
        GaborParameters(pool=5)
    with pytest.raises(ValueError, match="not 48 x 48"):
        BANK.features(np.zeros((48, 47), np.uint8))
