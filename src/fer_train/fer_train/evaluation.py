"""Evaluation of a network on labelled faces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_snn import Network, ReadoutParameters
from fer_snn.core import familiarity
from fer_snn.core.neurons.lif import Float32s
from fer_train import metrics
from fer_train.presentation import present_all
from fer_train.progress import Progress, no_progress

PJ_PER_SYNAPTIC_OPERATION = 23.6
"""Energy of a synaptic operation on Intel's Loihi (Davies et al., IEEE Micro 38(1), 2018)."""
SURE = 0.8


COLUMNS = 80
"""Width of a terminal that the confusion matrix fits in."""

ByLabel: TypeAlias = Mapping[str, float | None]
IntervalByLabel: TypeAlias = Mapping[str, tuple[float, float] | None]


@dataclass(frozen=True)
class Evaluation:
    """The results that `fer evaluate --json` writes. `undecided` counts as wrong in all of them.

    Attributes
    ----------
    balanced_accuracy, ci95, macro_f1 : mean recall with its 95 % interval, and mean F1 score.
    accuracy, accuracy_ci95 : share of right answers with its 95 % interval.
    recall, precision, f1 : of each label; None without faces or answers.
    recall_ci95, precision_ci95, f1_ci95 : their 95 % intervals.
    labels, confusion : confusion matrix, true labels (rows), answers and undecided (columns).
    undecided_rate : share of faces without an answer.
    ece, reliability : expected calibration error of the faces with an answer, and its bins.
    sure_accuracy : accuracy of the `SURE` share of the faces with the highest confidence.
    n : number of faces.
    spikes_per_decision : mean number of spikes of the expression layer.
    decision_ms : simulated time of a presentation, milliseconds.
    energy_nj : mean energy of a decision, nanojoules, from `PJ_PER_SYNAPTIC_OPERATION`.
    synaptic_operations : mean number of synaptic operations of a decision.
    taken_whole : number of pictures in which no face was found or looked for.
    unreadable : number of files that were left out.
    """

    balanced_accuracy: float
    ci95: tuple[float, float]
    macro_f1: float
    accuracy: float
    accuracy_ci95: tuple[float, float]
    recall: ByLabel
    recall_ci95: IntervalByLabel
    precision: ByLabel
    precision_ci95: IntervalByLabel
    f1: ByLabel
    f1_ci95: IntervalByLabel
    labels: tuple[str, ...]
    confusion: list[list[int]]
    undecided_rate: float
    ece: float
    reliability: tuple[metrics.ReliabilityBin, ...]
    sure_accuracy: float
    n: int
    spikes_per_decision: float
    decision_ms: float
    energy_nj: float
    synaptic_operations: float
    taken_whole: int = 0
    unreadable: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the results as values for JSON."""
        return asdict(self)


def evaluate(
    network: Network,
    features: Float32s,
    truth: NDArray[np.int64],
    readout: ReadoutParameters,
    progress: Progress = no_progress,
    mirror: bool = True,
) -> tuple[Evaluation, NDArray[np.int64]]:
    """Present faces to a network; return the results, and what was said of each face (faces).

    If the answers are restricted to some labels, the results are about these alone.

    Parameters
    ----------
    features : features of the faces (faces, channels, rows, cols).
    truth : index of the label of each face in the labels of the network (faces).
    mirror : whether each face is presented mirrored, too.
    """
    model = network.model
    presentation = model.calibration.presentation
    n_steps = network.parameters.steps(presentation)
    responses = present_all(network, features, n_steps, progress, mirror)
    said, confidence = responses.said(model, model.calibration, readout)
    if neuron := familiarity.of_features(model.feature_spec):
        said = np.where(neuron.fits(features) < readout.min_fit, -1, said)
    allowed = readout.allowed(model.labels)
    labels = tuple(model.labels[k] for k in allowed)
    every = metrics.confusion(truth, said, len(model.labels))
    table = every[np.ix_(allowed, np.append(allowed, -1))]
    answered = said >= 0
    reliability = metrics.reliability(confidence[answered], (said == truth)[answered])
    operations = float(responses.operations.mean())
    return Evaluation(
        balanced_accuracy=metrics.balanced_accuracy(table),
        ci95=metrics.accuracy_interval(table),
        macro_f1=metrics.macro_f1(table),
        **_shares(table, labels),
        labels=labels,
        confusion=table.tolist(),
        undecided_rate=float((~answered).mean()),
        ece=metrics.expected_calibration_error(reliability),
        reliability=reliability,
        sure_accuracy=metrics.sure_accuracy(confidence, said == truth, SURE),
        n=len(truth),
        spikes_per_decision=float(responses.spikes.mean()),
        decision_ms=presentation * responses.views * 1e3,
        energy_nj=operations * PJ_PER_SYNAPTIC_OPERATION * 1e-3,
        synaptic_operations=operations,
    ), said


def _shares(table: metrics.Ints, labels: Sequence[str]) -> dict[str, Any]:
    """Return the results that are shares of right answers, of all faces and of each label."""
    right, n = np.diagonal(table).sum(keepdims=True), table.sum(keepdims=True)
    whole = metrics.Shares.of(right, n[0])
    results: dict[str, Any] = {
        "accuracy": float(whole.value[0]),
        "accuracy_ci95": (float(whole.low[0]), float(whole.high[0])),
    }
    figures = metrics.LabelFigures.of(table)
    for name in ("recall", "precision", "f1"):
        shares: metrics.Shares = getattr(figures, name)
        rows = np.stack((shares.value, shares.low, shares.high), axis=1).tolist()
        known = [None if math.isnan(row[0]) else row for row in rows]
        pairs = list(zip(labels, known, strict=True))
        results[name] = {label: row and row[0] for label, row in pairs}
        results[f"{name}_ci95"] = {label: row and row[1:] for label, row in pairs}
    return results


def as_text(evaluation: Evaluation) -> str:
    """Return the results and the confusion matrix as text."""
    low, high = evaluation.ci95
    low_accuracy, high_accuracy = evaluation.accuracy_ci95
    lines = [
        f"balanced accuracy  {evaluation.balanced_accuracy:.3f}  (95 % {low:.3f} to {high:.3f})",
        f"accuracy           {evaluation.accuracy:.3f}  "
        f"(95 % {low_accuracy:.3f} to {high_accuracy:.3f})",
        f"macro F1           {evaluation.macro_f1:.3f}",
        f"undecided          {evaluation.undecided_rate:.1%}",
        f"calibration error  {evaluation.ece:.3f}",
        f"surest {SURE:.0%}         {evaluation.sure_accuracy:.3f} right",
        f"faces              {evaluation.n}  ({evaluation.taken_whole} taken whole, "
        f"{evaluation.unreadable} unreadable)",
        f"decision           {evaluation.spikes_per_decision:.1f} output spikes in "
        f"{evaluation.decision_ms:g} ms of simulated time, {evaluation.energy_nj:.0f} nJ at "
        f"{PJ_PER_SYNAPTIC_OPERATION} pJ per synaptic operation (Loihi)",
        "",
        *_label_lines(evaluation),
        "",
        *_confusion_lines(evaluation),
    ]
    return "\n".join(lines)


def _label_lines(evaluation: Evaluation) -> list[str]:
    width = max(map(len, evaluation.labels)) + 2
    cell = len("0.999 (0.99 to 0.99)")
    titles = "".join(f"  {title:<{cell}}" for title in ("recall (95 %)", "precision", "F1"))
    lines = [" " * width + titles.rstrip()]
    for label in evaluation.labels:
        cells = []
        for name in ("recall", "precision", "f1"):
            value, interval = getattr(evaluation, name), getattr(evaluation, f"{name}_ci95")
            text = "none"
            if value[label] is not None:
                low, high = interval[label]
                text = f"{value[label]:.3f} ({low:.2f} to {high:.2f})"
            cells.append(f"  {text:<{cell}}")
        lines.append(f"{label:>{width}}" + "".join(cells).rstrip())
    return lines


def _confusion_lines(evaluation: Evaluation) -> list[str]:
    columns = (*evaluation.labels, "undecided")
    first = max(map(len, evaluation.labels)) + 2
    # Names are cut if the table would be wider than a terminal.
    width = min(max(map(len, columns)) + 2, (COLUMNS - first) // len(columns))
    width = max(width, *(len(str(count)) + 1 for row in evaluation.confusion for count in row))
    lines = [" " * first + "".join(f"{column[: width - 1]:>{width}}" for column in columns)]
    for label, row in zip(evaluation.labels, evaluation.confusion, strict=True):
        lines.append(f"{label:>{first}}" + "".join(f"{count:>{width}}" for count in row))
    return lines


def costs_as_text(clean: Evaluation, disturbed: Mapping[str, Evaluation]) -> str:
    """Return a table of the loss of accuracy by each disturbance."""
    lines = [f"{'':22} balanced accuracy   cost  taken whole"]
    for name, result in {"undisturbed": clean, **disturbed}.items():
        cost = clean.balanced_accuracy - result.balanced_accuracy
        lines.append(
            f"{name:22} {result.balanced_accuracy:17.3f} {cost:+6.3f} {result.taken_whole:12}"
        )
    return "\n".join(lines)
