"""Figures of merit against hand-made cases."""

import numpy as np
import pytest

from fer_train import metrics

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 2])
SAID = np.array([0, 0, 0, 1, 1, -1, 2, 2])


def test_undecided_is_wrong_in_every_figure() -> None:
    table = metrics.confusion(TRUTH, SAID, 3)
    assert table.tolist() == [[3, 1, 0, 0], [0, 1, 0, 1], [0, 0, 2, 0]]
    assert metrics.balanced_accuracy(table) == pytest.approx((0.75 + 0.5 + 1.0) / 3)
    assert metrics.macro_f1(table) == pytest.approx((6 / 7 + 2 / 4 + 1.0) / 3)


def test_every_label_has_recall_precision_and_f1() -> None:
    figures = metrics.LabelFigures.of(metrics.confusion(TRUTH, SAID, 4))
    assert figures.recall.value.tolist() == pytest.approx([3 / 4, 1 / 2, 1, np.nan], nan_ok=True)
    assert figures.precision.value.tolist() == pytest.approx([1, 1 / 2, 1, np.nan], nan_ok=True)
    assert figures.f1.value.tolist() == pytest.approx([6 / 7, 1 / 2, 1, np.nan], nan_ok=True)
    for shares in (figures.recall, figures.precision, figures.f1):
        assert (shares.low[:3] <= shares.value[:3]).all()
        assert (shares.value[:3] <= shares.high[:3]).all()
        assert np.isnan(shares.low[3]) and np.isnan(shares.high[3])


def test_the_interval_of_a_share_is_that_of_jeffreys() -> None:
    # Brown, Cai and DasGupta (2001), table 5: 2 of 10, and 0 of 10.
    shares = metrics.Shares.of(np.array([2, 0]), np.array([10, 10]))
    assert (shares.low[0], shares.high[0]) == pytest.approx((0.044, 0.503), abs=0.005)
    assert (shares.low[1], shares.high[1]) == pytest.approx((0.0, 0.217), abs=0.005)


def test_labels_without_faces_do_not_count() -> None:
    table = metrics.confusion(np.array([0, 0]), np.array([0, 0]), 3)
    assert metrics.balanced_accuracy(table) == 1.0
    assert metrics.macro_f1(table) == 1.0


def test_interval_holds_the_figure_and_is_reproducible() -> None:
    truth = np.repeat([0, 1], 200)
    said = np.where(np.arange(400) % 5 == 0, 1 - truth, truth)
    table = metrics.confusion(truth, said, 2)
    low, high = metrics.accuracy_interval(table)
    assert 0.75 < low < 0.8 < high < 0.85
    assert metrics.accuracy_interval(table) == (low, high)


@pytest.mark.parametrize(("n", "least"), [(1, 0.2), (3, 0.6), (10, 0.85)])
def test_interval_does_not_collapse_if_all_answers_are_right(n: int, least: float) -> None:
    truth = np.repeat([0, 1, 2], n)
    low, high = metrics.accuracy_interval(metrics.confusion(truth, truth, 3))
    assert least < low < 0.98
    assert high == 1.0


def test_calibration_error_of_an_overconfident_answerer() -> None:
    confidence, right = np.full(10, 0.95), np.arange(10) < 6
    bins = metrics.reliability(confidence, right)
    assert metrics.expected_calibration_error(bins) == pytest.approx(0.35)
    assert sum(each.n for each in bins) == len(confidence)
    assert all(each.ci95[0] <= each.accuracy <= each.ci95[1] for each in bins)
    assert metrics.reliability(np.zeros(0), np.zeros(0, bool)) == ()
    assert metrics.expected_calibration_error(()) == 0.0


def test_accuracy_of_the_surest() -> None:
    confidence = np.array([0.9, 0.8, 0.5, 0.7, 0.6])
    right = np.array([True, False, False, True, True])
    assert metrics.sure_accuracy(confidence, right, 0.8) == pytest.approx(3 / 4)
    assert metrics.sure_accuracy(confidence, right, 0.01) == 1.0
