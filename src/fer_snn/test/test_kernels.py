"""The compiled kernels equal the plain ones, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn import kernels, layers, lif, reference, stdp, threshold
from fer_snn.layers import DriveParameters, FaceState
from fer_snn.wiring import Wiring, tiling

compiled = pytest.importorskip("fer_snn.compiled", reason="numba is not installed")

SHAPES = [
    [Wiring.everything((3, 4, 4), 3)],
    [Wiring.everything((1, 5, 5), 37)],
    [Wiring((4, 6, 6), tiling(6, 6, 3, 3), 17), Wiring.everything((68, 1, 1), 6)],
    [Wiring((2, 5, 5), tiling(5, 5, 3, 1), 5), Wiring.everything((45, 1, 1), 3)],
]


def run(kernel: kernels.Kernels, wirings: list[Wiring], seed: int, plastic: bool) -> list:
    """Three frames of a network drawn by lot; return everything that came of it."""
    rng = np.random.default_rng(seed)
    parameters = lif.LIFParameters()
    sizes = [wirings[0].n_pre, *(w.n_post for w in wirings)]
    state = FaceState(sizes, parameters)
    weights = [rng.random((len(w.pre_of_row), w.width), np.float32) * 0.4 for w in wirings]
    thetas = [rng.normal(0, 2e-3, w.n_post).astype(np.float32) for w in wirings]
    drives = [
        layers.discretise(
            DriveParameters(0.01, rng.uniform(5, 20), rng.uniform(0, 0.9), rng.uniform(0, 1)),
            1e-3,
            parameters.rheobase,
        )
        for _ in wirings
    ]
    outcome = []
    for _ in range(3):
        activity = [layers.blank_activity(n, 25, True, True) for n in sizes]
        current = rng.uniform(0, 4, sizes[0]).astype(np.float32) * np.float32(parameters.rheobase)
        kernel.run(
            25,
            current,
            state.layers,
            wirings,
            weights,
            thetas,
            drives,
            lif.discretise(parameters, 1e-3),
            threshold.discretise(threshold.ThresholdParameters(1e-4, 1.0), 1e-3),
            stdp.discretise(stdp.STDPParameters(), 1e-3),
            [plastic] * len(wirings),
            activity,
        )
        outcome += [array for layer in activity for array in layer]
        change = rng.normal(0, 1e-3, wirings[0].n_post).astype(np.float32)
        bounds = np.float32(0), np.float32(0.5)
        kernel.nudge(wirings[0], weights[0], activity[0].counts, change, *bounds)
        kernel.normalise(wirings[0], weights[0], 5.0)
    return [*outcome, *weights, *thetas, *(array for layer in state.layers for array in layer)]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**32 - 1), st.booleans())
def test_compiled_equals_plain(wirings: list[Wiring], seed: int, plastic: bool) -> None:
    plain = run(reference, wirings, seed, plastic)
    fused = run(compiled, wirings, seed, plastic)
    assert sum(int(array.sum()) for array in plain[:3]) != 0
    for expected, got in zip(plain, fused, strict=True):
        assert expected.dtype == got.dtype
        np.testing.assert_array_equal(expected, got)


def test_the_networks_of_the_test_do_fire() -> None:
    for wirings in SHAPES:
        outcome = run(reference, wirings, 1, plastic=True)
        assert all(outcome[3 * layer].sum() > 0 for layer in range(len(wirings) + 1))


def test_warm_up_compiles_all_that_a_frame_needs() -> None:
    kernels.warm_up()
    compiled_before = len(compiled._run.signatures)
    for wirings in SHAPES:
        run(compiled, wirings, 0, plastic=True)
    assert len(compiled._run.signatures) == compiled_before


def test_plain_kernels_are_there_without_numba() -> None:
    assert kernels.choose(compiled=False) is reference
