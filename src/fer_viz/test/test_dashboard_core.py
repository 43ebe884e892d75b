"""What the dashboard keeps and computes, without Qt and without a graph."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from fer_common.core.errors import MessageError
from fer_viz.core.history import SCORE_SPAN_S, FaceHistories, ScoreFrame, SimulationLag
from fer_viz.core.messages import features as feature_maps
from fer_viz.core.messages import receptive_fields
from fer_viz.core.scene import ALL_ORIENTATIONS, FeatureMap, ScoreHistory
from fer_viz.dashboard import binding

S = 10**9


def add(histories: FaceHistories, stamp_ns: int, scores: tuple[float, ...], id: int = 1) -> None:
    labels = tuple("abcdef"[: len(scores)])
    frame = ScoreFrame(stamp_ns, labels, scores, tuple(10 * score for score in scores))
    histories.face(id).scores.add(frame)


def scores_of(histories: FaceHistories, id: int) -> ScoreHistory | None:
    history = histories.get(id)
    return None if history is None else history.score_history()


def test_the_score_history_covers_half_a_minute() -> None:
    histories = FaceHistories(1.0)
    for k in range(400):
        add(histories, k * S // 10, (k / 400, 0.5))
    history = scores_of(histories, 1)
    assert history is not None
    assert history.time_s[0] == pytest.approx(-SCORE_SPAN_S) and history.time_s[-1] == 0
    assert len(history.time_s) == 301
    assert history.scores[-1].tolist() == pytest.approx([399 / 400, 0.5])
    assert history.rates_hz[-1].tolist() == pytest.approx([399 / 40, 5.0])
    assert scores_of(histories, 2) is None
    histories.face(2)
    assert scores_of(histories, 2) is None


def test_the_score_history_restarts_with_other_labels_and_when_time_jumps_back() -> None:
    histories = FaceHistories(1.0)
    add(histories, 1 * S, (0.1, 0.9))
    add(histories, 2 * S, (0.1, 0.2, 0.7))
    history = scores_of(histories, 1)
    assert history is not None
    assert history.labels == ("a", "b", "c") and history.scores.shape == (1, 3)
    add(histories, 1 * S, (0.3, 0.3, 0.4))
    history = scores_of(histories, 1)
    assert history is not None and len(history.time_s) == 1


def test_scores_of_faces_that_left_are_forgotten() -> None:
    histories = FaceHistories(1.0)
    for id in range(1, 101):
        add(histories, id * S, (1.0,), id)
    assert scores_of(histories, 1) is None and scores_of(histories, 100) is not None


def test_lag_is_time_that_was_not_simulated() -> None:
    lag = SimulationLag()
    assert lag.lag_s == 0
    for k in range(10):
        lag.add(k * S // 10, 0.1)
    assert lag.lag_s == pytest.approx(0, abs=1e-9)
    lag.add(1400 * S // 1000, 0.1)
    assert lag.lag_s == pytest.approx(0.4)
    lag.add(0, 0.1)
    assert lag.lag_s == 0


def weights(names: list[str], values: list[float], labels: tuple[str, ...]) -> SimpleNamespace:
    fields = SimpleNamespace(
        channels=len(values) // len(labels), rows=1, cols=1, channel_names=names, weights=values
    )
    return SimpleNamespace(receptive_fields=fields, labels=labels, version=1, neuron_label=[])


def test_weights_by_orientation_are_on_less_off() -> None:
    names = [
        f"{side} {wl}px {degrees}deg"
        for side in ("ON", "OFF")
        for wl in (4, 6)
        for degrees in (0, 90)
    ]
    maps = receptive_fields(weights(names, [1, 2, 3, 4, 10, 20, 30, 40], ("smile",)))
    assert maps.choices == (ALL_ORIENTATIONS, "0°", "90°")
    assert maps.maps.ravel().tolist() == [-90, 4 - 40, 6 - 60]


def test_weights_of_unknown_channels_are_summed() -> None:
    maps = receptive_fields(weights(["a", "b"], [1, 2, 3, 4], ("smile", "neutral")))
    assert maps.choices == (ALL_ORIENTATIONS,)
    assert maps.maps.ravel().tolist() == [3, 7]
    with pytest.raises(MessageError, match="receptive fields"):
        receptive_fields(weights(["a"], [1, 2, 3], ("smile", "neutral")))


def features(spec: str, values: list[float], channels: int) -> SimpleNamespace:
    faces = [SimpleNamespace(id=7, features=values), SimpleNamespace(id=8, features=[])]
    return SimpleNamespace(feature_spec=spec, channels=channels, rows=1, cols=1, faces=faces)


def test_features_are_averaged_over_scales() -> None:
    maps = feature_maps(features("gabor-2;crop=48;o=2;wl=4,6", [1, 2, 3, 4], 4))
    assert list(maps) == [7]
    assert maps[7].energy.ravel().tolist() == [2, 3]
    assert len(feature_maps(features("other", [1, 2, 3], 3))[7].energy) == 1
    with pytest.raises(MessageError, match="3 features"):
        feature_maps(features("gabor-2;o=2", [1, 2, 3], 4))


@pytest.mark.parametrize("orientation", range(8))
def test_the_stroke_of_a_cell_has_its_dominant_orientation(orientation: int) -> None:
    energy = np.full((8, 1, 2), 0.1, np.float32)
    energy[orientation, 0, 0] = 1.0
    angle, strength = FeatureMap(energy).strokes
    expected = math.pi * orientation / 8
    assert math.cos(2 * (angle[0, 0] - expected)) == pytest.approx(1)
    assert strength[0].tolist() == pytest.approx([1, 0], abs=1e-6)


def test_without_a_display_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not binding.has_display()
    with pytest.raises(binding.NoQtError, match="no display"):
        binding.require_qt(window=True)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("libEGL.so.1: cannot open shared object file"), "libEGL.so.1"),
        (ImportError("No module named 'pyqtgraph'"), "not installed"),
        (Exception("PyQtGraph requires one of PyQt5, PyQt6"), "not installed"),
    ],
)
def test_what_is_missing_is_named(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(binding.importlib, "import_module", fail)
    with pytest.raises(binding.NoQtError, match=words) as caught:
        binding.require_qt(window=False)
    assert "\n" not in str(caught.value) and "sudo apt install" in str(caught.value)
