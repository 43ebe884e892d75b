"""Where everything stands in the panel."""

from __future__ import annotations

from typing import NamedTuple

from fer_viz.core.canvas import Box
from fer_viz.core.look import Look

# In units of the design.
WIDTH = 320
PAD = 14
TITLE_BASELINE = 6
_PORTRAIT = 52
_TITLE = 18
_SCORE_ROW = 17
_GUTTER = 28
_AXIS = 16
_STATUS = 24
_GAP = 9
_COLUMN_GAP = 16
_TRACES_SHARE, _RASTER_SHARE = 0.36, 0.25
#: More labels than this stand in two columns, without rates; more than that are left out.
_ONE_COLUMN, _MOST_LABELS = 5, 14


class Sections(NamedTuple):
    """Where everything stands, pixels of the panel."""

    portrait: Box
    headline: Box
    scores: Box
    traces: Box
    raster: Box
    fields: Box
    status: Box


class ScoreRow(NamedTuple):
    """Where the score of a label stands; `rate` says whether there is room for its spike rate."""

    box: Box
    track: Box
    score_right: int
    rate: bool


def sections(width: int, height: int, look: Look, labels: int) -> Sections:
    """Share out the panel: potentials, spikes and weights take what the rest leaves."""
    px = look.px
    pad, inner, side = px(PAD), width - 2 * px(PAD), px(_PORTRAIT)
    portrait = Box(pad, pad, side, side)
    headline = Box(portrait.right + px(12), pad, inner - side - px(12), side)
    rows = _rows(min(labels, _MOST_LABELS))
    scores = Box(pad, portrait.bottom + px(_GAP + 4), inner, rows * px(_SCORE_ROW))
    status = Box(pad, height - px(_STATUS), inner, px(_STATUS))
    top = scores.bottom + px(_GAP)
    free = status.y - top - 3 * px(_TITLE) - px(_AXIS) - 2 * px(_GAP)
    left = pad + px(_GUTTER)
    traces = Box(left, top + px(_TITLE), pad + inner - left, round(_TRACES_SHARE * free))
    raster_y = traces.bottom + px(_GAP) + px(_TITLE)
    raster = Box(left, raster_y, traces.width, round(_RASTER_SHARE * free))
    fields_y = raster.bottom + px(_AXIS) + px(_GAP) + px(_TITLE)
    fields = Box(pad, fields_y, inner, max(status.y - fields_y - px(2), 1))
    return Sections(portrait, headline, scores, traces, raster, fields, status)


def score_rows(box: Box, labels: int, look: Look) -> list[ScoreRow]:
    """Return a row for each label that has room, in one column or two."""
    shown = min(labels, _MOST_LABELS)
    rows, pitch = _rows(shown), look.px(_SCORE_ROW)
    if shown <= _ONE_COLUMN:
        return [
            _row(Box(box.x, box.y + k * pitch, box.width, pitch), True, look) for k in range(shown)
        ]
    width = (box.width - look.px(_COLUMN_GAP)) // 2
    step = box.width - width
    return [
        _row(Box(box.x + k // rows * step, box.y + k % rows * pitch, width, pitch), False, look)
        for k in range(shown)
    ]


def _rows(shown: int) -> int:
    return max(shown, 1) if shown <= _ONE_COLUMN else -(-shown // 2)


def _row(box: Box, rate: bool, look: Look) -> ScoreRow:
    """Lay out label, bar, score and, with room, rate from left to right."""
    figures = box.right - look.px(84 if rate else 34)
    left = box.x + round((0.36 if rate else 0.50) * box.width)
    height = look.at_least(4, 7)
    track = Box(left, box.y + (box.height - height) // 2, figures - left, height)
    return ScoreRow(box, track, figures + look.px(32), rate)
