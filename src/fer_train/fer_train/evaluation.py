"""Evaluation of a network on labelled faces."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn import Network, ReadoutParameters
from fer_snn.core.neurons.lif import Float32s
from fer_train import metrics
from fer_train.presentation import present_all
from fer_train.progress import Progress, no_progress

PJ_PER_SYNAPTIC_OPERATION = 23.6
"""Energy of a synaptic operation on Intel's Loihi (Davies et al., IEEE Micro 38(1), 2018)."""
SURE = 0.8
DARK = 0.5
"""Recall above which a cell of the confusion matrix has white text."""


@dataclass(frozen=True)
class Evaluation:
    """The results that `fer evaluate --json` writes. `undecided` counts as wrong in all of them.

    Attributes
    ----------
    balanced_accuracy, ci95, macro_f1 : mean recall with its 95 % interval, and mean F1 score.
    labels, confusion : confusion matrix, true labels (rows), answers and undecided (columns).
    undecided_rate : share of faces without an answer.
    ece : expected calibration error of the faces with an answer.
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
    labels: tuple[str, ...]
    confusion: list[list[int]]
    undecided_rate: float
    ece: float
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
) -> Evaluation:
    """Present faces to a network and return the results.

    Parameters
    ----------
    features:
        Features of the faces (faces, channels, rows, cols).
    truth:
        Index of the label of each face in the labels of the network (faces).
    """
    model = network.model
    n_labels = len(model.labels)
    presentation = model.calibration.presentation
    n_steps = network.parameters.steps(presentation)
    responses = present_all(network, features, n_steps, progress)
    said, confidence = responses.said(model, model.calibration, readout)
    table = metrics.confusion(truth, said, n_labels)
    answered = said >= 0
    operations = float(responses.operations.mean())
    return Evaluation(
        balanced_accuracy=metrics.balanced_accuracy(table),
        ci95=metrics.accuracy_interval(table),
        macro_f1=metrics.macro_f1(table),
        labels=model.labels,
        confusion=table.tolist(),
        undecided_rate=float((~answered).mean()),
        ece=metrics.expected_calibration_error(confidence[answered], (said == truth)[answered]),
        sure_accuracy=metrics.sure_accuracy(confidence, said == truth, SURE),
        n=len(truth),
        spikes_per_decision=float(responses.spikes.mean()),
        decision_ms=presentation * 1e3,
        energy_nj=operations * PJ_PER_SYNAPTIC_OPERATION * 1e-3,
        synaptic_operations=operations,
    )


def as_text(evaluation: Evaluation) -> str:
    """Return the results and the confusion matrix as text."""
    low, high = evaluation.ci95
    columns = (*evaluation.labels, "undecided")
    width = max(len(column) for column in columns) + 2
    lines = [
        f"balanced accuracy  {evaluation.balanced_accuracy:.3f}  (95 % {low:.3f} to {high:.3f})",
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
        " " * width + "".join(f"{column:>{width}}" for column in columns),
    ]
    for label, row in zip(evaluation.labels, evaluation.confusion, strict=True):
        lines.append(f"{label:>{width}}" + "".join(f"{count:>{width}}" for count in row))
    return "\n".join(lines)


def costs_as_text(clean: Evaluation, disturbed: Mapping[str, Evaluation]) -> str:
    """Return a table of the loss of accuracy by each disturbance."""
    lines = [f"{'':22} balanced accuracy   cost  taken whole"]
    for name, result in {"undisturbed": clean, **disturbed}.items():
        cost = clean.balanced_accuracy - result.balanced_accuracy
        lines.append(
            f"{name:22} {result.balanced_accuracy:17.3f} {cost:+6.3f} {result.taken_whole:12}"
        )
    return "\n".join(lines)


def confusion_png(evaluation: Evaluation) -> bytes:
    """Return the confusion matrix as PNG, in shares of each true label."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    table = np.array(evaluation.confusion)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(1.4 * len(table) + 2.2, 1.1 * len(table) + 1.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(
        range(table.shape[1]), [*evaluation.labels, "undecided"], rotation=30, ha="right"
    )
    axes.set_yticks(range(table.shape[0]), evaluation.labels)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    axes.set_title(f"balanced accuracy {evaluation.balanced_accuracy:.3f}, {evaluation.n} faces")
    for (row, column), count in np.ndenumerate(table):
        colour = "white" if share[row, column] > DARK else "black"
        axes.text(
            column,
            row,
            f"{share[row, column]:.2f}\n{count}",
            ha="center",
            va="center",
            color=colour,
        )
    figure.colorbar(image, label="share of the true label")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()
