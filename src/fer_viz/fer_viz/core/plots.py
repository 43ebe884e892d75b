"""Membrane potentials and spikes over the last moments, into a box of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_viz.core.canvas import SHIFT, SUBPIXEL, Align, Box, Picture, fill, write
from fer_viz.core.look import Look
from fer_viz.core.palette import Colour, Theme, mapped, mix
from fer_viz.core.scene import UNNAMED, Floats, Indices, ReceptiveFields, Scene, Seconds, Traces
from fer_viz.core.text import MINUS

#: The layer that is shown.
LAYER = "expression"

#: More neurons than this are drawn as a map of colours, not as lines.
MAX_LINES = 8
#: Room above the threshold for spikes, and below the lowest value, volts.
_ABOVE_V = 0.008
_BELOW_V = 0.004
#: The lower end of the axis moves in steps, so that it holds still.
_AXIS_STEP_V = 0.010
#: Inhibition can push potentials far below reset; further than this the lines leave the plot.
_DEEPEST_V = 0.080
#: Drawn as if it were no further: OpenCV cannot count more pixels.
_FAR_V = 10.0
#: How far the lines of labels that are not said go towards the ground.
_PALER = 0.45
#: Where times are written, as shares of the axis.
_TIME_MARKS: tuple[tuple[float, Align], ...] = ((0.0, "left"), (0.5, "centre"), (1.0, "right"))


@dataclass(frozen=True)
class NeuronOrder:
    """In which row each neuron stands, and its colour: neurons of one label stand together.

    Attributes
    ----------
    row : (neurons,) row from the top.
    label : (neurons,) index of the label, `UNNAMED` for none.
    colour : (neurons, 3) BGR.
    """

    row: Indices
    label: Indices
    colour: npt.NDArray[np.uint8]


def neuron_order(neurons: int, fields: ReceptiveFields | None, theme: Theme) -> NeuronOrder:
    """Order neurons by label.

    Without labels, or with those of a network of another size, they stay in order and grey.
    """
    if fields is None or len(fields.neuron_label) != neurons:
        label = np.full(neurons, UNNAMED, np.int64)
    else:
        label = fields.neuron_label
    # Neurons without a label at the end.
    order = np.argsort(np.where(label == UNNAMED, np.iinfo(np.int64).max, label), kind="stable")
    row = np.empty(neurons, np.int64)
    row[order] = np.arange(neurons)
    labels, place = np.unique(label, return_inverse=True)
    colours = np.array([theme.label(int(index)) for index in labels], np.uint8).reshape(-1, 3)
    return NeuronOrder(row, label, colours[place])


def draw_raster(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, look: Look) -> None:
    """Draw one mark for each spike: time to the right, one row for each neuron."""
    time_s, neuron = _spikes(scene)
    if not len(neuron):
        return
    width = look.at_least(1, 1.5)
    pitch = box.height / len(order.row)
    height = max(1, min(int(pitch * 0.72), look.px(14)))
    left = columns(time_s, scene.span_s, box.width - width + 1)
    top = np.round((order.row[neuron] + 0.5) * pitch - height / 2).astype(np.int64)
    y, x = np.mgrid[0:height, 0:width]
    rows = np.clip(top, 0, box.height - height)[:, None, None] + y
    part = picture[box.y : box.bottom, box.x : box.right]
    part[rows, left[:, None, None] + x] = order.colour[neuron][:, None, None]


def draw_lines(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, look: Look) -> None:
    """Draw the potential of each neuron as a line, its spikes as strokes up from the threshold.

    Neurons of the label that is said stand out: they are drawn last, the others paler.
    """
    traces, theme = scene.traces, look.theme
    assert traces is not None
    low_v, high_v = limits_v(traces)
    part = picture[box.y : box.bottom, box.x : box.right]
    threshold_y = _row(float(traces.threshold_v.mean()), low_v, high_v, box.height)
    _rule(part, _row(traces.v_rest_v, low_v, high_v, box.height), theme.rule, box.width)
    said = scene.focus.label_index if scene.focus is not None else UNNAMED
    stands_out = order.label == said if said >= 0 else np.ones(len(order.row), bool)
    colour = np.where(stands_out[:, None], order.colour, _paler(order.colour, theme))
    x = (traces.time_s / scene.span_s + 1) * (box.width - 1)
    potential_v = np.clip(traces.potential_v, -_FAR_V, _FAR_V)
    y = (high_v - potential_v) / (high_v - low_v) * (box.height - 1)
    for neuron in np.argsort(stands_out, kind="stable"):
        lines, stroke = _pieces(x, y[:, neuron]), colour[neuron].tolist()
        cv2.polylines(part, lines, False, stroke, max(1, int(0.7 * look.unit)), cv2.LINE_AA, SHIFT)
    _rule(part, threshold_y, mix(theme.rule, theme.normal, 0.6), look.px(4))
    time_s, spiking = _spikes(scene)
    if scene.raster is not None and scene.raster.size == len(order.row):
        rows = np.arange(look.px(3), max(int(threshold_y), look.px(3)))
        part[rows[:, None], columns(time_s, scene.span_s, box.width)[None]] = colour[spiking][None]


def _spikes(scene: Scene) -> tuple[Seconds, Indices]:
    """Return times and neurons of the spikes that lie in the plot."""
    raster = scene.raster
    if raster is None:
        return np.empty(0), np.empty(0, np.int64)
    inside = (raster.time_s >= -scene.span_s) & (raster.time_s <= 0)
    return raster.time_s[inside], raster.neuron[inside]


def _paler(colour: npt.NDArray[np.uint8], theme: Theme) -> npt.NDArray[np.uint8]:
    return (colour + _PALER * (np.asarray(theme.plate, float) - colour)).round().astype(np.uint8)


def _pieces(x: Seconds, y: Floats) -> list[npt.NDArray[np.int32]]:
    """Return the runs of finite points as sub-pixel coordinates for OpenCV."""
    points = np.stack([x, y], axis=1) * SUBPIXEL
    finite = np.isfinite(y)
    runs = np.split(points, np.flatnonzero(~finite))
    whole = (run[np.isfinite(run[:, 1])] for run in runs)
    return [run.round().astype(np.int32) for run in whole if len(run) > 1]


def draw_map(picture: Picture, box: Box, scene: Scene, order: NeuronOrder, look: Look) -> None:
    """Draw the potential of each neuron as a row of colours, from reset to threshold."""
    traces = scene.traces
    assert traces is not None
    picked, known = sampled(traces.time_s, traces.potential_v, scene.span_s, box.width)
    by_row = np.empty((picked.shape[1], box.width), np.float32)
    by_row[order.row] = picked.T
    colours = mapped(
        by_row, traces.v_reset_v, float(traces.threshold_v.mean()), look.theme.sequential
    )
    tall = cv2.resize(colours, (box.width, box.height), interpolation=cv2.INTER_NEAREST)
    picture[box.y : box.bottom, box.x : box.right][:, known] = tall[:, known]


def draw_labels(picture: Picture, box: Box, order: NeuronOrder, look: Look) -> None:
    """Draw, to the left of rows of neurons, a stroke in each label's colour."""
    width = look.at_least(2, 3)
    pitch = box.height / max(len(order.row), 1)
    for label in np.unique(order.label):
        rows = order.row[order.label == label]
        top, bottom = round(rows.min() * pitch) + 1, round((rows.max() + 1) * pitch) - 1
        stroke = Box(box.x - 2 * width, box.y + top, width, max(bottom - top, 1))
        fill(picture, stroke, look.theme.label(int(label)))


def draw_potential_axis(picture: Picture, box: Box, traces: Traces, look: Look) -> None:
    """Write threshold, rest and the lower end of the axis, in mV, to the left of the plot."""
    low_v, high_v = limits_v(traces)
    size, theme = look.small_px, look.theme
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
            write(picture, _millivolts(value_v), at, size, colour, align="right")


def draw_time_axis(picture: Picture, box: Box, span_s: float, look: Look) -> None:
    """Write the times below a plot, seconds before the end of the frame."""
    size, faint = look.small_px, look.theme.faint
    y = box.bottom + 1.15 * size
    for share, align in _TIME_MARKS:
        text = f"{MINUS}{(1 - share) * span_s:.3g}" if share < 1 else "0 s"
        write(picture, text, (box.x + share * box.width, y), size, faint, align=align)


def range_text(traces: Traces) -> str:
    """Say which potentials the ends of the colour map stand for."""
    return f"{_millivolts(traces.v_reset_v)} to {_millivolts(float(traces.threshold_v.mean()))} mV"


def limits_v(traces: Traces) -> tuple[float, float]:
    """Return the ends of the axis of potentials, volts: round, so that they move seldom."""
    finite = traces.potential_v[np.isfinite(traces.potential_v)]
    lowest = min(float(finite.min(initial=traces.v_reset_v)), traces.v_reset_v) - _BELOW_V
    lowest = max(lowest, traces.v_reset_v - _DEEPEST_V)
    return float(np.floor(lowest / _AXIS_STEP_V) * _AXIS_STEP_V), float(
        traces.threshold_v.max()
    ) + _ABOVE_V


def columns(time_s: Seconds, span_s: float, width: int) -> Indices:
    """Return the column 0..width-1 of each time (-span_s..0)."""
    return np.clip(((time_s / span_s + 1) * width).astype(np.int64), 0, width - 1)


def sampled(
    time_s: Seconds, values: Floats, span_s: float, width: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Take for each column the value that holds in its middle.

    Returns
    -------
    (width, neurons) values, and which columns have one: those not in a gap nor before the first
    value.
    """
    middle = ((np.arange(width) + 0.5) / width - 1) * span_s
    index = np.minimum(np.searchsorted(time_s, middle), len(time_s) - 1)
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
    reach_s = max(2 * step_s, span_s / width)
    picked = values[index]
    known = (np.abs(time_s[index] - middle) <= reach_s) & np.isfinite(picked).all(axis=1)
    return np.nan_to_num(picked), known


def _row(value_v: float, low_v: float, high_v: float, height: int) -> float:
    return (high_v - value_v) / (high_v - low_v) * (height - 1)


def _rule(part: Picture, y: float, colour: Colour, dash: int) -> None:
    """Draw a fine horizontal line, in dashes of so many pixels."""
    row = round(y)
    if 0 <= row < part.shape[0]:
        for x in range(0, part.shape[1], 2 * dash):
            part[row, x : x + dash] = colour


def _millivolts(value_v: float) -> str:
    return f"{value_v * 1e3:.0f}".replace("-", MINUS)
