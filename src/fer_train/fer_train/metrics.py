"""Metrics of recognition. `undecided` counts as wrong in all of them."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of similar confidence.

    Attributes
    ----------
    n : number of answers.
    confidence : their mean confidence.
    accuracy, ci95 : share of them that is right, with its 95 % interval.
    """

    n: int
    confidence: float
    accuracy: float
    ci95: tuple[float, float]


def reliability(confidence: Floats, right: NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """Return the reliability diagram: ten bins of confidence, without those that are empty."""
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    size = np.bincount(bins, minlength=ECE_BINS)
    summed = np.bincount(bins, confidence, ECE_BINS)
    correct = np.bincount(bins, right.astype(np.int64), ECE_BINS).astype(np.int64)
    shares = Shares.of(correct, size)
    return tuple(
        ReliabilityBin(
            n=int(size[k]),
            confidence=float(summed[k] / size[k]),
            accuracy=float(shares.value[k]),
            ci95=(float(shares.low[k]), float(shares.high[k])),
        )
        for k in np.flatnonzero(size)
    )


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the mean difference of confidence and accuracy, weighted by the size of the bins."""
    distance = sum(each.n * abs(each.confidence - each.accuracy) for each in bins)
    return distance / max(sum(each.n for each in bins), 1)


def sure_accuracy(confidence: Floats, right: NDArray[np.bool_], share: float) -> float:
    """Return the accuracy of the `share` of the answers with the highest confidence."""
    kept = np.argsort(-confidence, kind="stable")[: max(round(share * len(confidence)), 1)]
    return float(right[kept].mean())
