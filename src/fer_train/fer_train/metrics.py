"""Figures of merit. `undecided` counts as wrong everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

BOOTSTRAP_SAMPLES = 2000
ECE_BINS = 10


def confusion(truth: Ints, said: Ints, n_labels: int) -> Ints:
    """Return how often each label (row) was called each; last column: undecided (said < 0)."""
    table = np.zeros((n_labels, n_labels + 1), dtype=np.int64)
    np.add.at(table, (truth, np.where(said < 0, n_labels, said)), 1)
    return table


def balanced_accuracy(table: Ints) -> float:
    """Return the mean over the labels of the share that was called right, for a `confusion` table.

    Labels without any face do not count.
    """
    total = table.sum(axis=1)
    seen = total > 0
    return float((np.diagonal(table)[seen] / total[seen]).mean())


def macro_f1(table: Ints) -> float:
    """Return the mean F1 score over the labels that have faces."""
    right = np.diagonal(table).astype(np.float64)
    said = table[:, :-1].sum(axis=0)
    true = table.sum(axis=1)
    f1 = 2 * right / np.maximum(said + true, 1)
    return float(f1[true > 0].mean())


def bootstrap_interval(
    truth: Ints, said: Ints, n_labels: int, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy; faces are redrawn within each label."""
    rng = np.random.default_rng(seed)
    recalls = []
    for label in range(n_labels):
        right = said[truth == label] == label
        if len(right):
            recalls.append(rng.binomial(len(right), right.mean(), BOOTSTRAP_SAMPLES) / len(right))
    low, high = np.quantile(np.mean(recalls, axis=0), (0.025, 0.975))
    return float(low), float(high)


def expected_calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the mean distance of confidence from accuracy over ten bins, weighted by size."""
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
    """Return which part is right of the `share` of the answers that have the most confidence."""
    kept = np.argsort(-confidence, kind="stable")[: max(round(share * len(confidence)), 1)]
    return float(right[kept].mean())
