"""From spikes to answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fer_common.core.errors import ParameterError
from fer_snn.core.readout import (
    UNNAMED,
    DecisionWindow,
    ReadoutCalibration,
    ReadoutParameters,
    answer,
    counted_spikes,
    label_means,
)
from fer_testing.networks import EIGHT

CALIBRATION = ReadoutCalibration(kappa=1.0, presentation=0.060)
AT_REST = np.full(3, -0.07)
SAY_ALL = ReadoutParameters(min_spikes=1, min_confidence=0.0)


def test_most_spikes_win() -> None:
    said = answer(np.array([50.0, 100.0, 0.0]), AT_REST, 9, CALIBRATION, SAY_ALL)
    assert (said.best, said.decided) == (1, True)
    assert said.scores.sum() == pytest.approx(1)
    assert said.confidence == pytest.approx(np.exp(6) / (np.exp(3) + np.exp(6) + 1))


def test_silence_is_undecided_with_no_scores() -> None:
    said = answer(np.zeros(3), AT_REST, 0, CALIBRATION, SAY_ALL)
    assert (said.best, said.decided, said.confidence) == (-1, False, 0.0)
    assert not said.scores.any()


def test_potentials_break_a_tie() -> None:
    rates = np.array([50.0, 50.0, 0.0])
    said = answer(rates, np.array([-0.06, -0.07, -0.05]), 6, CALIBRATION, SAY_ALL)
    assert (said.best, said.decided) == (0, True)
    assert not answer(rates, AT_REST, 6, CALIBRATION, SAY_ALL).decided


def test_too_few_spikes_and_too_little_confidence_are_undecided() -> None:
    rates = np.array([50.0, 100.0, 0.0])
    assert not answer(rates, AT_REST, 4, CALIBRATION, ReadoutParameters(min_spikes=5)).decided
    unsure = answer(rates, AT_REST, 9, CALIBRATION, ReadoutParameters(min_confidence=0.99))
    assert not unsure.decided
    assert unsure.best == 1


@given(
    rates=arrays(np.float64, 8, elements=st.floats(0, 200)),
    allowed=st.sets(st.integers(0, 7), min_size=2),
    kappa=st.floats(0.1, 5),
)
def test_a_restricted_answer_is_that_of_a_network_with_these_labels_alone(
    rates: NDArray[np.float64], allowed: set[int], kappa: float
) -> None:
    chosen = np.array(sorted(allowed))
    calibration = ReadoutCalibration(kappa, 0.060)
    potentials = np.linspace(-0.07, -0.06, 8)
    restricted = answer(rates, potentials, 9, calibration, SAY_ALL, chosen)
    alone = answer(rates[chosen], potentials[chosen], 9, calibration, SAY_ALL)
    assert restricted.scores[chosen].tolist() == alone.scores.tolist()
    assert not np.delete(restricted.scores, chosen).any()
    assert (restricted.best, restricted.confidence) == (chosen[alone.best], alone.confidence)
    assert restricted.rates_hz.tolist() == rates.tolist()
    everything = calibration.scores(rates)
    # The conditional probability, given that one of these labels is true.
    np.testing.assert_allclose(
        restricted.scores[chosen], everything[chosen] / everything[chosen].sum()
    )


def test_allowed_labels_are_found_by_name_in_the_order_of_the_network() -> None:
    assert ReadoutParameters().allowed(EIGHT).tolist() == list(range(8))
    some = ReadoutParameters(labels=("sad", "neutral"))
    assert some.allowed(EIGHT).tolist() == [0, 3]
    with pytest.raises(ParameterError, match=r"'labels' has wink, .* \(it knows neutral, smile"):
        ReadoutParameters(labels=("smile", "wink")).check(EIGHT)


def test_spikes_of_labels_that_are_left_out_do_not_count() -> None:
    counts = np.array([[2, 4, 3, 9]], np.int32)
    names = np.array([0, 0, 1, UNNAMED], np.int32)
    assert counted_spikes(counts, names, np.array([0, 1])).tolist() == [18]
    assert counted_spikes(counts, names, np.array([1])).tolist() == [12]
    silent = answer(np.array([50.0, 0.0, 0.0]), AT_REST, 0, CALIBRATION, SAY_ALL, np.array([1, 2]))
    assert (silent.best, silent.decided) == (-1, False)


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
