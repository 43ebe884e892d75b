"""The compiled kernels equal the plain ones, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.kernels import code_cache, reference
from fer_snn.core.kernels import interface as kernels
from fer_snn.core.kernels.interface import Pathway
from fer_snn.core.kernels.packed import packed
from fer_snn.core.model import Stage
from fer_snn.core.neurons import layers, lif, threshold
from fer_snn.core.neurons.layers import DriveParameters, FaceState
from fer_snn.core.synapses import stdp
from fer_snn.core.synapses.wiring import MapWindow, Wiring, tiling

compiled = pytest.importorskip("fer_snn.core.kernels.compiled", reason="numba is not installed")
# From the cache, if they are there.
kernels.choose()

SHAPES = [
    [Wiring.fully_connected((3, 4, 4), 3)],
    [Wiring.fully_connected((1, 5, 5), 37)],
    [Wiring((2, 5, 5), (MapWindow(1, 4, 0, 5),), 6)],
    [Wiring((4, 6, 6), tiling(6, 6, 3, 3), 17), Wiring.fully_connected((68, 1, 1), 6)],
    [Wiring((2, 5, 5), tiling(5, 5, 3, 1), 5), Wiring.fully_connected((125, 1, 1), 3)],
    [
        Wiring((2, 5, 5), tiling(5, 5, 3, 1), 5),
        Wiring((5, 5, 5), tiling(5, 5, 4, 2), 4, by_column=True),
        Wiring.fully_connected((161, 1, 1), 3),
    ],
]


def run(
    kernel: kernels.Kernels,
    wirings: list[Wiring],
    seed: int,
    plastic: bool,
    n_steps: int = 25,
    n_faces: int = 2,
    packs: bool = False,
) -> list:
    """Three frames of a network drawn by lot; return everything that came of it.

    Weights that are packed do not learn.
    """
    rng = np.random.default_rng(seed)
    parameters = lif.LIFParameters()
    sizes = [wirings[0].n_pre, *(w.n_post for w in wirings)]
    faces = [FaceState(sizes, parameters).layers for _ in range(n_faces)]
    weights = [rng.random((len(w.pre_of_row), w.width), np.float32) * 0.4 for w in wirings]
    if packs:
        weights = [np.rint(each * 512) / np.float32(512) for each in weights]
    thetas = [rng.normal(0, 2e-3, w.n_post).astype(np.float32) for w in wirings]
    drives = [
        layers.discretise(
            DriveParameters(0.01, rng.uniform(5, 20), rng.uniform(0, 0.9), rng.uniform(0, 1)),
            1e-3,
            parameters.rheobase,
        )
        for _ in wirings
    ]
    stages = [Stage(*each) for each in zip(wirings, weights, thetas, strict=True)]
    paths = [
        Pathway(
            (k,) if stage.wiring.n_pre == sizes[k] else tuple(range(1, k + 1)),
            stage,
            drive,
            plastic,
            packed(stage) if packs else None,
        )
        for k, (stage, drive) in enumerate(zip(stages, drives, strict=True))
    ]
    outcome = []
    for _ in range(3):
        activity = [layers.blank_activity(n, n_steps, n_faces, True, True) for n in sizes]
        current = rng.uniform(0, 4, (n_faces, sizes[0])).astype(np.float32)
        current *= np.float32(parameters.rheobase)
        kernel.run(
            n_steps,
            current,
            faces,
            paths,
            kernels.discretise(
                parameters,
                threshold.ThresholdParameters(1e-4, 1.0),
                stdp.STDPParameters(a_pre=0.005, a_post=-0.002),
                1e-3,
            ),
            activity,
        )
        outcome += [array for layer in activity for array in layer]
        if packs:
            continue
        change = rng.normal(0, 1e-3, wirings[0].n_post).astype(np.float32)
        bounds = np.float32(0), np.float32(0.5)
        kernel.add_outer_product(stages[0], activity[0].counts[0], change, *bounds)
        # The second norm is out of reach of the bounds for most neurons.
        kernel.normalise(stages[0], rng.choice([5.0, 500.0]), *bounds)
        known = rng.uniform(*bounds, stages[0].weights.shape).astype(np.float32)
        kernel.consolidate(stages[0], known, rng.choice([1e-3, 0.5]))
        assert bounds[0] <= stages[0].weights.min() <= stages[0].weights.max() <= bounds[1]
    learnt = [array for stage in stages for array in (stage.weights, stage.theta)]
    return [*outcome, *learnt, *(array for face in faces for layer in face for array in layer)]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(SHAPES), st.integers(0, 2**32 - 1), st.sampled_from(["plastic", "packs", ""])
)
def test_compiled_equals_plain(wirings: list[Wiring], seed: int, kind: str) -> None:
    kinds = {"plastic": kind == "plastic", "packs": kind == "packs"}
    plain = run(reference, wirings, seed, **kinds)
    fused = run(compiled, wirings, seed, **kinds)
    assert plain[0].any()
    for expected, got in zip(plain, fused, strict=True):
        assert expected.dtype == got.dtype
        np.testing.assert_array_equal(expected, got)


def test_frames_longer_than_a_block_of_stdp_are_equal() -> None:
    for steps in (stdp.BLOCK, 2 * stdp.BLOCK + 3):
        plain = run(reference, SHAPES[3], 5, True, steps)
        fused = run(compiled, SHAPES[3], 5, True, steps)
        for expected, got in zip(plain, fused, strict=True):
            np.testing.assert_array_equal(expected, got)


@pytest.mark.parametrize("kernel", [reference, compiled])
def test_silence_leaves_nothing_that_is_slow_to_calculate_with(kernel: kernels.Kernels) -> None:
    wiring, parameters = Wiring.fully_connected((1, 2, 2), 3), lif.LIFParameters()
    state = FaceState([4, 3], parameters)
    for layer in state.layers:
        for values in (layer.drive, layer.trace_pre, layer.trace_post):
            values[:] = 1
    kernel.run(
        900,
        np.zeros((1, 4), np.float32),
        [state.layers],
        [
            Pathway(
                (0,),
                Stage(wiring, np.zeros((4, 3), np.float32), np.zeros(3, np.float32)),
                layers.discretise(DriveParameters(), 1e-3, 0.0),
                True,
            )
        ],
        kernels.discretise(
            parameters,
            threshold.ThresholdParameters(0.0, 1.0),
            stdp.STDPParameters(a_pre=0.005, a_post=-0.002, tau_pre=0.01, tau_post=0.01),
            1e-3,
        ),
        [layers.blank_activity(n, 900, 1) for n in (4, 3)],
    )
    below, above = state.layers
    assert not below.trace_pre.any() and not above.trace_post.any() and not above.drive.any()


def test_the_networks_of_the_test_do_fire() -> None:
    for wirings in SHAPES:
        outcome = run(reference, wirings, 1, plastic=True)
        assert all(outcome[3 * layer].sum() > 0 for layer in range(len(wirings) + 1))


def signatures() -> int:
    return sum(len(kernel.signatures) for kernel in code_cache.KERNELS)


def test_warm_up_compiles_all_that_a_frame_needs() -> None:
    kernels.warm_up()
    compiled_before = signatures()
    for wirings in SHAPES:
        for plastic, packs in ((False, False), (False, True), (True, False)):
            run(compiled, wirings, 0, plastic, n_faces=1, packs=packs)
            run(compiled, wirings, 0, plastic, packs=packs)
    assert signatures() == compiled_before


def test_plain_kernels_are_there_without_numba() -> None:
    assert kernels.choose(compiled=False) is reference
