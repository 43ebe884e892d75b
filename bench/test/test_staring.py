"""Half a minute of one face, as `fer_bench.staring` measures hours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_bench import staring
from fer_snn import FrameActivity, Network, default_weights_path, load_weights


def test_half_a_minute_of_one_face_changes_no_answer() -> None:
    network = Network(load_weights(default_weights_path()))
    before = network.model.copy().stages[-1].weights
    frames = 30 * staring.RATE_HZ
    seen = staring.stare(network, staring.clip(0, 20), frames)
    assert seen.outside == 0
    assert len(seen.said) == frames // staring.GLANCE
    first = seen.most_frequent(slice(100))
    assert (seen.said == first).mean() > 0.99
    after = network.model.stages[-1].weights
    assert 0 < np.abs(after - before).max() < 0.1 * before.max()


def test_weights_outside_their_bounds_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(load_weights(default_weights_path()))
    weights, advance = network.model.stages[-1].weights, network.advance

    def broken(*given: Any, **named: Any) -> FrameActivity:
        activity = advance(*given, **named)
        weights[0, 0] = 2 * network.parameters.stdp.w_max
        return activity

    monkeypatch.setattr(network, "advance", broken)
    features = np.zeros((3, *network.model.feature_shape), np.float32)
    assert staring.stare(network, features, 4).outside == 4
