"""The panel beside the camera image: face, result, activity of the neurons, weights and status.

What changes only with labels, weights or size is drawn once and copied. Bars, traces, spikes and
figures are drawn for each frame.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fer_viz.core.drawing import plots
from fer_viz.core.drawing.canvas import Box, Picture, disc, fill
from fer_viz.core.drawing.face_crop import draw_portrait
from fer_viz.core.drawing.receptive_fields import draw_fields, scale_note
from fer_viz.core.drawing.result import (
    HEADLINE,
    SCORE_ROW,
    baseline,
    draw_headline,
    draw_score_names,
    draw_scores,
)
from fer_viz.core.drawing.style import Style, Theme
from fer_viz.core.drawing.text import write
from fer_viz.core.scene import EXPRESSION_LAYER, Scene, SceneStatus

# In units of the design.
WIDTH = 320
_PAD = 14
_PORTRAIT = 52
_TITLE, _TITLE_BASELINE = 18, 6
_LEFT_AXIS, _TIME_AXIS = 28, 16
_STATUS = 24
_GAP = 9
_TRACES_SHARE, _RASTER_SHARE = 0.36, 0.25
#: More labels than this have two columns; more than fit into `_MOST_ROWS` are left out.
_ONE_COLUMN, _MOST_ROWS = 5, 7


class Sections(NamedTuple):
    """Places of the parts, pixels of the panel."""

    portrait: Box
    headline: Box
    scores: Box
    traces: Box
    raster: Box
    fields: Box
    status: Box


def sections(width: int, height: int, style: Style, labels: int) -> Sections:
    """Divide the panel: potentials, spikes and weights share what the rest leaves."""
    px = style.px
    pad, inner, side = px(_PAD), width - 2 * px(_PAD), px(_PORTRAIT)
    portrait = Box(pad, pad, side, side)
    left = portrait.right + px(12)
    headline = Box(left, pad + px(16), pad + inner - left, px(HEADLINE))
    rows = max(labels, 1) if labels <= _ONE_COLUMN else min(-(-labels // 2), _MOST_ROWS)
    scores = Box(pad, portrait.bottom + px(_GAP + 4), inner, rows * px(SCORE_ROW))
    status = Box(pad, height - px(_STATUS), inner, px(_STATUS))
    top = scores.bottom + px(_GAP)
    free = status.y - top - 3 * px(_TITLE) - px(_TIME_AXIS) - 2 * px(_GAP)
    left = pad + px(_LEFT_AXIS)
    traces = Box(left, top + px(_TITLE), pad + inner - left, round(_TRACES_SHARE * free))
    raster_y = traces.bottom + px(_GAP) + px(_TITLE)
    raster = Box(left, raster_y, traces.width, round(_RASTER_SHARE * free))
    fields_y = raster.bottom + px(_TIME_AXIS) + px(_GAP) + px(_TITLE)
    fields = Box(pad, fields_y, inner, max(status.y - fields_y - px(2), 1))
    return Sections(portrait, headline, scores, traces, raster, fields, status)


class Panel:
    """Draws the panel and keeps what does not change between frames."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._background: Picture | None = None
        self._background_key: tuple[object, ...] = ()

    def draw(self, picture: Picture, scene: Scene, frame: Picture, scale: float) -> None:
        """Draw everything.

        Parameters
        ----------
        picture : (height, width, 3), the panel, overwritten.
        frame : the camera image that the face is cut out of.
        scale : pixels of the frame for one pixel of the source image.
        """
        height, width = picture.shape[:2]
        style = Style(self._theme, width / WIDTH)
        places = sections(width, height, style, len(scene.labels))
        learning = None if scene.network is None else scene.network.learning
        # The object, not the version of the weights: another network may have the same version.
        key = (width, height, scene.labels, id(scene.fields), learning, scene.span_s)
        if self._background is None or key != self._background_key:
            self._background_key = key
            self._background = _background(scene, places, (height, width), style)
        picture[...] = self._background
        draw_portrait(picture, places.portrait, frame, scene.focus, scale, style)
        at = (places.headline.x, places.portrait.y + style.px(9))
        write(picture, scene.caption, at, style.text_px, style.theme.faint)
        draw_headline(picture, places.headline, scene, style)
        if scene.focus is not None and scene.focus.labels:
            draw_scores(picture, places.scores, scene.focus, style)
        _draw_potentials(picture, places.traces, scene, style)
        _draw_spikes(picture, places.raster, scene, style)
        _draw_status(picture, places.status, scene.status, style)


def _background(scene: Scene, places: Sections, shape: tuple[int, int], style: Style) -> Picture:
    """Draw what does not change between frames."""
    theme = style.theme
    picture = np.empty((*shape, 3), np.uint8)
    picture[...] = theme.ground
    for box in (places.traces, places.raster):
        fill(picture, box, theme.plate, radius=style.px(3))
    _draw_title(picture, places.traces, "Membrane potential", "", style)
    _draw_title(picture, places.raster, "Spikes", f"{EXPRESSION_LAYER} layer", style)
    plots.draw_time_axis(picture, places.raster, scene.span_s, style)
    draw_score_names(picture, places.scores, scene.labels, style)
    if scene.fields is None or not scene.fields.maps.size:
        _draw_title(picture, places.fields, "Receptive fields", "", style)
        _draw_empty(picture, places.fields, "no weights yet", style)
    else:
        maps = scene.fields.maps[0]
        _draw_title(picture, places.fields, "Receptive fields", scale_note(maps), style)
        draw_fields(picture, places.fields, scene.fields.labels, maps, style)
    fill(picture, Box(0, places.status.y, shape[1], style.at_least(1, 0.75)), theme.rule)
    if scene.network is not None:
        text, size = f"learning {scene.network.learning}", style.text_px
        at = (places.status.right, baseline(places.status, size))
        write(picture, text, at, size, theme.normal, align="right")
    return picture


def _draw_title(picture: Picture, box: Box, title: str, note: str, style: Style) -> None:
    at = (style.px(_PAD), box.y - style.px(_TITLE_BASELINE))
    write(picture, title, at, style.text_px, style.theme.normal, "semibold")
    _draw_note(picture, box, note, style)


def _draw_note(picture: Picture, box: Box, note: str, style: Style) -> None:
    at = (box.right, box.y - style.px(_TITLE_BASELINE))
    write(picture, note, at, style.small_px, style.theme.faint, align="right")


def _draw_empty(picture: Picture, box: Box, text: str, style: Style) -> None:
    at = (box.x + box.width / 2, baseline(box, style.text_px))
    write(picture, text, at, style.text_px, style.theme.faint, align="centre")


def _draw_potentials(picture: Picture, box: Box, scene: Scene, style: Style) -> None:
    traces = scene.traces
    if traces is None:
        _draw_empty(picture, box, scene.missing("potentials") if scene.focus else "", style)
        return
    order = plots.neuron_order(traces.potential_v.shape[1], scene.fields, style.theme)
    if len(order.row) <= plots.MAX_LINES:
        plots.draw_lines(picture, box, scene, order, style)
        plots.draw_potential_axis(picture, box, traces, style)
        _draw_note(picture, box, "mV", style)
    else:
        plots.draw_map(picture, box, scene, order, style)
        plots.draw_labels(picture, box, order, style)
        ends = (traces.v_reset_v, float(traces.threshold_v.mean()))
        _draw_note(picture, box, " to ".join(map(plots.millivolts, ends)) + " mV", style)


def _draw_spikes(picture: Picture, box: Box, scene: Scene, style: Style) -> None:
    if scene.raster is None:
        _draw_empty(picture, box, scene.missing("spikes") if scene.focus else "", style)
        return
    order = plots.neuron_order(scene.raster.size, scene.fields, style.theme)
    plots.draw_raster(picture, box, scene, order, style)
    plots.draw_labels(picture, box, order, style)


def _draw_status(picture: Picture, box: Box, status: SceneStatus, style: Style) -> None:
    theme, size = style.theme, style.text_px
    good = not status.hint and status.rate_hz > 0
    centre = (box.x + 3 * style.unit, box.y + box.height / 2)
    disc(picture, centre, 3 * style.unit, theme.good if good else theme.warning)
    x = float(box.x + style.px(13))
    for text in status.figures:
        x += write(picture, text, (x, baseline(box, size)), size, theme.normal) + style.px(12)
