"""Scaling plots: cost against neurons, faces, image size and frame rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_bench.measure import OWN
from fer_bench.results import Measurement, Results

FILE_NAME = "performance.svg"
_COLOURS = {"STDP on": "#b3402a", "STDP off": "#2a6fb3"}
_INK, _GRID = "#404040", "#e0e0e0"


@dataclass(frozen=True)
class Panel:
    """A plot.

    Attributes
    ----------
    title, x_label, y_label : texts.
    curves : series of the measurements, by what the legend says.
    logarithmic : both axes.
    """

    title: str
    x_label: str
    y_label: str
    curves: dict[str, str]
    logarithmic: bool = False


PANELS = (
    Panel(
        "neurons: a step of 1 ms, 1152 inputs",
        "output neurons",
        "CPU, us",
        {"STDP on": "outputs, STDP on", "STDP off": "outputs, STDP off"},
        logarithmic=True,
    ),
    Panel(
        "faces: work on a frame, features and snn",
        "faces in view",
        "CPU, ms",
        {"with the detector": "faces, whole frame's work"},
    ),
    Panel(
        "image size: whole graph, 30 Hz, overlay on",
        "megapixels",
        "CPU, % of a core",
        {"all nodes": "image size, whole graph"},
    ),
    Panel(
        "frame rate: whole graph, 640x480, overlay on",
        "Hz",
        "CPU, % of a core",
        {"all nodes": "frame rate, whole graph"},
    ),
)


def draw(results: Results, folder: Path) -> None:
    """Write the plots into a folder; panels of which nothing was measured stay empty."""
    # Text stays text, and equal figures give an equal file.
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "fer", "font.size": 9}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        for axes, panel in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            _draw_panel(axes, panel, results.measurements)
        figure.savefig(folder / FILE_NAME, metadata={"Date": None})


def _draw_panel(axes: Axes, panel: Panel, measurements: Sequence[Measurement]) -> None:
    axes.set_title(panel.title, fontsize=10, color=_INK)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")
        # Room for the legend.
        axes.margins(y=0.35)
    for label, series in panel.curves.items():
        points = sorted((m for m in measurements if m.series == series), key=lambda m: m.x)
        if not points:
            continue
        colour = _COLOURS.get(label, _COLOURS["STDP off"])
        x = [point.x for point in points]
        axes.plot(x, [p.value for p in points], "o-", color=colour, label=f"{OWN}, {label}")
        for peer, style in (("Brian2", "s--"), ("NumPy", "^:")):
            beside = [(p.x, p.peers[peer].value) for p in points if peer in p.peers]
            if beside:
                legend = f"{peer}, {label}"
                axes.plot(*zip(*beside, strict=True), style, color=colour, alpha=0.6, label=legend)
    if not panel.logarithmic:
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=7, ncols=2)
