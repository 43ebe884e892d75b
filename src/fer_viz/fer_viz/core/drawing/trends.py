"""Scores and spike rates of the last half minute, stacked by label."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_viz.core.drawing.canvas import Box, Picture, fill
from fer_viz.core.drawing.plots import draw_time_axis
from fer_viz.core.drawing.style import Style, ink, mix
from fer_viz.core.drawing.text import width_px, write
from fer_viz.core.history import SCORE_SPAN_S
from fer_viz.core.scene import Floats, Indices, ScoreHistory

#: A result counts until the next one, at most for this long.
_HOLD_S = 0.5
#: Opacity of results without confidence.
_LEAST_OPACITY = 0.15
_OPACITIES = 16
#: The axis of rates ends at a multiple of this, so that it rarely changes.
_RATE_STEP_HZ = 50.0
# In units of the design.
_AXIS, _GUTTER, _GAP = 14, 38, 6
_CHIP, _LEGEND_ROW = 7, 14


def draw_trends(picture: Picture, box: Box, history: ScoreHistory, style: Style) -> None:
    """Draw scores above rates, with a legend below."""
    rows = legend_rows(history.labels, box.width, style)
    left = style.px(_GUTTER)
    room = box.height - style.px(_AXIS) - style.px(_LEGEND_ROW) * len(rows) - style.px(_GAP)
    scores = Box(box.x + left, box.y, box.width - left, max(round(0.55 * room), 1))
    rates = Box(
        scores.x, scores.bottom + style.px(_GAP), scores.width, max(room - scores.height, 1)
    )
    opacity = _LEAST_OPACITY + (1 - _LEAST_OPACITY) * np.clip(history.confidence, 0, 1)
    draw_stack(picture, scores, history, history.scores, 1.0, opacity, style)
    write_names(picture, scores, history, style)
    summed_hz = history.rates_hz.sum(axis=1)
    top_hz = _RATE_STEP_HZ * max(np.ceil(float(summed_hz.max(initial=0)) / _RATE_STEP_HZ), 1)
    draw_stack(picture, rates, history, history.rates_hz, top_hz, np.ones(len(opacity)), style)
    size = style.small_px
    for plot, lines in ((scores, ("score",)), (rates, (f"{top_hz:.0f}", "Hz"))):
        for line, text in enumerate(lines):
            at = (plot.x - style.px(5), plot.y + (line + 0.8) * 1.2 * size)
            write(picture, text, at, size, style.theme.faint, align="right")
    draw_time_axis(picture, rates, SCORE_SPAN_S, style)
    _draw_legend(picture, box, rows, style)


def draw_stack(
    picture: Picture,
    box: Box,
    history: ScoreHistory,
    values: Floats,
    top: float,
    opacity: npt.NDArray[Any],
    style: Style,
) -> None:
    """Draw values as a stack, the first label at the bottom; nothing where no results came.

    Parameters
    ----------
    values : (results, labels), 0 or more.
    top : value of the upper edge.
    opacity : (results,), 0..1.
    """
    theme = style.theme
    at = _result_of_each_column(history, box.width)
    edges = np.cumsum(np.clip(values, 0, None), axis=1)[at] / top
    edges[at < 0] = 0
    # How many labels end below the middle of each pixel is the index of its label.
    height = (box.height - 0.5 - np.arange(box.height)) / box.height
    index = np.zeros((box.height, box.width), np.uint16)
    for label in range(edges.shape[1]):
        index += height[:, None] >= edges[:, label]
    shares = np.arange(_OPACITIES) / (_OPACITIES - 1)
    colours = [*map(theme.label, range(edges.shape[1])), theme.plate]
    table = [mix(theme.plate, each, share) for share in shares for each in colours]
    level = np.rint(opacity[at] * (_OPACITIES - 1)).astype(np.uint16)
    index += np.uint16(len(colours)) * level
    box.of(picture)[...] = np.array(table, np.uint8).take(index, axis=0)


def write_names(picture: Picture, box: Box, history: ScoreHistory, style: Style) -> None:
    """Write the name of the best label wherever it stays best for long enough to hold the name."""
    at = _result_of_each_column(history, box.width)
    if not history.scores.shape[1]:
        return
    best = np.where(at < 0, -1, history.scores.argmax(axis=1)[at])
    size, x = style.small_px, 0
    for label, run in itertools.groupby(best.tolist()):
        width = len(list(run))
        name = history.labels[label]
        if label >= 0 and width_px(name, size) + style.px(4) < width:
            middle = box.y + round(box.height / 2), box.x + x + width // 2
            colour = ink(tuple(picture[middle].tolist()))
            place = (middle[1], middle[0] + 0.36 * size)
            write(picture, name, place, size, colour, align="centre")
        x += width


def _result_of_each_column(history: ScoreHistory, width: int) -> Indices:
    """Return the index of the result at the middle of each column, -1 for none."""
    middle_s = ((np.arange(width) + 0.5) / width - 1) * SCORE_SPAN_S
    at = np.searchsorted(history.time_s, middle_s, side="right") - 1
    return np.where(middle_s - history.time_s[at] < _HOLD_S, at, -1)


def legend_rows(labels: tuple[str, ...], width: int, style: Style) -> list[list[tuple[int, str]]]:
    """Divide the labels and their indices into at most two rows; none where they do not fit."""
    entries = list(enumerate(labels))
    own = [width_px(label, style.small_px) + style.px(_CHIP + 12) for label in labels]
    for lines in (1, 2):
        across = max(-(-len(labels) // lines), 1)
        begins = range(0, len(labels), across)
        if all(sum(own[k : k + across]) <= width for k in begins):
            return [entries[k : k + across] for k in begins]
    return []


def _draw_legend(
    picture: Picture, box: Box, rows: list[list[tuple[int, str]]], style: Style
) -> None:
    size, chip = style.small_px, style.px(_CHIP)
    for line, row in enumerate(rows):
        y = box.bottom - style.px(_LEGEND_ROW) * (len(rows) - line - 1) - style.px(3)
        x = float(box.x)
        for index, label in row:
            fill(picture, Box(round(x), y - chip, chip, chip), style.theme.label(index))
            x += chip + style.px(4)
            x += write(picture, label, (x, y), size, style.theme.normal) + style.px(8)
