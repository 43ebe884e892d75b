"""Membrane potentials and spikes of the last moments, drawn into a box of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.drawing.canvas import SHIFT, SUBPIXEL, Box, Picture, fill
from fer_viz.core.drawing.style import Colour, Style, Theme, colour_mapped, mix
from fer_viz.core.drawing.text import MINUS, Align, fitted, write
from fer_viz.core.scene import (
    UNNAMED,
    Floats,
    Indices,
    Raster,
    ReceptiveFields,
    Scene,
    Seconds,
    Traces,
    label_name,
)

#: Lower lanes than this, in units of the design, become a colour map.
_LEAST_LANE = 15
#: How far a lane extends above the threshold, where spikes are marked, and below reset; volts.
ABOVE_V, BELOW_V = 0.014, 0.006
#: Height of the mark of a spike, share of its lane, and its highest, in units of the design.
_TICK_SHARE, _HIGHEST_TICK = 0.16, 6
#: How far lines fade into the background: of the neurons that are shown faintly, and of the
#: opaque neuron of labels that are not the answer.
_FAINT, _PALER = 0.78, 0.25
#: Lines in a lane; of more neurons, every second, third ... is drawn.
_MOST_LINES = 6
#: More points of a line than these, for each pixel, cannot be told apart.
_POINTS_PER_PX = 1.5
#: Glances closer than this, in units of the design, are not marked.
_LEAST_GLANCE = 5
#: Where times are written, shares of the axis.
_TIME_MARKS: tuple[tuple[float, Align], ...] = ((0.0, "left"), (0.5, "centre"), (1.0, "right"))


@dataclass(frozen=True)
class NeuronOrder:
    """Row and colour of each neuron: neurons of one label are adjacent, unnamed ones come last.

    Attributes
    ----------
    row : (neurons,) row from the top.
    label : (neurons,) label index, `UNNAMED` for none.
    colour : (neurons, 3) BGR.
    """

    row: Indices
    label: Indices
    colour: npt.NDArray[np.uint8]

    def groups(self) -> Iterator[tuple[int, Indices]]:
        """Yield each label index with its neurons, from the top row down."""
        labels = np.unique(self.label)
        for label in (*labels[labels >= 0].tolist(), *labels[labels < 0].tolist()):
            yield label, np.flatnonzero(self.label == label)


def neuron_order(neurons: int, fields: ReceptiveFields | None, theme: Theme) -> NeuronOrder:
    """Order neurons by label.

    Without labels, or with labels for another number of neurons, all neurons count as unnamed.
    """
    if fields is None or len(fields.neuron_label) != neurons:
        label = np.full(neurons, UNNAMED, np.int64)
    else:
        label = fields.neuron_label
    order = np.argsort(np.where(label == UNNAMED, np.iinfo(np.int64).max, label), kind="stable")
    row = np.empty(neurons, np.int64)
    row[order] = np.arange(neurons)
    labels, place = np.unique(label, return_inverse=True)
    colours = np.array([theme.label(int(index)) for index in labels], np.uint8).reshape(-1, 3)
    return NeuronOrder(row, label, colours[place])


# Spikes


def draw_raster(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style) -> None:
    """Draw one mark for each spike: time to the right, one row for each neuron."""
    if scene.raster is None:
        return
    draw_gaps(picture, box, scene.raster, scene.span_s, style)
    spikes = scene.raster.last(scene.span_s)
    if not len(spikes.neuron):
        return
    width = style.at_least(1, 1.5)
    pitch = box.height / len(order.row)
    height = max(1, min(int(pitch * 0.72), style.px(14)))
    left = columns(spikes.time_s, scene.span_s, box.width - width + 1)
    top = np.round((order.row[spikes.neuron] + 0.5) * pitch - height / 2).astype(np.int64)
    y, x = np.mgrid[0:height, 0:width]
    rows = np.clip(top, 0, box.height - height)[:, None, None] + y
    box.of(picture)[rows, left[:, None, None] + x] = order.colour[spikes.neuron][:, None, None]


def draw_counts(picture: Picture, box: Box, raster: Raster, span_s: float, style: Style) -> None:
    """Draw the number of spikes of a large layer by neuron and time."""
    rows, across = max(min(raster.size, box.height), 1), max(box.width // style.at_least(1, 2), 1)
    counts = binned(raster, span_s, rows, across)
    colours = colour_mapped(counts, 0, max(float(counts.max()), 1), style.theme.sequential)
    box.of(picture)[...] = cv2.resize(colours, box[2:], interpolation=cv2.INTER_NEAREST)
    draw_gaps(picture, box, raster, span_s, style)


def binned(raster: Raster, span_s: float, rows: int, across: int) -> npt.NDArray[np.float32]:
    """Count spikes by neuron and time, (rows, across)."""
    spikes = raster.last(span_s)
    row = spikes.neuron * rows // max(raster.size, 1)
    place = row * across + columns(spikes.time_s, span_s, across)
    return np.bincount(place, minlength=rows * across).reshape(rows, across).astype(np.float32)


def draw_gaps(picture: Picture, box: Box, raster: Raster, span_s: float, style: Style) -> None:
    """Shade the times that were not simulated."""
    part = box.of(picture)
    for begin, end in np.rint((raster.gaps_s / span_s + 1) * box.width).astype(int).tolist():
        fill(part, Box(begin, 0, max(end - begin, 0), box.height), style.theme.rule)


# Potentials


def lanes_fit(box: Box, order: NeuronOrder, style: Style) -> bool:
    """Return whether a lane for each label is high enough to be read."""
    return box.height / max(len(np.unique(order.label)), 1) >= style.px(_LEAST_LANE)


def draw_lanes(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style) -> None:
    """Draw a lane for each label: its first neuron as a line, some others faintly behind it.

    Spikes of all its neurons are marks at the top of the lane. Dashes mark threshold and reset,
    vertical lines the glances. Potentials below the lane are drawn at its lower edge.
    """
    traces, theme = scene.traces, style.theme
    assert traces is not None
    part, pitch = box.of(picture), box.height / max(len(np.unique(order.label)), 1)
    draw_glances(picture, box, traces, scene.span_s, style)
    predicted = scene.focus.label_index if scene.focus is not None else UNNAMED
    # Gaps stay, however few points are drawn.
    kept = np.isnan(traces.potential_v[:, 0])
    kept[:: max(round(len(kept) / (_POINTS_PER_PX * box.width)), 1)] = True
    x = (traces.time_s[kept] / scene.span_s + 1) * (box.width - 1)
    potential_v = traces.potential_v[kept]
    for lane, (label, own) in enumerate(order.groups()):
        colour = theme.label(label)
        shown = colour if predicted in (UNNAMED, label) else mix(colour, theme.plate, _PALER)
        scale = Lane.of(traces, own, round(lane * pitch), round((lane + 1) * pitch))
        for value_v, share in ((scale.threshold_v, 0.55), (traces.v_reset_v, 0.3)):
            _draw_rule(part, scale.row(value_v), mix(theme.rule, theme.normal, share), style)
        drawn = own[:: -(-len(own) // _MOST_LINES)]
        y = np.clip(scale.row(potential_v[:, drawn]), scale.top, scale.bottom - 2)
        faint = mix(shown, theme.plate, _FAINT)
        for neuron in range(len(drawn) - 1, -1, -1):
            lines = _finite_runs(x, y[:, neuron])
            stroke, kind = (faint, cv2.LINE_8) if neuron else (shown, cv2.LINE_AA)
            cv2.polylines(part, lines, False, stroke, style.at_least(1, 0.7), kind, SHIFT)
        if scene.raster is not None and scene.raster.size == len(order.row):
            spikes = scene.raster.last(scene.span_s)
            times_s = spikes.time_s[np.isin(spikes.neuron, own)]
            high = max(min(round(_TICK_SHARE * pitch), style.px(_HIGHEST_TICK)), 2)
            rows = np.arange(scale.top + 1, scale.top + 1 + high)
            part[rows[:, None], columns(times_s, scene.span_s, box.width)[None]] = shown


@dataclass(frozen=True)
class Lane:
    """The rows of a lane and its scale, volts."""

    top: int
    bottom: int
    low_v: float
    high_v: float
    threshold_v: float

    @classmethod
    def of(cls, traces: Traces, neurons: Indices, top: int, bottom: int) -> Lane:
        """Return the lane of some neurons between two rows."""
        threshold_v = float(traces.threshold_v[neurons].mean())
        return cls(top, bottom, traces.v_reset_v - BELOW_V, threshold_v + ABOVE_V, threshold_v)

    def row(self, value_v: Floats | float) -> npt.NDArray[np.float64]:
        """Return the row of a potential."""
        share = (self.high_v - np.asarray(value_v, float)) / (self.high_v - self.low_v)
        return self.top + share * (self.bottom - 1 - self.top)


def draw_glances(picture: Picture, box: Box, traces: Traces, span_s: float, style: Style) -> None:
    """Draw a vertical line where a glance begins, unless they are too many."""
    if len(traces.glances_s) * style.px(_LEAST_GLANCE) < box.width:
        begin = traces.glances_s[traces.glances_s > -span_s]
        wide = np.arange(style.at_least(1, 0.6))
        at = np.minimum(columns(begin, span_s, box.width)[:, None] + wide, box.width - 1)
        box.of(picture)[:, at] = mix(style.theme.plate, style.theme.rule, 0.7)


def _finite_runs(x: Seconds, y: npt.NDArray[np.float64]) -> list[npt.NDArray[np.int32]]:
    """Return the runs of finite points as sub-pixel coordinates for OpenCV."""
    points = np.stack([x, y], axis=1) * SUBPIXEL
    finite = np.isfinite(y)
    if finite.all():
        return [points.round().astype(np.int32)]
    runs = np.split(points, np.flatnonzero(~finite))
    whole = (run[np.isfinite(run[:, 1])] for run in runs)
    return [run.round().astype(np.int32) for run in whole if len(run) > 1]


def draw_map(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style) -> None:
    """Draw the potential of each neuron as a row of colours, from reset to threshold."""
    assert scene.traces is not None
    colours, known = potential_map(scene.traces, order, scene.span_s, box.width, style.theme)
    tall = cv2.resize(colours, (box.width, box.height), interpolation=cv2.INTER_NEAREST)
    box.of(picture)[:, known] = tall[:, known]


def potential_map(
    traces: Traces, order: NeuronOrder, span_s: float, width: int, theme: Theme
) -> tuple[Picture, npt.NDArray[np.bool_]]:
    """Return potentials as colours, (neurons, width, 3) BGR, and which columns have a value.

    A column shows the value in its middle; it has none in a gap and before the first value.
    """
    middle = ((np.arange(width) + 0.5) / width - 1) * span_s
    index = np.minimum(np.searchsorted(traces.time_s, middle), len(traces.time_s) - 1)
    step_s = float(np.median(np.diff(traces.time_s))) if len(traces.time_s) > 1 else 0.0
    reach_s = max(2 * step_s, span_s / width)
    values = traces.potential_v[index]
    known = np.abs(traces.time_s[index] - middle) <= reach_s
    known &= np.isfinite(values).all(axis=1)
    by_row = np.empty((values.shape[1], width), np.float32)
    by_row[order.row] = np.nan_to_num(values).T
    threshold_v = float(traces.threshold_v.mean())
    return colour_mapped(by_row, traces.v_reset_v, threshold_v, theme.sequential), known


# Axes


def draw_names(
    picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style, lanes: bool = False
) -> None:
    """Write the name of each label to the left of its neurons; strokes where names do not fit.

    Parameters
    ----------
    lanes : all labels have the same height, whatever the number of their neurons.
    """
    size, stroke = style.small_px, style.at_least(2, 3)
    groups = list(order.groups())
    if not len(order.row):
        return
    pitch = box.height / (len(groups) if lanes else len(order.row))
    named = box.height / len(groups) >= size
    for lane, (label, neurons) in enumerate(groups):
        rows = np.array([lane]) if lanes else order.row[neurons]
        top, bottom = round(rows.min() * pitch) + 1, round((rows.max() + 1) * pitch) - 1
        line = Box(box.x - stroke - 1, box.y + top, stroke, max(bottom - top, 1))
        fill(picture, line, style.theme.label(label))
        if named:
            name = fitted(label_name(scene.labels, label), size, box.x - 2 * stroke - 1)
            at = (line.x - stroke, box.y + (top + bottom) / 2 + 0.36 * size)
            write(picture, name, at, size, style.theme.label_text(label), align="right")


def draw_levels(
    picture: Picture, box: Box, traces: Traces, order: NeuronOrder, style: Style
) -> None:
    """Write to the right of the first lane what the dashes mean."""
    groups, size = list(order.groups()), style.small_px
    for _, neurons in groups[:1]:
        scale = Lane.of(traces, neurons, 0, round(box.height / len(groups)))
        for text, value_v in (("threshold", scale.threshold_v), ("reset", traces.v_reset_v)):
            at = (box.right + style.px(4), box.y + float(scale.row(value_v)) + 0.36 * size)
            write(picture, text, at, size, style.theme.faint)


def draw_time_axis(picture: Picture, box: Box, span_s: float, style: Style) -> None:
    """Write times below a plot, in seconds before the end of the frame."""
    size, faint = style.small_px, style.theme.faint
    y = box.bottom + 1.15 * size
    for share, align in _TIME_MARKS:
        text = f"{MINUS}{(1 - share) * span_s:.3g}" if share < 1 else "0 s"
        write(picture, text, (box.x + share * box.width, y), size, faint, align=align)


def columns(time_s: Seconds, span_s: float, width: int) -> Indices:
    """Return the column 0..width-1 of each time (-span_s..0)."""
    return np.clip(((time_s / span_s + 1) * width).astype(np.int64), 0, width - 1)


def millivolts(value_v: float) -> str:
    """Return a potential as text, in whole mV without the unit."""
    return f"{value_v * 1e3:.0f}".replace("-", MINUS)


def _draw_rule(part: Picture, y: npt.NDArray[np.float64], colour: Colour, style: Style) -> None:
    """Draw a thin horizontal line of dashes."""
    row, dash = round(float(y)), style.px(3)
    if 0 <= row < part.shape[0]:
        for x in range(0, part.shape[1], 2 * dash):
            part[row : row + style.at_least(1, 0.6), x : x + dash] = colour
