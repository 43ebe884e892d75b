"""Weights in one byte each: the same spikes, or no packing at all."""

from __future__ import annotations

import numpy as np
import pytest

from fer_snn.core.kernels.packed import packed
from fer_snn.core.model import Model, Stage
from fer_snn.core.network import FrameActivity, Network
from fer_snn.core.synapses.wiring import Wiring

WIRING = Wiring.fully_connected((1, 3, 3), 5)


def stage(weights: np.ndarray) -> Stage:
    return Stage(WIRING, weights.astype(np.float32), np.zeros(5, np.float32))


def rounded(model: Model) -> Model:
    """Return the model with weights of few bits, as networks are shipped."""
    copy = model.copy()
    for each in copy.stages:
        unit = each.weights.max() / 200
        each.weights[:] = np.rint(each.weights / unit) * 2.0 ** np.rint(np.log2(unit))
    return copy


@pytest.mark.parametrize("unit", [1.0, 2.0**-13, 2.0**20])
@pytest.mark.parametrize("largest", [1, 128, 255])
def test_what_fits_into_a_byte_is_packed(unit: float, largest: int) -> None:
    codes = np.random.default_rng(largest).integers(0, largest + 1, (9, 5))
    codes[0, 0] = largest
    found = packed(stage(codes * unit))
    assert found is not None and found.codes.dtype == np.uint8
    assert np.array_equal(found.codes[:, :5] * found.unit, codes * unit)
    assert not found.codes[:, 5:].any()


@pytest.mark.parametrize("other", [1 / 3, 1 / 256, -0.5, np.nan, np.inf])
def test_what_does_not_is_not(other: float) -> None:
    weights = np.ones((9, 5))
    weights[4, 2] = other
    assert packed(stage(weights)) is None


def test_silent_weights_are_packed() -> None:
    found = packed(stage(np.zeros((9, 5))))
    assert found is not None and not found.codes.any()


def shown(network: Network, features: np.ndarray) -> FrameActivity:
    return network.present(features, 40)


def test_packed_weights_give_the_same_spikes_until_they_change(model: Model) -> None:
    plain, quick = (Network(rounded(model), guarded=guarded) for guarded in (False, True))
    features = np.random.default_rng(3).random(model.feature_shape, np.float32)
    for _ in range(2):
        expected, got = shown(plain, features).counts, shown(quick, features).counts
        assert all(layer.any() for layer in expected)
        assert all(map(np.array_equal, expected, got))
        for network in (plain, quick):
            for k in range(len(model.stages)):
                change = np.full(model.sizes[k + 1], 0.07, np.float32)
                network.add_outer_product(k, expected[k], change)
