"""The result of one face: label with confidence, and score and spike rate of every label."""

from __future__ import annotations

from typing import NamedTuple

from fer_viz.core.drawing.canvas import Box, Picture, fill
from fer_viz.core.drawing.style import Colour, Style, mix
from fer_viz.core.drawing.text import Weight, baseline, fitted, width_px, write
from fer_viz.core.scene import Face, Scene

# In units of the design.
HEADLINE = 48
SCORE_ROW = 18
_LEAST_SCORE_ROW, _MOST_SCORE_ROW = 13, 40
_COLUMN_GAP = 16
#: Columns narrower than this have no rates.
_RATE_WIDTH = 200
#: The name of a label shrinks to this share before it is cut.
_SMALLEST_NAME = 0.6


class ScoreRow(NamedTuple):
    """Place of the score of one label; `rate` tells whether there is room for its spike rate."""

    box: Box
    track: Box
    score_right: int
    rate: bool


def draw_headline(picture: Picture, box: Box, scene: Scene, style: Style) -> None:
    """Write label and confidence above a bar, or why there is no result."""
    theme, face, size = style.theme, scene.focus, style.large_px
    if face is None or not face.label:
        size = 15 * style.unit
        text = fitted(scene.missing("result"), size, box.width)
        write(picture, text, (box.x, baseline(box, size)), size, theme.faint)
        return
    percent = f"{100 * face.confidence:.0f} %"
    room = box.width - width_px(percent, size) - style.px(10)
    # A name that has to shrink becomes a little smaller than its room: glyphs are rounded.
    share = min(0.97 * room / width_px(face.label, size, "semibold"), 1.0)
    name_px = max(share, _SMALLEST_NAME) * size
    name = fitted(face.label, name_px, room, "semibold")
    y, colour = box.y + style.px(25), theme.label_text(face.label_index)
    write(picture, name, (box.x, y), name_px, colour, "semibold")
    strength = theme.strong if face.label_index >= 0 else theme.faint
    write(picture, percent, (box.right, y), size, strength, align="right")
    track = Box(box.x, box.y + style.px(35), box.width, style.at_least(3, 5))
    fill(picture, track, theme.rule, radius=style.px(2))
    _draw_bar(picture, track, face.confidence, theme.label(face.label_index), style)


def score_rows(box: Box, labels: int, style: Style) -> list[ScoreRow]:
    """Return a row for each label that has room, in one column where all fit, else in two."""
    least = style.px(_LEAST_SCORE_ROW)
    across = 1 if box.height // max(labels, 1) >= least else 2
    wanted = max(-(-labels // across), 1)
    pitch = min(max(box.height // wanted, least), style.px(_MOST_SCORE_ROW))
    rows = min(wanted, box.height // pitch)
    width = box.width if across == 1 else (box.width - style.px(_COLUMN_GAP)) // 2
    places = [
        Box(box.x + column * (box.width - width), box.y + row * pitch, width, pitch)
        for column in range(across)
        for row in range(rows)
    ]
    return [_score_row(place, style) for place in places[:labels]]


def _score_row(box: Box, style: Style) -> ScoreRow:
    """Lay out label, bar, score and, with enough room, rate from left to right."""
    rate = box.width >= style.px(_RATE_WIDTH)
    figures = box.right - style.px(84 if rate else 34)
    left = box.x + round((0.32 if rate else 0.50) * box.width)
    height = style.at_least(4, 7)
    track = Box(left, box.y + (box.height - height) // 2, max(figures - left, 1), height)
    return ScoreRow(box, track, figures + style.px(32), rate)


def draw_scores(picture: Picture, box: Box, face: Face, style: Style) -> None:
    """Draw a row for each label: name, bar, score and rate."""
    theme, size = style.theme, style.text_px
    for index, row in enumerate(score_rows(box, len(face.labels), style)):
        predicted = index == face.label_index
        weight: Weight = "semibold" if predicted else "regular"
        colour, y = theme.strong if predicted else theme.normal, baseline(row.box, size)
        name = fitted(face.labels[index], size, row.track.x - row.box.x - style.px(6), weight)
        write(picture, name, (row.box.x, y), size, colour, weight)
        background = mix(theme.plate, theme.label(index), 0.14)
        fill(picture, row.track, background, radius=style.px(2))
        fill(picture, row.track._replace(width=style.at_least(2, 2)), theme.label(index))
        _draw_bar(picture, row.track, face.scores[index], theme.label(index), style)
        score = f"{face.scores[index]:.2f}"
        write(picture, score, (row.score_right, y), size, colour, weight, "right")
        if row.rate:
            rate = f"{face.rates_hz[index]:.0f} Hz"
            write(picture, rate, (row.box.right, y), size, theme.faint, align="right")


def _draw_bar(picture: Picture, track: Box, share: float, colour: Colour, style: Style) -> None:
    length = round(track.width * min(max(share, 0.0), 1.0))
    if length > 0:
        fill(picture, track._replace(width=length), colour, radius=style.px(2))
