"""From spikes to answers."""

import numpy as np
import pytest

from fer_snn.core.readout import (
    UNNAMED,
    DecisionWindow,
    ReadoutCalibration,
    ReadoutParameters,
    answer,
    label_means,
)

CALIBRATION = ReadoutCalibration(kappa=1.0, presentation=0.060)
AT_REST = np.full(3, -0.07)
SAY_ALL = ReadoutParameters(min_spikes=1, min_confidence=0.0)


def test_most_spikes_win() -> None:
    given = answer(np.array([50.0, 100.0, 0.0]), AT_REST, 9, CALIBRATION, SAY_ALL)
    assert (given.best, given.decided) == (1, True)
    assert given.scores.sum() == pytest.approx(1)
    assert given.confidence == pytest.approx(np.exp(6) / (np.exp(3) + np.exp(6) + 1))


def test_silence_is_undecided_with_no_scores() -> None:
    given = answer(np.zeros(3), AT_REST, 0, CALIBRATION, SAY_ALL)
    assert (given.best, given.decided, given.confidence) == (-1, False, 0.0)
    assert not given.scores.any()


def test_potentials_break_a_tie() -> None:
    rates = np.array([50.0, 50.0, 0.0])
    given = answer(rates, np.array([-0.06, -0.07, -0.05]), 6, CALIBRATION, SAY_ALL)
    assert (given.best, given.decided) == (0, True)
    assert not answer(rates, AT_REST, 6, CALIBRATION, SAY_ALL).decided


def test_too_few_spikes_and_too_little_confidence_are_undecided() -> None:
    rates = np.array([50.0, 100.0, 0.0])
    assert not answer(rates, AT_REST, 4, CALIBRATION, ReadoutParameters(min_spikes=5)).decided
    unsure = answer(rates, AT_REST, 9, CALIBRATION, ReadoutParameters(min_confidence=0.99))
    assert not unsure.decided
    assert unsure.best == 1


def test_means_are_over_the_neurons_of_a_label() -> None:
    counts = np.array([[2, 4, 3, 9]], np.int32)
    names = np.array([0, 0, 1, UNNAMED], np.int32)
    assert label_means(counts, names, 3).tolist() == [[3.0, 3.0, 0.0]]


def test_window_keeps_the_last_seconds() -> None:
    window = DecisionWindow()
    for k in range(20):
        duration, counts = window.add(0.1, np.array([k], np.int32), 0.3)
    assert duration == pytest.approx(0.3)
    assert counts.tolist() == [17 + 18 + 19]


def test_window_without_a_step_is_empty() -> None:
    assert DecisionWindow().add(0.0, np.zeros(2, np.int32), 0.5)[0] == 0.0


def test_window_takes_frames_longer_than_itself() -> None:
    window = DecisionWindow()
    window.add(0.2, np.array([5], np.int32), 0.1)
    duration, counts = window.add(0.2, np.array([7], np.int32), 0.1)
    assert (duration, counts.tolist()) == (0.2, [7])
