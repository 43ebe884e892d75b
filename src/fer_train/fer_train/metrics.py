"""Metrics of recognition. `undecided` counts as wrong in all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAMPLES = 2000
"""Draws from the posterior of a mean of recalls."""
PROPORTION_SAMPLES = 20000
"""Draws from the posterior of a proportion."""
ECE_BINS = 10


def confusion(truth: Ints, said: Ints, n_labels: int) -> Ints:
    """Return the confusion matrix: true labels (rows), answers and then undecided (columns).

    An answer `said` below 0 is undecided.
    """
    table = np.zeros((n_labels, n_labels + 1), dtype=np.int64)
    np.add.at(table, (truth, np.where(said < 0, n_labels, said)), 1)
    return table


def balanced_accuracy(table: Ints) -> float:
    """Return the mean recall of the labels that have faces, for a `confusion` matrix."""
    total = table.sum(axis=1)
    seen = total > 0
    return float((np.diagonal(table)[seen] / total[seen]).mean())


@dataclass(frozen=True)
class Shares:
    """Shares of right answers with their 95 % credible intervals, NaN where there are no faces.

    Attributes
    ----------
    value, low, high : (shares).
    """

    value: Floats
    low: Floats
    high: Floats

    @staticmethod
    def of(right: Ints, total: Ints, seed: int = 0) -> Shares:
        """Return the shares `right / total`, with intervals as in `accuracy_interval`."""
        rng = np.random.default_rng(seed)
        size = (PROPORTION_SAMPLES, *total.shape)
        posterior = rng.beta(right + 0.5, total - right + 0.5, size)
        low, high = np.quantile(posterior, (0.025, 0.975), axis=0)
        value = np.divide(right, total, where=total > 0, out=np.full(total.shape, np.nan))
        return Shares(
            value,
            np.where(total > 0, np.minimum(low, value), np.nan),
            np.where(total > 0, np.maximum(high, value), np.nan),
        )

    def f1(self) -> Shares:
        """Return F1 scores, if these are shares of right answers in all that are or were said."""
        return Shares(*(2 * x / (1 + x) for x in (self.value, self.low, self.high)))


@dataclass(frozen=True)
class LabelFigures:
    """Recall, precision and F1 score of each label.

    F1 is 2 J / (1 + J), with J the share of right answers among the faces that show a label or were
    said to, so that its interval follows from that of J.
    """

    recall: Shares
    precision: Shares
    f1: Shares

    @staticmethod
    def of(table: Ints) -> LabelFigures:
        """Return the figures of a `confusion` matrix."""
        right, true, said = np.diagonal(table), table.sum(axis=1), table[:, :-1].sum(axis=0)
        return LabelFigures(
            Shares.of(right, true),
            Shares.of(right, said),
            Shares.of(right, true + said - right).f1(),
        )


def macro_f1(table: Ints) -> float:
    """Return the mean F1 score of the labels that have faces."""
    right = np.diagonal(table).astype(np.float64)
    said = table[:, :-1].sum(axis=0)
    true = table.sum(axis=1)
    f1 = 2 * right / np.maximum(said + true, 1)
    return float(f1[true > 0].mean())


def accuracy_interval(table: Ints, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % credible interval of the balanced accuracy, for a `confusion` matrix."""
    return mean_recall_interval(np.diagonal(table), table.sum(axis=1), seed)


def mean_recall_interval(right: Ints, total: Ints, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % credible interval of the mean recall of the labels that have faces.

    The recall of each label has the posterior of Jeffreys' prior, Beta(1/2, 1/2) (Brown, Cai and
    DasGupta, Statistical Science 16, 2001). Unlike a bootstrap interval, it does not collapse if
    all answers are right.
    """
    rng = np.random.default_rng(seed)
    right, total = right[total > 0], total[total > 0]
    recalls = rng.beta(right + 0.5, total - right + 0.5, (SAMPLES, len(total)))
    low, high = np.quantile(recalls.mean(axis=1), (0.025, 0.975))
    mean = float((right / total).mean())
    return min(float(low), mean), max(float(high), mean)


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the mean difference of confidence and accuracy over ten bins, weighted by size."""
    if not len(confidence):
        return 0.0
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    size = np.bincount(bins, minlength=ECE_BINS)
    distance = np.abs(
        np.bincount(bins, confidence, ECE_BINS)
        - np.bincount(bins, right.astype(np.float64), ECE_BINS)
    )
    return float(distance[size > 0].sum() / len(confidence))


def sure_accuracy(confidence: Floats, right: NDArray[np.bool_], share: float) -> float:
    """Return the accuracy of the `share` of the answers with the highest confidence."""
    kept = np.argsort(-confidence, kind="stable")[: max(round(share * len(confidence)), 1)]
    return float(right[kept].mean())
