"""From spikes to an answer: scores, rates, a calibrated confidence, and `undecided`.

The evidence for a label is the number of spikes that each of its neurons would fire in one
presentation of T seconds at the rates of the decision window, n_k = r_k T. Rates make windows of
any length comparable. The score of label k is

    p_k = exp(kappa n_k) / sum over the labels l of exp(kappa n_l)

The weight of a spike, kappa, is fitted to faces that the network was not trained on, and stored in
the weights file. Among answers with confidence max_k p_k = p, a share of about p is right. If two
labels have equally many spikes, the one with the higher mean membrane potential wins, because its
neurons are closer to their next spike.

The answer can be restricted to some labels. Then the sum runs over these alone, so p_k is the
probability of k given that one of them is true; all others have score 0.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_common.core.errors import ParameterError
from fer_snn.core.neurons.lif import Int32s

Floats = NDArray[np.float64]

MAX_KAPPA = 1000.0
MAX_PRESENTATION_S = 60.0
"""Bounds of a calibration."""

UNNAMED = -1
"""Label index of a neuron that has no label yet."""


@dataclass(frozen=True)
class ReadoutCalibration:
    """How spikes become probabilities; see the module.

    Attributes
    ----------
    kappa : evidence of one spike of every neuron of a label, dimensionless.
    presentation : duration T that the evidence refers to, seconds of simulated time.
    """

    kappa: float = 1.0
    presentation: float = 0.060

    def __post_init__(self) -> None:
        """Refuse values that no training gives (ValueError)."""
        if not 0 < self.kappa <= MAX_KAPPA:
            raise ValueError(f"kappa is {self.kappa:g}, outside 0 to {MAX_KAPPA:g}")
        if not 0 < self.presentation <= MAX_PRESENTATION_S:
            raise ValueError(
                f"presentation is {self.presentation:g} s, outside 0 to {MAX_PRESENTATION_S:g} s"
            )

    def scores(self, rates_hz: Floats) -> Floats:
        """Return p_k for the mean rates of the neurons of each label, hertz (..., labels)."""
        return softmax(self.kappa * self.presentation * rates_hz)


def softmax(evidence: Floats) -> Floats:
    """Return exp(e_k) / sum_l exp(e_l) over the last axis."""
    weight = np.exp(evidence - evidence.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class ReadoutParameters:
    """When the network gives an answer.

    Attributes
    ----------
    decision_window : duration over which spikes are counted, seconds.
    min_spikes, min_confidence : with less than this the answer is `undecided`.
    min_fit : the same, for how well the features fit a face; see `familiarity`.
    labels : the labels that may be answered; empty for all.
    """

    decision_window: float = 0.12
    min_spikes: int = 1
    min_confidence: float = 0.0
    min_fit: float = 0.0
    labels: tuple[str, ...] = ()

    def allowed(self, known: Sequence[str]) -> NDArray[np.int64]:
        """Return the indices in `known` of the labels that may be answered, in ascending order."""
        if not self.labels:
            return np.arange(len(known))
        return np.flatnonzero([label in self.labels for label in known])

    def check(self, known: Sequence[str]) -> None:
        """Refuse labels that a network does not know, given those that it knows.

        Raises
        ------
        ParameterError
            if one of `labels` is not among them.
        """
        unknown = [label for label in self.labels if label not in known]
        if unknown:
            raise ParameterError(
                f"parameter 'labels' has {', '.join(unknown)}, which the network does not know "
                f"(it knows {', '.join(known)}): give some of these, or 'all'"
            )


@dataclass(frozen=True)
class Answer:
    """The answer of the network for a face.

    Attributes
    ----------
    best : index of the best label; -1 if there were no spikes.
    decided : False if the answer is `undecided`.
    confidence : probability that the best label is right.
    scores, rates_hz : score p_k, and mean rate of the neurons, of each label.
    """

    best: int
    decided: bool
    confidence: float
    scores: Floats
    rates_hz: Floats


def label_means(values: NDArray[Any], neuron_label: Int32s, n_labels: int) -> Floats:
    """Return the mean over the neurons of each label (..., labels); 0 for a label without neurons.

    Parameters
    ----------
    values : a value of each expression neuron (..., neurons).
    neuron_label : label index of each neuron (neurons); `UNNAMED` for none.
    """
    member = neuron_label[:, None] == np.arange(n_labels)
    return np.asarray(values.astype(np.float64) @ member / np.maximum(member.sum(axis=0), 1))


def counted_spikes(
    counts: Int32s, neuron_label: Int32s, allowed: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of spikes of each face, without those of labels that are left out.

    Parameters
    ----------
    counts : number of spikes of each expression neuron (..., neurons).
    neuron_label : as in `label_means`.
    allowed : indices of the labels that may be answered.
    """
    # For so few labels several times as fast as `np.isin`.
    counted = (neuron_label[:, None] == (UNNAMED, *allowed)).any(axis=1)
    return np.asarray(counts[..., counted].sum(axis=-1, dtype=np.int64))


def answer(
    rates_hz: Floats,
    potentials: Floats,
    spikes: int,
    calibration: ReadoutCalibration,
    parameters: ReadoutParameters,
    allowed: NDArray[np.int64] | None = None,
    fit: float = math.inf,
) -> Answer:
    """Choose a label.

    Parameters
    ----------
    rates_hz, potentials : mean rate, and mean membrane potential in volts, of the neurons of each
        label (labels).
    spikes : number of spikes that count, see `counted_spikes`.
    allowed : indices of the labels that may be answered; None for all.
    fit : how well the features fit a face in which an expression can be read.
    """
    if allowed is None:
        allowed = np.arange(len(rates_hz))
    scores = np.zeros(len(rates_hz))
    if spikes == 0 or not len(allowed):
        return Answer(-1, False, 0.0, scores, rates_hz)
    scores[allowed] = calibration.scores(rates_hz[allowed])
    # By the rate, then by the potential. If both are equal, there is no reason to choose.
    order = allowed[np.lexsort((potentials[allowed], rates_hz[allowed]))]
    best, others = int(order[-1]), order[:-1]
    same = (rates_hz[others] == rates_hz[best]) & (potentials[others] == potentials[best])
    tie = bool(same.any())
    confidence = float(scores[best])
    sure = spikes >= parameters.min_spikes and confidence >= parameters.min_confidence
    decided = sure and not tie and fit >= parameters.min_fit
    return Answer(best, decided, confidence, scores, rates_hz)


def decided_labels(
    rates_hz: Floats,
    potentials: Floats,
    spikes: NDArray[np.int64],
    calibration: ReadoutCalibration,
    parameters: ReadoutParameters,
    allowed: NDArray[np.int64],
) -> tuple[NDArray[np.int64], Floats]:
    """Return the label index (-1 for undecided) and the confidence for each face.

    Parameters
    ----------
    rates_hz, potentials, spikes, allowed : as in `answer`, the first three with one row for each
        face.
    """
    rows = zip(rates_hz, potentials, spikes, strict=True)
    answers = [answer(rate, v, int(n), calibration, parameters, allowed) for rate, v, n in rows]
    said = np.array([each.best if each.decided else -1 for each in answers], dtype=np.int64)
    return said, np.array([each.confidence for each in answers])


class DecisionWindow:
    """Spike counts of one face over the last seconds of simulated time."""

    def __init__(self) -> None:
        """Start empty."""
        self._frames: deque[tuple[float, Int32s]] = deque()

    def add(self, duration: float, counts: Int32s, window: float) -> tuple[float, Int32s]:
        """Add the counts of a frame of `duration` seconds.

        Returns
        -------
        Duration and counts of the frames that overlap the last `window` seconds. The duration is 0
        before the first step.
        """
        if duration > 0:
            self._frames.append((duration, counts))
        total = sum(length for length, _ in self._frames)
        # The tolerance is for rounding: durations are sums of steps.
        while len(self._frames) > 1 and total - self._frames[0][0] >= window - 1e-9:
            total -= self._frames.popleft()[0]
        summed = np.zeros_like(counts)
        for _, each in self._frames:
            summed += each
        return total, summed
