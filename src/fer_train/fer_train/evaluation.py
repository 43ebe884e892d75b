"""Evaluation: how well a network recognises faces that it has not learnt from."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.network import Network
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import ReadoutParameters
from fer_train import metrics
from fer_train.presentation import Progress, present_all

PJ_PER_SYNAPTIC_OPERATION = 23.6
"""Energy of a synaptic operation on Intel's Loihi (Davies et al., IEEE Micro 38(1), 2018)."""
SURE = 0.8
DARK = 0.5
"""Share of a true label above which its cell is so dark that the text is white."""


@dataclass(frozen=True)
class Evaluation:
    """The figures, as `fer evaluate --json` writes them. `undecided` is wrong in all of them.

    Attributes
    ----------
    balanced_accuracy, ci95, macro_f1 : with the 95 % interval of the first.
    labels, confusion : true label (row) against what was said (column); last column undecided.
    undecided_rate : share of the faces.
    ece : expected calibration error over the faces that got an answer.
    sure_accuracy : share that is right of the `SURE` part of the faces with the most confidence.
    n : number of faces.
    spikes_per_decision : mean number of spikes of the expression layer.
    decision_ms : simulated time that a face is looked at.
    energy_nj : mean energy of a decision, synaptic operations times `PJ_PER_SYNAPTIC_OPERATION`.
    synaptic_operations : mean number of them.
    taken_whole : pictures in which no face was found, or looked for.
    unreadable : files that were left out.
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
        """Return the figures as JSON takes them."""
        return asdict(self)


def evaluate(
    network: Network,
    features: Float32s,
    truth: NDArray[np.int64],
    readout: ReadoutParameters,
    progress: Progress = lambda done, total: None,
) -> Evaluation:
    """Show faces to a network and count.

    Parameters
    ----------
    features:
        (faces, channels, rows, cols).
    truth:
        Index of the label of each face in the network's labels (faces).
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
        ci95=metrics.bootstrap_interval(truth, said, n_labels),
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
    """Return the figures and the confusion matrix for people."""
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
    """Return a table of what each disturbance costs, for people."""
    lines = [f"{'':22} balanced accuracy   cost  taken whole"]
    for name, result in {"as they are": clean, **disturbed}.items():
        cost = clean.balanced_accuracy - result.balanced_accuracy
        lines.append(
            f"{name:22} {result.balanced_accuracy:17.3f} {cost:+6.3f} {result.taken_whole:12}"
        )
    return "\n".join(lines)


def confusion_png(evaluation: Evaluation) -> bytes:
    """Return a PNG of the confusion matrix, as shares of each true label."""
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
