"""Figures for print, with Matplotlib and no display."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fer_common.core.atomic import write_result
from fer_train.fairness import Kind, with_interval
from fer_train.metrics import ReliabilityBin
from fer_viz.core.drawing.plots import neuron_order
from fer_viz.core.drawing.receptive_fields import weight_limit
from fer_viz.core.drawing.style import LIGHT, Colour
from fer_viz.core.scene import Raster, ReceptiveFields, Traces, label_name

DPI = 300
FORMATS = ("png", "svg")
#: Width of two columns of a journal, inches.
_WIDTH_IN = 7.0
#: From this share on, numbers in a matrix are white.
_DARK_SHARE = 0.55
_RC: Any = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "fer",
}


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG (300 dpi) and SVG (with text as text); the bytes are reproducible.

    Raises
    ------
    ConfigurationError
        if the folder cannot be written.
    """
    paths = [folder / f"{name}.{kind}" for kind in FORMATS]
    for path, kind in zip(paths, FORMATS, strict=True):
        write_result(path, encoded(figure, kind))
    return paths


@rc_context(_RC)
def encoded(figure: Figure, kind: str = "png") -> bytes:
    """Return a figure in one of `FORMATS`."""
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {}
    figure.savefig(buffer, format=kind, dpi=DPI, metadata=metadata)
    return buffer.getvalue()


@rc_context(_RC)
def weights(fields: ReceptiveFields) -> Figure:
    """Draw the receptive field of every label (row), summed and by orientation (columns)."""
    maps, choices, labels = fields.maps, len(fields.choices), len(fields.labels)
    figure = _figure(_WIDTH_IN, 0.45 + labels * _WIDTH_IN / (choices + 1.2))
    cells: Any = figure.subplots(labels, choices, squeeze=False)
    # Sums over all orientations are larger than those of one, so each kind has its own scale.
    limits = [weight_limit(maps[0]) or 1.0]
    limits += [weight_limit(maps[1:]) or 1.0] * (choices - 1)
    colours = _colour_map(LIGHT.diverging)
    images: list[Any] = [None] * choices
    for row, label in enumerate(fields.labels):
        for column, choice in enumerate(fields.choices):
            axes, limit = cells[row, column], limits[column]
            images[column] = axes.imshow(maps[column, row], colours, vmin=-limit, vmax=limit)
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_visible(False)
            if row == 0:
                axes.set_title("all" if column == 0 else choice, fontsize=8)
            if column == 0:
                axes.set_ylabel(label, color=_rgb(LIGHT.label(row)), fontweight="bold")
    _weight_scale(figure, images[0], cells[:, 0], limits[0], shrink=0.9)
    if choices > 1:
        bar = _weight_scale(figure, images[1], cells[:, 1:], limits[1], shrink=0.4)
        bar.set_label("weight, ON minus OFF (dimensionless)")
    return figure


@rc_context(_RC)
def raster(spikes: Raster, fields: ReceptiveFields | None, span_s: float) -> Figure:
    """Draw one mark for each spike; neurons of a label are adjacent."""
    order = neuron_order(spikes.size, fields, LIGHT)
    figure = _figure(_WIDTH_IN, 0.8 + min(max(0.09 * spikes.size, 1.0), 6.0))
    axes: Any = figure.add_subplot()
    axes.scatter(
        span_s + spikes.time_s,
        order.row[spikes.neuron],
        s=min(2000.0 / spikes.size, 60.0),
        c=order.colour[spikes.neuron][:, ::-1] / 255.0,
        marker="|",
        linewidths=0.7,
    )
    axes.set_ylim(spikes.size - 0.5, -0.5)
    _time_axis(axes, span_s)
    groups = list(order.groups())
    rows = [order.row[neurons].mean() for _, neurons in groups]
    axes.set_yticks(rows, [_name(fields, label) for label, _ in groups])
    axes.tick_params(axis="y", length=0)
    for tick, (label, _) in zip(axes.get_yticklabels(), groups, strict=True):
        tick.set_color(_rgb(LIGHT.label(label)))
    rate_hz = len(spikes.time_s) / span_s / max(spikes.size, 1)
    axes.set_title(f"{spikes.size} expression neurons, {rate_hz:.1f} Hz", fontsize=8, loc="left")
    return figure


@rc_context(_RC)
def potentials(traces: Traces, fields: ReceptiveFields | None, span_s: float) -> Figure:
    """Draw the potentials of each label's neurons in a plot, with threshold and reset."""
    groups = list(neuron_order(traces.potential_v.shape[1], fields, LIGHT).groups())
    figure = _figure(_WIDTH_IN, 0.6 + 1.15 * len(groups))
    plots: Any = figure.subplots(len(groups), 1, sharex=True, sharey=True, squeeze=False)
    for axes, (label, neurons) in zip(plots[:, 0], groups, strict=True):
        colour = _rgb(LIGHT.label(label))
        values = 1e3 * traces.potential_v[:, neurons]
        axes.plot(span_s + traces.time_s, values, color=colour, linewidth=0.5, alpha=0.8)
        levels = (float(traces.threshold_v[neurons].mean()), traces.v_reset_v)
        for level_v, name in zip(levels, ("threshold", "reset"), strict=True):
            axes.axhline(1e3 * level_v, color="0.35", linewidth=0.6, linestyle=(0, (4, 3)))
            axes.annotate(
                name,
                (1.005, 1e3 * level_v),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=7,
                color="0.35",
            )
        axes.set_title(_name(fields, label), fontsize=8, loc="left", color=colour)
    figure.supylabel("membrane potential / mV", fontsize=8)
    _time_axis(plots[-1, 0], span_s)
    return figure


@rc_context(_RC)
def confusion(labels: Sequence[str], table: npt.NDArray[np.int64], title: str) -> Figure:
    """Draw how often each true label (row) got each result (column; the last: undecided)."""
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    count = len(labels)
    figure = _figure(1.6 + 0.75 * (count + 1), 1.2 + 0.65 * count)
    axes: Any = figure.add_subplot()
    colours = _colour_map((LIGHT.plate, LIGHT.labels[0]))
    image = axes.imshow(share, colours, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(count + 1), [*labels, "undecided"], rotation=30, ha="right")
    axes.set_yticks(range(count), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=8, loc="left")
    for row, column in np.argwhere(table):
        colour = "white" if share[row, column] > _DARK_SHARE else "black"
        text = f"{share[row, column]:.2f}\n{table[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    figure.colorbar(image, label="share of the true label")
    return figure


@rc_context(_RC)
def reliability(kinds: Mapping[str, Sequence[ReliabilityBin]]) -> Figure:
    """Draw the share of right answers over their confidence, with intervals and sizes.

    Parameters
    ----------
    kinds : the bins of each plot, by its title.
    """
    columns = min(len(kinds), 2)
    rows = -(-len(kinds) // columns)
    side_in = (0.6 if columns == 1 else 0.5) * _WIDTH_IN
    figure = _figure(columns * side_in, rows * side_in)
    plots: Any = figure.subplots(rows, columns, squeeze=False)
    for axes in plots.flat[len(kinds) :]:
        axes.remove()
    for axes, (title, bins) in zip(plots.flat, kinds.items(), strict=False):
        axes.plot((0, 1), (0, 1), color="grey", linewidth=0.8, linestyle="--")
        accuracy = np.array([each.accuracy for each in bins])
        bounds = np.array([each.ci95 for each in bins]).reshape(-1, 2)
        axes.errorbar(
            [each.confidence for each in bins],
            accuracy,
            yerr=np.abs(bounds.T - accuracy),
            fmt="o-",
            color=_rgb(LIGHT.labels[0]),
            markersize=4,
            linewidth=1.2,
        )
        for each in bins:
            axes.annotate(str(each.n), (each.confidence, 0.02), ha="center", fontsize=6)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set_title(title, fontsize=8, loc="left")
    figure.supxlabel("confidence (below: number of answers)", fontsize=8)
    figure.supylabel("share of right answers, with 95 % intervals", fontsize=8)
    return figure


@rc_context(_RC)
def groups(kinds: Mapping[str, Kind]) -> Figure:
    """Draw the accuracy of every group of people, with intervals; one plot for each kind."""
    sizes = [len(kind.groups) for kind in kinds.values()]
    figure = _figure(_WIDTH_IN, 0.6 + 0.28 * sum(sizes) + 0.5 * len(sizes))
    plots: Any = figure.subplots(len(sizes), sharex=True, squeeze=False, height_ratios=sizes)
    for axes, (name, kind) in zip(plots[:, 0], kinds.items(), strict=True):
        members = kind.groups.values()
        balanced = [(each.balanced_accuracy, each.ci95) for each in members]
        plain = [(each.accuracy, each.accuracy_ci95) for each in members]
        _shares(axes, balanced, "balanced accuracy", -0.12, LIGHT.labels[0], "o")
        _shares(axes, plain, "accuracy", 0.12, LIGHT.labels[1], "s")
        names = [f"{group} ({each.n})" for group, each in kind.groups.items()]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        gap = with_interval(kind.gap.value, kind.gap.ci95)
        title = f"{name}: gap {gap}, by chance up to {kind.gap.by_chance:.3f}"
        axes.set_title(title, fontsize=8, loc="left")
    plots[-1, 0].set_xlabel("share of right answers, with 95 % intervals")
    handles = plots[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _shares(
    axes: Any,
    shares: Sequence[tuple[float, tuple[float, float]]],
    label: str,
    offset: float,
    colour: Colour,
    marker: str,
) -> None:
    """Draw shares and their intervals, one in each row."""
    values = np.array([value for value, _ in shares])
    bounds = np.array([interval for _, interval in shares])
    axes.errorbar(
        values,
        np.arange(len(values)) + offset,
        xerr=np.abs(bounds.T - values),
        fmt=marker,
        color=_rgb(colour),
        label=label,
        markersize=4,
        linewidth=1.2,
    )


def _figure(width_in: float, height_in: float) -> Figure:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _weight_scale(figure: Figure, image: Any, cells: Any, limit: float, shrink: float) -> Any:
    bar = figure.colorbar(image, ax=cells, location="bottom", shrink=shrink, pad=0.02)
    bar.set_ticks([-limit, 0, limit], labels=[f"{value:.2g}" for value in (-limit, 0, limit)])
    return bar


def _rgb(colour: Colour) -> tuple[float, float, float]:
    blue, green, red = (part / 255 for part in colour)
    return red, green, blue


def _colour_map(anchors: Sequence[Colour]) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list("fer", [_rgb(anchor) for anchor in anchors])


def _time_axis(axes: Any, span_s: float) -> None:
    axes.set_xlim(0, span_s)
    axes.set_xlabel("time / s")


def _name(fields: ReceptiveFields | None, label: int) -> str:
    return label_name(() if fields is None else fields.labels, label)
