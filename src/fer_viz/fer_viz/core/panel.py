"""The panel beside the camera picture: who is seen, what the network says, what its neurons do.

What changes only with labels, weights or size is drawn once and copied; only bars, traces, spikes
and figures are drawn for each frame.
"""

from __future__ import annotations

import math

import numpy as np

from fer_viz.core import plots
from fer_viz.core.canvas import Box, Picture, disc, fill, write
from fer_viz.core.fields import draw_fields, scale_of
from fer_viz.core.look import Look
from fer_viz.core.palette import Colour, Theme, mix
from fer_viz.core.panel_layout import PAD, TITLE_BASELINE, WIDTH, Sections, score_rows, sections
from fer_viz.core.portrait import draw_portrait
from fer_viz.core.scene import Face, Scene, Status
from fer_viz.core.text import MINUS, cap_height_px, fitted, width_px


class Panel:
    """Draws the panel; keeps what does not change between frames."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._still: Picture | None = None
        self._still_key: tuple[object, ...] = ()

    def draw(self, picture: Picture, scene: Scene, frame: Picture, scale: float) -> None:
        """Draw everything.

        Parameters
        ----------
        picture : (height, width, 3), the panel, overwritten whole.
        scene : what is shown.
        frame : the camera picture that the face is cut out of.
        scale : pixels of the frame for a pixel of the source image.
        """
        height, width = picture.shape[:2]
        look = Look(self._theme, width / WIDTH)
        places = sections(width, height, look, len(scene.labels))
        picture[...] = self._background(scene, places, (height, width), look)
        draw_portrait(picture, places.portrait, frame, scene.focus, scale, look)
        _headline(picture, places.headline, scene, look)
        if scene.focus is not None and scene.focus.labels:
            _scores(picture, places.scores, scene.focus, look)
        _potentials(picture, places.traces, scene, look)
        _spikes(picture, places.raster, scene, look)
        _status(picture, places.status, scene.status, look)

    def _background(
        self, scene: Scene, places: Sections, shape: tuple[int, int], look: Look
    ) -> Picture:
        learning = None if scene.network is None else scene.network.learning
        # The fields themselves, not their version: another network may count from there too.
        key = (shape, scene.labels, scene.fields and id(scene.fields), learning, scene.span_s)
        if self._still is None or key != self._still_key:
            self._still, self._still_key = _still(scene, places, shape, look), key
        return self._still


# What stands still


def _still(scene: Scene, places: Sections, shape: tuple[int, int], look: Look) -> Picture:
    theme = look.theme
    still = np.empty((*shape, 3), np.uint8)
    still[...] = theme.ground
    for box in (places.traces, places.raster):
        fill(still, box, theme.plate, radius=look.px(3))
    _title(still, places.traces, "Membrane potential", "", look)
    _title(still, places.raster, "Spikes", f"{plots.LAYER} layer", look)
    plots.draw_time_axis(still, places.raster, scene.span_s, look)
    _score_names(still, places.scores, scene.labels, look)
    if scene.fields is None or not scene.fields.maps.size:
        _title(still, places.fields, "Receptive fields", "", look)
        _nothing(still, places.fields, "no weights yet", look)
    else:
        full = scale_of(scene.fields.maps)
        _title(still, places.fields, "Receptive fields", f"ON {MINUS} OFF, ±{full:.2g}", look)
        draw_fields(still, places.fields, scene.fields, look)
    fill(still, Box(0, places.status.y, shape[1], look.at_least(1, 0.75)), theme.rule)
    if scene.network is not None:
        text = f"learning {scene.network.learning}"
        at = (places.status.right, _baseline(places.status, look.text_px))
        write(still, text, at, look.text_px, theme.normal, align="right")
    return still


def _title(picture: Picture, box: Box, title: str, note: str, look: Look) -> None:
    baseline = box.y - look.px(TITLE_BASELINE)
    write(picture, title, (look.px(PAD), baseline), look.text_px, look.theme.normal, "semibold")
    _note(picture, box, note, look)


def _note(picture: Picture, box: Box, note: str, look: Look) -> None:
    at = (box.right, box.y - look.px(TITLE_BASELINE))
    write(picture, note, at, look.small_px, look.theme.faint, align="right")


def _score_names(picture: Picture, box: Box, labels: tuple[str, ...], look: Look) -> None:
    rows = score_rows(box, len(labels), look)
    for index, (name, row) in enumerate(zip(labels, rows, strict=False)):
        text = fitted(name, look.text_px, row.track.x - row.box.x - look.px(6))
        at = (row.box.x, _baseline(row.box, look.text_px))
        write(picture, text, at, look.text_px, look.theme.normal)
        ground = mix(look.theme.plate, look.theme.label(index), 0.10)
        fill(picture, row.track, ground, radius=look.px(2))


# What moves


def _headline(picture: Picture, box: Box, scene: Scene, look: Look) -> None:
    theme, face = look.theme, scene.focus
    if face is None:
        size = 16.5 * look.unit
        text = "no results" if scene.status.hint else "no face in view"
        write(picture, text, (box.x, _baseline(box, size)), size, theme.faint)
        return
    others = f", {len(scene.faces)} in view" if len(scene.faces) > 1 else ""
    at = (box.x, box.y + look.px(9))
    write(picture, f"face {face.id}{others}", at, look.text_px, theme.faint)
    decided = face.label_index >= 0
    percent = f"{100 * face.confidence:.0f} %" if face.label else ""
    room = box.width - width_px(percent, look.large_px) - look.px(10)
    name = fitted(face.label or "no answer", look.large_px, room, "semibold")
    baseline, colour = box.y + look.px(34), theme.label(face.label_index)
    write(picture, name, (box.x, baseline), look.large_px, colour, "semibold")
    strength = theme.strong if decided else theme.faint
    write(picture, percent, (box.right, baseline), look.large_px, strength, align="right")
    track = Box(box.x, box.y + look.px(44), box.width, look.at_least(3, 4))
    fill(picture, track, theme.rule, radius=look.px(2))
    _bar(picture, track, face.confidence, colour, look)


def _scores(picture: Picture, box: Box, face: Face, look: Look) -> None:
    theme, size = look.theme, look.text_px
    for index, row in enumerate(score_rows(box, len(face.labels), look)):
        said = index == face.label_index
        baseline = _baseline(row.box, size)
        _bar(picture, row.track, face.scores[index], theme.label(index), look)
        write(
            picture,
            f"{face.scores[index]:.2f}",
            (row.score_right, baseline),
            size,
            theme.strong if said else theme.normal,
            "semibold" if said else "regular",
            "right",
        )
        if row.rate:
            rate = f"{face.rates_hz[index]:.0f} Hz"
            write(picture, rate, (row.box.right, baseline), size, theme.faint, align="right")


def _potentials(picture: Picture, box: Box, scene: Scene, look: Look) -> None:
    traces = scene.traces
    if traces is None:
        _nothing(picture, box, "no potentials yet" if scene.focus else "", look)
        return
    order = plots.neuron_order(traces.potential_v.shape[1], scene.fields, look.theme)
    if len(order.row) <= plots.MAX_LINES:
        plots.draw_lines(picture, box, scene, order, look)
        plots.draw_potential_axis(picture, box, traces, look)
        _note(picture, box, "mV", look)
    else:
        plots.draw_map(picture, box, scene, order, look)
        plots.draw_labels(picture, box, order, look)
        _note(picture, box, plots.range_text(traces), look)


def _spikes(picture: Picture, box: Box, scene: Scene, look: Look) -> None:
    if scene.raster is None:
        _nothing(picture, box, "no spikes yet" if scene.focus else "", look)
        return
    order = plots.neuron_order(scene.raster.size, scene.fields, look.theme)
    plots.draw_raster(picture, box, scene, order, look)
    plots.draw_labels(picture, box, order, look)


def _status(picture: Picture, box: Box, status: Status, look: Look) -> None:
    theme, size = look.theme, look.text_px
    good = not status.hint and status.rate_hz > 0
    centre = (box.x + 3 * look.unit, box.y + box.height / 2)
    disc(picture, centre, 3 * look.unit, theme.good if good else theme.warning)
    latency = "..." if math.isnan(status.latency_ms) else f"{status.latency_ms:.0f}"
    x, baseline = float(box.x + look.px(13)), _baseline(box, size)
    for text in (f"{status.rate_hz:.0f} fps", f"{latency} ms", f"{status.skipped} skipped"):
        x += write(picture, text, (x, baseline), size, theme.normal) + look.px(12)


def _bar(picture: Picture, track: Box, share: float, colour: Colour, look: Look) -> None:
    length = round(track.width * min(max(share, 0.0), 1.0))
    if length > 0:
        fill(picture, track._replace(width=length), colour, radius=look.px(2))


def _nothing(picture: Picture, box: Box, text: str, look: Look) -> None:
    at = (box.x + box.width / 2, _baseline(box, look.text_px))
    write(picture, text, at, look.text_px, look.theme.faint, align="centre")


def _baseline(box: Box, size_px: float) -> float:
    """Where text stands so that its capitals are in the middle of a box."""
    return box.y + (box.height + cap_height_px(size_px)) / 2
