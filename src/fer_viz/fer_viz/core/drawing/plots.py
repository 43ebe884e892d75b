"""Membrane potentials and spikes of the last moments, drawn into a box of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.drawing.canvas import SHIFT, SUBPIXEL, Box, Picture, fill
from fer_viz.core.drawing.style import Colour, Style, Theme, colour_mapped, mix
from fer_viz.core.drawing.text import MINUS, Align, write
from fer_viz.core.scene import UNNAMED, Floats, Indices, ReceptiveFields, Scene, Seconds, Traces

#: More neurons than this are drawn as a colour map instead of lines.
MAX_LINES = 8
#: Room above the threshold for spikes, and below the lowest value, volts.
_ABOVE_V = 0.008
_BELOW_V = 0.004
#: The lower end of the axis moves in steps, so that it rarely moves.
_AXIS_STEP_V = 0.010
#: Inhibition can push potentials far below reset; lines leave the plot further down than this.
_DEEPEST_V = 0.080
#: Values are clipped to this before they become pixels, which OpenCV stores in 32 bits.
_FAR_V = 10.0
#: How far the lines of other labels than the predicted one fade into the background.
_PALER = 0.45
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


def draw_raster(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style) -> None:
    """Draw one mark for each spike: time to the right, one row for each neuron."""
    if scene.raster is None:
        return
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


def draw_lines(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, style: Style) -> None:
    """Draw the potential of each neuron as a line and its spikes as strokes above the threshold.

    Neurons of the predicted label stand out: they are drawn last, the others paler.
    """
    traces, theme = scene.traces, style.theme
    assert traces is not None
    low_v, high_v = limits_v(traces)
    part = box.of(picture)
    threshold_y = _row(float(traces.threshold_v.mean()), low_v, high_v, box.height)
    _draw_rule(part, _row(traces.v_rest_v, low_v, high_v, box.height), theme.rule, box.width)
    predicted = scene.focus.label_index if scene.focus is not None else UNNAMED
    stands_out = order.label == predicted if predicted >= 0 else np.ones(len(order.row), bool)
    paler = order.colour + _PALER * (np.asarray(theme.plate, float) - order.colour)
    colour = np.where(stands_out[:, None], order.colour, paler.round().astype(np.uint8))
    x = (traces.time_s / scene.span_s + 1) * (box.width - 1)
    potential_v = np.clip(traces.potential_v, -_FAR_V, _FAR_V)
    y = (high_v - potential_v) / (high_v - low_v) * (box.height - 1)
    thick = max(1, int(0.7 * style.unit))
    for neuron in np.argsort(stands_out, kind="stable"):
        lines = _finite_runs(x, y[:, neuron])
        cv2.polylines(part, lines, False, colour[neuron].tolist(), thick, cv2.LINE_AA, SHIFT)
    _draw_rule(part, threshold_y, mix(theme.rule, theme.normal, 0.6), style.px(4))
    if scene.raster is not None and scene.raster.size == len(order.row):
        spikes = scene.raster.last(scene.span_s)
        rows = np.arange(style.px(3), max(int(threshold_y), style.px(3)))
        column = columns(spikes.time_s, scene.span_s, box.width)
        part[rows[:, None], column[None]] = colour[spikes.neuron][None]


def _finite_runs(x: Seconds, y: Floats) -> list[npt.NDArray[np.int32]]:
    """Return the runs of finite points as sub-pixel coordinates for OpenCV."""
    points = np.stack([x, y], axis=1) * SUBPIXEL
    finite = np.isfinite(y)
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


def draw_labels(picture: Picture, box: Box, order: NeuronOrder, style: Style) -> None:
    """Draw a stroke in the colour of each label to the left of its neurons."""
    width = style.at_least(2, 3)
    pitch = box.height / max(len(order.row), 1)
    for label, neurons in order.groups():
        rows = order.row[neurons]
        top, bottom = round(rows.min() * pitch) + 1, round((rows.max() + 1) * pitch) - 1
        stroke = Box(box.x - 2 * width, box.y + top, width, max(bottom - top, 1))
        fill(picture, stroke, style.theme.label(label))


def draw_potential_axis(picture: Picture, box: Box, traces: Traces, style: Style) -> None:
    """Write threshold, rest and the lower end of the axis, in mV, to the left of the plot."""
    low_v, high_v = limits_v(traces)
    size, theme = style.small_px, style.theme
    taken: list[float] = []
    for value_v, colour in (
        (float(traces.threshold_v.mean()), theme.normal),
        (traces.v_rest_v, theme.faint),
        (low_v, theme.faint),
    ):
        y = _row(value_v, low_v, high_v, box.height)
        if all(abs(y - other) > size for other in taken):
            taken.append(y)
            at = (box.x - 0.5 * size, box.y + min(y + 0.36 * size, box.height))
            write(picture, millivolts(value_v), at, size, colour, align="right")


def draw_time_axis(picture: Picture, box: Box, span_s: float, style: Style) -> None:
    """Write times below a plot, in seconds before the end of the frame."""
    size, faint = style.small_px, style.theme.faint
    y = box.bottom + 1.15 * size
    for share, align in _TIME_MARKS:
        text = f"{MINUS}{(1 - share) * span_s:.3g}" if share < 1 else "0 s"
        write(picture, text, (box.x + share * box.width, y), size, faint, align=align)


def limits_v(traces: Traces) -> tuple[float, float]:
    """Return the ends of the axis of potentials, volts, rounded so that they rarely move."""
    finite = traces.potential_v[np.isfinite(traces.potential_v)]
    lowest = min(float(finite.min(initial=traces.v_reset_v)), traces.v_reset_v) - _BELOW_V
    lowest = max(lowest, traces.v_reset_v - _DEEPEST_V)
    low_v = float(np.floor(lowest / _AXIS_STEP_V) * _AXIS_STEP_V)
    return low_v, float(traces.threshold_v.max()) + _ABOVE_V


def columns(time_s: Seconds, span_s: float, width: int) -> Indices:
    """Return the column 0..width-1 of each time (-span_s..0)."""
    return np.clip(((time_s / span_s + 1) * width).astype(np.int64), 0, width - 1)


def millivolts(value_v: float) -> str:
    """Return a potential as text, in whole mV without the unit."""
    return f"{value_v * 1e3:.0f}".replace("-", MINUS)


def _row(value_v: float, low_v: float, high_v: float, height: int) -> float:
    return (high_v - value_v) / (high_v - low_v) * (height - 1)


def _draw_rule(part: Picture, y: float, colour: Colour, dash: int) -> None:
    """Draw a thin horizontal line with dashes of `dash` pixels."""
    row = round(y)
    if 0 <= row < part.shape[0]:
        for x in range(0, part.shape[1], 2 * dash):
            part[row, x : x + dash] = colour
