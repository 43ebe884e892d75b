"""The neurons that tell whether an expression can be read, and what follows from it."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from fer_snn.core import familiarity
from fer_snn.core.familiarity import Familiarity, FamiliarityError
from fer_snn.core.model import Model
from fer_snn.core.neurons.encoding import mirrored
from fer_snn.core.recogniser import FaceInput, FeatureFrame, Recogniser, RecogniserParameters
from fer_testing.networks import ORIENTATIONS, SHAPE, SPEC, synthetic

FRAME_NS = 33_333_333


def neurons(hidden_weight: float = 0.0) -> Familiarity:
    """Return two neurons: half the sum of the features minus 36 (and that of the hidden), and 50.

    The hidden neuron fires above 31: a window of 4 x 4 cells and 4 channels has 64 features.
    """
    n_plain, n_hidden = math.prod(SHAPE) // 2, 4
    weights = np.zeros((2, n_plain + n_hidden), np.float32)
    weights[0, :n_plain], weights[0, n_plain:] = 1.0, hidden_weight
    return Familiarity(
        SPEC,
        np.zeros(SHAPE, np.float32),
        np.ones(SHAPE, np.float32),
        np.ones((64, 1), np.float32),
        np.array([31], np.float32),
        weights,
        np.array([-math.prod(SHAPE) / 4, 50], np.float32),
    )


def test_the_smallest_output_counts_and_is_linear_within_limits() -> None:
    maps = np.zeros((4, *SHAPE), np.float32)
    maps[1, 0, 0, 0], maps[2, 0, 0, 0], maps[3] = 1.5, 100.0, 2.0
    expected = [-36, -36 + 1.5 / 2, -36 + familiarity.LIMIT / 2, 50]
    assert neurons().fits(maps) == pytest.approx(expected)


def test_hidden_neurons_see_windows_of_the_map_and_of_its_mirror_image() -> None:
    maps = np.zeros((2, *SHAPE), np.float32)
    # One window of four is filled; the map has two of them in a row, and two below.
    maps[0, :, :4, :4], maps[1, :, :4, 2:] = 1.0, 1.0
    windows = np.array([64 - 31, 32 - 31, 32 - 31, 0])
    plain = 64 / 2 - 36
    assert neurons(0.5).fits(maps) == pytest.approx([plain + 0.5 * 2 * windows.sum()] * 2)


def test_a_map_and_its_mirror_image_fit_equally_well() -> None:
    maps = synthetic(3, seed=1)[0]
    shipped = dataclasses.replace(
        neurons(0.5), hidden=np.random.default_rng(0).normal(size=(64, 1))
    )
    np.testing.assert_allclose(shipped.fits(mirrored(maps, ORIENTATIONS)), shipped.fits(maps))


def test_saved_neurons_are_the_same(tmp_path: Path) -> None:
    path, maps = tmp_path / "neurons.npz", synthetic(3, seed=1)[0]
    neurons().save(path)
    np.testing.assert_array_equal(familiarity.load(path).fits(maps), neurons().fits(maps))


@pytest.mark.parametrize(
    "change", ["missing", "cut", "not finite", "other sizes", "one bias", "no neuron"]
)
def test_damaged_files_are_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "neurons.npz"
    none = neurons().weights[:0]
    broken = {
        "not finite": dataclasses.replace(neurons(), weights=neurons().weights * np.float32("nan")),
        "other sizes": dataclasses.replace(neurons(), mean=np.zeros((4, 7, 6), np.float32)),
        "one bias": dataclasses.replace(neurons(), bias=np.zeros(1, np.float32)),
        "no neuron": dataclasses.replace(neurons(), weights=none, bias=none[:, 0]),
    }
    if change != "missing":
        broken.get(change, neurons()).save(path)
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FamiliarityError, match="install fer_snn again"):
        familiarity.load(path)


def test_the_shipped_neurons_are_for_the_features_that_are_shipped() -> None:
    shipped = familiarity.shipped()
    assert shipped.feature_spec.startswith("gabor-")
    assert familiarity.of_features(shipped.feature_spec) is shipped
    assert familiarity.of_features(SPEC) is None


def test_what_does_not_fit_a_face_is_undecided(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(familiarity, "of_features", lambda spec: neurons())
    recogniser = Recogniser(model, RecogniserParameters())
    bright, dark = np.full((4, 6, 6), 0.9, np.float32), np.full((4, 6, 6), 0.1, np.float32)

    def decided(features: np.ndarray, frames: range) -> list[bool]:
        shown = [FeatureFrame(k * FRAME_NS, [FaceInput(1, 9, features)]) for k in frames]
        return [recogniser.process(frame).faces[0].answer.decided for frame in shown]

    readout = recogniser.parameters.readout
    tolerant = dataclasses.replace(readout, min_fit=-100.0)
    assert not any(decided(dark, range(20)))
    recogniser.parameters = dataclasses.replace(recogniser.parameters, readout=tolerant)
    said = decided(dark, range(20, 40)) + decided(bright, range(40, 60))
    recogniser.parameters = dataclasses.replace(recogniser.parameters, readout=readout)
    # A frame that does not fit among many that do changes nothing.
    assert decided(bright, range(60, 80))[10:] == said[-10:]
