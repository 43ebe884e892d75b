"""Cards with plots over time: potentials, spikes, scores and spike rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from pyqtgraph.Qt import QtCore

from fer_viz.core.drawing import plots
from fer_viz.core.drawing.canvas import Box
from fer_viz.core.drawing.plots import NeuronOrder, millivolts
from fer_viz.core.drawing.style import Style, colour_mapped, mix
from fer_viz.core.history import SCORE_SPAN_S
from fer_viz.core.scene import (
    UNNAMED,
    Indices,
    Raster,
    Scene,
    ScoreHistory,
    Seconds,
    Traces,
    label_name,
)
from fer_viz.dashboard.cards import PlotCard
from fer_viz.dashboard.style import qcolour, stroke

#: With more neurons or labels than these, potentials are drawn as a colour map.
MOST_LINES, MOST_LANES = 32, 8
#: How far a lane extends above the threshold and below the reset potential, volts.
ABOVE_V, BELOW_V = 0.010, 0.010
#: Upper end of the stroke of a spike, share of its lane.
_SPIKE_TOP = 0.06
#: More points of a line than these cannot be told apart.
_POINTS_PER_PX = 1.5
#: Rows and columns of the picture of the feature layer.
_FEATURE_ROWS, _FEATURE_COLUMNS = 48, 300
#: Longest name of a label beside its neurons, characters.
_LONGEST = 10
#: The axis of rates ends at a multiple of this, so that it rarely changes.
_RATE_STEP_HZ = 10.0


class PotentialCard(PlotCard):
    """A lane for each label with a line for each of its neurons; a colour map for many neurons.

    In a lane, threshold and reset potential are dashed lines. Potentials below the lane are drawn
    at its lower edge.
    """

    def __init__(self) -> None:
        super().__init__("Membrane potential")
        self.lines: list[Any] = []
        self.spikes: list[Any] = []
        #: Threshold and reset of every lane.
        self.levels: list[Any] = []

    def show_scene(self, scene: Scene) -> None:
        """Draw the potentials of the face in focus."""
        traces = scene.traces
        self.prepare(traces, scene.span_s, waiting(scene, "potentials"))
        if traces is None:
            self._set_lanes(0, 0)
            return
        neurons = traces.potential_v.shape[1]
        order = plots.neuron_order(neurons, scene.fields, self.style_now.theme)
        lanes = len(np.unique(order.label))
        if neurons > MOST_LINES or lanes > MOST_LANES:
            self._set_lanes(0, 0)
            self._show_map(scene, traces, order)
        else:
            self.map.hide()
            self._set_lanes(neurons, lanes)
            self._show_lanes(scene, traces, order)

    def _set_lanes(self, neurons: int, lanes: int) -> None:
        self.plot.set_items(self.levels, 2 * lanes, lambda: pg.InfiniteLine(angle=0))
        self.plot.set_items(self.lines, neurons, lambda: pg.PlotCurveItem(connect="finite"))
        self.plot.set_items(self.spikes, lanes, lambda: pg.PlotCurveItem(connect="pairs"))

    def _show_lanes(self, scene: Scene, traces: Traces, order: NeuronOrder) -> None:
        """Draw the lanes, with labels at the left and mV at the right."""
        low_v = traces.v_reset_v - BELOW_V
        high_v = float(traces.threshold_v.max()) + ABOVE_V

        def height(value_v: Any) -> Any:
            return (high_v - value_v) / (high_v - low_v)

        self.plot.set_rows(len(self.spikes))
        width = self.plot.area_px[0]
        stride = max(round(len(traces.time_s) / (_POINTS_PER_PX * width)), 1)
        time_s = traces.time_s[::stride]
        y = np.minimum(height(traces.potential_v[::stride]), 1.0)
        predicted = scene.focus.label_index if scene.focus is not None else UNNAMED
        theme, names, marks = self.style_now.theme, [], []
        for lane, (label, own) in enumerate(order.groups()):
            colour = theme.label(label)
            shown = colour if predicted in (UNNAMED, label) else mix(colour, theme.plate, 0.4)
            line = stroke(self.style_now, shown)
            for neuron in own:
                self.lines[neuron].setData(time_s, lane + y[:, neuron], **line)
            threshold_v = float(traces.threshold_v[own].mean())
            for side, (value_v, strength) in enumerate(
                ((threshold_v, 0.55), (traces.v_reset_v, 0.25))
            ):
                level = lane + height(value_v)
                self._mark_level(2 * lane + side, level, strength)
                marks.append((level, f"{millivolts(value_v)} mV"))
            times_s = _spike_times_s(scene, own, len(order.row), width)
            ends = np.tile([lane + height(threshold_v), lane + _SPIKE_TOP], len(times_s))
            spikes = np.repeat(times_s, 2)
            self.spikes[lane].setData(spikes, ends, pen=line["pen"], antialias=False)
            names.append((lane + 0.5, _short_name(scene, label)))
        self.plot.set_marks("left", names)
        self.plot.set_marks("right", marks)
        self.note = "dashed: threshold, reset"

    def _mark_level(self, index: int, level: float, strength: float) -> None:
        theme = self.style_now.theme
        colour = qcolour(mix(theme.rule, theme.normal, strength))
        self.levels[index].setValue(level)
        self.levels[index].setPen(pg.mkPen(colour, width=1, style=QtCore.Qt.PenStyle.DashLine))

    def _show_map(self, scene: Scene, traces: Traces, order: NeuronOrder) -> None:
        theme, width = self.style_now.theme, self.plot.area_px[0]
        colours, known = plots.potential_map(traces, order, scene.span_s, width, theme)
        colours[:, ~known] = theme.plate
        self.show_map(colours, scene.span_s, len(colours))
        self.plot.set_marks("left", _label_marks(scene, order))
        self.plot.set_marks("right", [])
        threshold_v = float(traces.threshold_v.mean())
        ends = f"{millivolts(traces.v_reset_v)} (reset) to {millivolts(threshold_v)} mV (threshold)"
        self.note = ends


class RasterCard(PlotCard):
    """Spikes of the expression layer: a row for each neuron, neurons of a label adjacent."""

    def __init__(self) -> None:
        super().__init__("Spikes")

    def show_scene(self, scene: Scene) -> None:
        """Draw the spikes of the face in focus."""
        raster = scene.raster
        self.prepare(raster, scene.span_s, waiting(scene, "spikes"))
        if raster is None:
            return
        theme = self.style_now.theme
        order = plots.neuron_order(raster.size, scene.fields, theme)
        width, height = self.plot.area_px
        picture = np.empty((height, width, 3), np.uint8)
        picture[...] = theme.plate
        plots.draw_raster(picture, Box(0, 0, width, height), scene, order, self.style_now)
        self.show_map(picture, scene.span_s, raster.size)
        self.plot.set_marks("left", _label_marks(scene, order))
        self.note = _rate_note(raster, scene.span_s)


class FeatureRasterCard(PlotCard):
    """Number of spikes in each channel of the feature layer."""

    def __init__(self) -> None:
        super().__init__("Spikes of the feature layer")

    def show_spikes(self, raster: Raster | None, span_s: float) -> None:
        """Draw the number of spikes in each row and column."""
        self.prepare(raster, span_s, "waiting for the feature layer")
        if raster is None:
            return
        counts = binned(raster, span_s, min(raster.size, _FEATURE_ROWS), _FEATURE_COLUMNS)
        most, rows = max(float(counts.max()), 1), len(counts)
        colours = colour_mapped(counts, 0, most, self.style_now.theme.sequential)
        self.show_map(colours, span_s, rows)
        self.plot.set_marks("left", [(0.25 * rows, "ON"), (0.75 * rows, "OFF")])
        self.note = _rate_note(raster, span_s)


class ScoreCard(PlotCard):
    """Scores or spike rates of the last half minute: a line for each label."""

    def __init__(self, title: str, unit: str) -> None:
        super().__init__(title, wide=False)
        self._unit = unit
        self.lines: list[Any] = []
        self.prepare(None, SCORE_SPAN_S, "")
        self.note = unit

    def show_scores(self, history: ScoreHistory | None, why: str) -> None:
        """Draw scores, 0..1, or say why there are none."""
        self.plot.set_y(0, 1)
        self._show(history, np.empty(0) if history is None else history.scores, why)

    def show_rates(self, history: ScoreHistory | None, why: str) -> None:
        """Draw rates in Hz, or say why there are none."""
        rates_hz = np.empty(0) if history is None else history.rates_hz
        steps = max(np.ceil(float(rates_hz.max(initial=0.0)) / _RATE_STEP_HZ), 1.0)
        self.plot.set_y(0, _RATE_STEP_HZ * steps)
        self._show(history, rates_hz, why)

    def _show(self, history: ScoreHistory | None, values: npt.NDArray[Any], why: str) -> None:
        self.prepare(history, SCORE_SPAN_S, why)
        self.note = self._unit
        labels = () if history is None else history.labels
        self.plot.set_items(self.lines, len(labels), pg.PlotCurveItem)
        for index, line in enumerate(self.lines):
            assert history is not None
            style: Style = self.style_now
            line.setData(
                history.time_s, values[:, index], **stroke(style, style.theme.label(index))
            )


def waiting(scene: Scene, what: str) -> str:
    """Say why there is no `what` to show."""
    return scene.status.hint or scene.missing(what)


def binned(raster: Raster, span_s: float, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Count spikes by neuron and time, (rows, columns)."""
    spikes = raster.last(span_s)
    column = plots.columns(spikes.time_s, span_s, columns)
    row = spikes.neuron * rows // max(raster.size, 1)
    counts = np.bincount(row * columns + column, minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.float32)


def _spike_times_s(scene: Scene, neurons: Indices, size: int, width_px: int) -> Seconds:
    """Return when any of some neurons fired, at most once for each column of pixels."""
    if scene.raster is None or scene.raster.size != size:
        return np.empty(0)
    spikes = scene.raster.last(scene.span_s)
    times_s = spikes.time_s[np.isin(spikes.neuron, neurons)]
    column = np.unique(plots.columns(times_s, scene.span_s, width_px))
    return ((column + 0.5) / width_px - 1) * scene.span_s


def _label_marks(scene: Scene, order: NeuronOrder) -> list[tuple[float, str]]:
    """Return the name of each label at the middle of its neurons."""
    return [
        (float(order.row[neurons].mean()) + 0.5, _short_name(scene, label))
        for label, neurons in order.groups()
    ]


def _short_name(scene: Scene, label: int) -> str:
    """Return as much of the name of a label as there is room for beside a plot."""
    name = label_name(scene.labels, label)
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _rate_note(raster: Raster, span_s: float) -> str:
    return f"{raster.size} neurons, {raster.rate_hz(span_s):.1f} Hz"
