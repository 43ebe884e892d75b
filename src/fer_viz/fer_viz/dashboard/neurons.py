"""Membrane potentials and spikes of the last second."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from pyqtgraph.Qt import QtCore

from fer_viz.core import plots
from fer_viz.core.canvas import Box
from fer_viz.core.palette import mapped, mix
from fer_viz.core.plots import NeuronOrder
from fer_viz.core.scene import UNNAMED, Indices, Raster, Scene, Seconds, Traces
from fer_viz.core.text import MINUS
from fer_viz.dashboard.parts import Card, TimePlot
from fer_viz.dashboard.style import Style, qcolour

#: With more neurons or labels than these, potentials are drawn as a map.
MOST_LINES, MOST_LANES = 32, 8
#: A lane reaches so far above the threshold and below the reset potential, volts.
ABOVE_V, BELOW_V = 0.010, 0.010
_MILLI = 1e3
#: Where in its lane the mark of a spike ends.
_SPIKE_TOP = 0.06
#: More points of a line than these cannot be told apart.
_POINTS_PER_PX = 1.5
#: Rows and columns of the feature layer's picture.
_FEATURE_ROWS = 48
_FEATURE_COLUMNS = 300
#: Letters of a label beside its neurons.
_LONGEST = 10


class PotentialCard(Card):
    """A lane for each label with a line for each of its neurons; a map where there are many.

    In a lane the threshold and the reset potential are dashed lines. Potentials that inhibition has
    pushed below the lane lie at its lower edge.
    """

    def __init__(self) -> None:
        super().__init__("Membrane potential")
        self.plot = TimePlot(wide=True)
        self.body.addWidget(self.plot, 1)
        self.lines: list[Any] = []
        self.spikes: list[Any] = []
        #: Threshold and reset of every lane.
        self.levels: list[Any] = []
        self.map = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.map)

    def show_scene(self, scene: Scene) -> None:
        """Draw the potentials of the face that is followed."""
        traces = scene.traces
        self.plot.set_empty("" if traces is not None else waiting(scene, "potentials"))
        self.plot.set_span(scene.span_s)
        if traces is None:
            self._arrange(0, 0)
            self.note = ""
            return
        neurons = traces.potential_v.shape[1]
        order = plots.neuron_order(neurons, scene.fields, self.style_now.theme)
        lanes = np.unique(order.label)
        as_map = neurons > MOST_LINES or len(lanes) > MOST_LANES
        self.map.setVisible(as_map)
        if as_map:
            self._arrange(0, 0)
            self._show_map(scene, traces, order)
        else:
            self._arrange(neurons, len(lanes))
            self._show_lanes(scene, traces, order)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.plot.restyle(style)

    def _arrange(self, neurons: int, lanes: int) -> None:
        """Have as many items as are needed."""
        for items, wanted, make in (
            (self.levels, 2 * lanes, lambda: pg.InfiniteLine(angle=0)),
            (self.lines, neurons, lambda: pg.PlotCurveItem(connect="finite")),
            (self.spikes, lanes, lambda: pg.PlotCurveItem(connect="pairs")),
        ):
            while len(items) > wanted:
                self.plot.removeItem(items.pop())
            while len(items) < wanted:
                items.append(make())
                self.plot.addItem(items[-1])

    def _show_lanes(self, scene: Scene, traces: Traces, order: NeuronOrder) -> None:
        lanes = np.unique(order.label)
        # Neurons without a label come last, as they do in the raster.
        lanes = np.concatenate([lanes[lanes >= 0], lanes[lanes < 0]])
        low_v = traces.v_reset_v - BELOW_V
        high_v = float(traces.threshold_v.max()) + ABOVE_V
        self.plot.set_rows(len(lanes))
        width = self.plot.area_px[0]
        stride = max(round(len(traces.time_s) / (_POINTS_PER_PX * width)), 1)
        time_s, potential_v = traces.time_s[::stride], traces.potential_v[::stride]
        share = np.minimum((high_v - potential_v) / (high_v - low_v), 1.0)
        said = scene.focus.label_index if scene.focus is not None else UNNAMED
        theme = self.style_now.theme
        for lane, (label, spikes) in enumerate(zip(lanes.tolist(), self.spikes, strict=True)):
            own = np.flatnonzero(order.label == label)
            colour = theme.label(label)
            shown = colour if said in (UNNAMED, label) else mix(colour, theme.plate, 0.4)
            stroke = self.style_now.stroke(shown)
            times = _spikes_of(scene, own, len(order.row), width)
            level = lane + (high_v - float(traces.threshold_v[own].mean())) / (high_v - low_v)
            ends = np.tile([level, lane + _SPIKE_TOP], len(times))
            spikes.setData(np.repeat(times, 2), ends, pen=stroke["pen"], antialias=False)
            for neuron in own:
                self.lines[neuron].setData(time_s, lane + share[:, neuron], **stroke)
        self._mark_levels(scene, traces, order, lanes, (low_v, high_v))

    def _mark_levels(
        self,
        scene: Scene,
        traces: Traces,
        order: NeuronOrder,
        lanes: Indices,
        limits_v: tuple[float, float],
    ) -> None:
        """Draw threshold and reset of every lane, with names at the left and mV at the right."""
        low_v, high_v = limits_v
        theme, marks, names = self.style_now.theme, [], []
        dashes = QtCore.Qt.PenStyle.DashLine
        for lane, label in enumerate(lanes):
            threshold_v = float(traces.threshold_v[order.label == label].mean())
            for side, value_v in enumerate((threshold_v, traces.v_reset_v)):
                level = lane + (high_v - value_v) / (high_v - low_v)
                line = self.levels[2 * lane + side]
                line.setValue(level)
                strength = 0.55 if side == 0 else 0.25
                colour = mix(theme.rule, theme.normal, strength)
                line.setPen(pg.mkPen(qcolour(colour), width=1, style=dashes))
                marks.append((level, f"{_millivolts(value_v)} mV"))
            names.append((lane + 0.5, _short(scene, int(label))))
        self.plot.set_marks("left", names)
        self.plot.set_marks("right", marks)
        self.note = "dashed: threshold, reset"

    def _show_map(self, scene: Scene, traces: Traces, order: NeuronOrder) -> None:
        theme = self.style_now.theme
        columns = self.plot.area_px[0]
        picked, known = plots.sampled(traces.time_s, traces.potential_v, scene.span_s, columns)
        by_row = np.empty((len(order.row), columns), np.float32)
        by_row[order.row] = picked.T
        low_v, high_v = traces.v_reset_v, float(traces.threshold_v.mean())
        colours = mapped(by_row, low_v, high_v, theme.sequential)
        colours[:, ~known] = theme.plate
        _show_picture(self.map, colours, scene.span_s, len(colours))
        self.plot.set_rows(len(order.row))
        self.plot.set_marks("left", _label_marks(scene, order))
        self.plot.set_marks("right", [])
        self.note = f"{_millivolts(low_v)} (reset) to {_millivolts(high_v)} mV (threshold)"


class RasterCard(Card):
    """Spikes of the expression layer: one row for each neuron, those of a label together."""

    def __init__(self) -> None:
        super().__init__("Spikes")
        self.plot = TimePlot(wide=True)
        self.plot.set_marks("right", [])
        self.body.addWidget(self.plot, 1)
        # Pixels, because the marks of thousands of spikes cost too much as lines.
        self.map = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.map)

    def show_scene(self, scene: Scene) -> None:
        """Draw the spikes of the face that is followed."""
        raster = scene.raster
        self.plot.set_empty("" if raster is not None else waiting(scene, "spikes"))
        self.plot.set_span(scene.span_s)
        self.map.setVisible(raster is not None)
        if raster is None:
            self.note = ""
            return
        theme = self.style_now.theme
        order = plots.neuron_order(raster.size, scene.fields, theme)
        width, height = self.plot.area_px
        picture = np.empty((height, width, 3), np.uint8)
        picture[...] = theme.plate
        plots.draw_raster(picture, Box(0, 0, width, height), scene, order, self.style_now.look)
        _show_picture(self.map, picture, scene.span_s, raster.size)
        self.plot.set_rows(raster.size)
        self.plot.set_marks("left", _label_marks(scene, order))
        spikes = np.count_nonzero((raster.time_s >= -scene.span_s) & (raster.time_s <= 0))
        rate_hz = spikes / scene.span_s / max(raster.size, 1)
        self.note = f"{raster.size} neurons, {rate_hz:.1f} Hz"

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.plot.restyle(style)


class FeatureRasterCard(Card):
    """Spikes of the feature layer: how many in each of its channels."""

    def __init__(self) -> None:
        super().__init__("Spikes of the feature layer")
        self.plot = TimePlot(wide=True)
        self.plot.set_marks("right", [])
        self.body.addWidget(self.plot, 1)
        self.map = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.map)

    def show_spikes(self, raster: Raster | None, span_s: float) -> None:
        """Draw how many spikes fell into each row and column."""
        self.plot.set_empty("" if raster is not None else "waiting for the feature layer")
        self.plot.set_span(span_s)
        self.map.setVisible(raster is not None)
        if raster is None:
            self.note = ""
            return
        counts = binned(raster, span_s, min(raster.size, _FEATURE_ROWS), _FEATURE_COLUMNS)
        colours = mapped(counts, 0, max(float(counts.max()), 1), self.style_now.theme.sequential)
        _show_picture(self.map, colours, span_s, len(colours))
        rows = len(counts)
        self.plot.set_rows(rows)
        marks = [(0.25 * rows, "ON"), (0.75 * rows, "OFF")]
        self.plot.set_marks("left", marks)
        rate_hz = len(raster.time_s) / span_s / max(raster.size, 1)
        self.note = f"{raster.size} neurons, {rate_hz:.1f} Hz"

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.plot.restyle(style)


def waiting(scene: Scene, what: str) -> str:
    """Say why there is nothing to see."""
    if scene.status.hint:
        return scene.status.hint
    return f"no {what} yet" if scene.focus is not None else "no face in view"


def binned(raster: Raster, span_s: float, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Count spikes by neuron and time, (rows, columns)."""
    inside = (raster.time_s >= -span_s) & (raster.time_s <= 0)
    column = plots.columns(raster.time_s[inside], span_s, columns)
    row = raster.neuron[inside] * rows // max(raster.size, 1)
    counts = np.bincount(row * columns + column, minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.float32)


def _spikes_of(scene: Scene, neurons: Indices, size: int, width_px: int) -> Seconds:
    """Return when any of some neurons fired, once for each column of pixels."""
    raster = scene.raster
    if raster is None or raster.size != size:
        return np.empty(0)
    inside = (raster.time_s >= -scene.span_s) & (raster.time_s <= 0)
    own = inside & np.isin(raster.neuron, neurons)
    column = np.unique(plots.columns(raster.time_s[own], scene.span_s, width_px))
    return ((column + 0.5) / width_px - 1) * scene.span_s


def _show_picture(item: Any, picture: npt.NDArray[np.uint8], span_s: float, rows: int) -> None:
    """Lay a picture, (height, width, 3) BGR, over the last seconds and so many rows."""
    item.setImage(np.ascontiguousarray(picture[..., ::-1]), autoLevels=False, levels=None)
    item.setRect(QtCore.QRectF(-span_s, 0, span_s, max(rows, 1)))


def _label_marks(scene: Scene, order: NeuronOrder) -> list[tuple[float, str]]:
    """Return the name of each label at the middle of its neurons."""
    marks = []
    for label in np.unique(order.label):
        rows = order.row[order.label == label]
        marks.append((float(rows.mean()) + 0.5, _short(scene, int(label))))
    return marks


def _short(scene: Scene, label: int) -> str:
    """Return the name of a label, as much of it as there is room for beside a plot."""
    name = scene.labels[label] if 0 <= label < len(scene.labels) else "unnamed"
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _millivolts(value_v: float) -> str:
    return f"{value_v * _MILLI:.0f}".replace("-", MINUS)
