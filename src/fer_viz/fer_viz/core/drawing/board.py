"""The whole dashboard as one picture: the window, the rqt plugin and the topic show the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import cv2

from fer_viz.core.drawing import plots
from fer_viz.core.drawing.canvas import Box, Picture, disc, fill
from fer_viz.core.drawing.face_crop import CROP_PX, draw_crop, draw_features
from fer_viz.core.drawing.overlay import draw_faces, draw_hint
from fer_viz.core.drawing.receptive_fields import draw_fields
from fer_viz.core.drawing.result import HEADLINE, SCORE_ROW, baseline, draw_headline, draw_scores
from fer_viz.core.drawing.style import DESIGN_HEIGHT, Style, Theme
from fer_viz.core.drawing.text import fitted, width_px, write
from fer_viz.core.drawing.trends import draw_trends
from fer_viz.core.scene import ALL_ORIENTATIONS, Raster, Scene

#: At this size, one unit of the design is one pixel.
DESIGN_SIZE = (1067, 590)
LEAST_UNIT, MOST_UNIT, _UNIT_STEP = 1.0, 4.0, 0.05
# In units of the design.
_GAP, _PAD, _TITLE, _AXIS = 7, 8, 20, 15
_LEFT, _RIGHT = 56, 49
_TWO_COLUMNS, _THREE_COLUMNS = 460, 700
_EXPECTED_LABELS = 8
#: Heights that differ by less are equal, units of the design.
_ENOUGH = 0.5
#: An outdated image is darkened to this share.
_STALE_SHARE = 0.45


class Panel(NamedTuple):
    """A part of the dashboard.

    Attributes
    ----------
    title : above it; empty for none.
    rank : where there is no room for all panels, those with the largest rank are left out.
    least : least height, units of the design.
    share : of the height that is left, relative to the other panels of its column.
    explanation : of what is seen, for a tooltip.
    """

    title: str
    rank: int
    least: float
    share: float
    explanation: str


PANELS: Mapping[str, Panel] = {
    "camera": Panel("", 0, 110, 9, "The newest image. A click on a face shows it in detail."),
    "trends": Panel(
        "Last 30 s",
        2,
        110,
        3,
        "Above, the scores of all labels as a stack: the height is the score, the opacity the "
        "confidence. Below, their spike rates in Hz, stacked.",
    ),
    "answer": Panel(
        "",
        1,
        HEADLINE + 70,
        3,
        "Label and confidence (calibrated: of answers with 80 %, 80 % are right). For each label "
        "its score, 0 to 1, and the mean spike rate of its neurons.",
    ),
    "face": Panel(
        "Face and features",
        6,
        110,
        2,
        "The face, aligned as the network gets it. Right: the strongest feature energy of each "
        "cell, and as a stroke the dominant orientation of its edges.",
    ),
    "weights": Panel(
        "What a label sees",
        5,
        120,
        3,
        "Weights of each label beyond those of the mean label, on the outline of a face. A click "
        "chooses one orientation of edges.",
    ),
    "potentials": Panel(
        "Membrane potential",
        3,
        110,
        8,
        "A lane for each label: one of its neurons as a line, the others faint, and marks where "
        "any of them fires. A vertical line: a glance begins, and all neurons start at rest. "
        "Grey: time that was not simulated.",
    ),
    "spikes": Panel(
        "Spikes",
        4,
        90,
        5,
        "A mark for each spike, a row for each neuron. Grey: time that was not simulated. A click "
        "shows the feature layer too.",
    ),
    "feature_spikes": Panel(
        "Spikes of the feature layer",
        4,
        80,
        4,
        "Number of spikes by neuron and time: ON neurons above, OFF neurons below.",
    ),
}
#: Panels from top to bottom.
_COLUMNS = (
    ("camera", "trends"),
    ("answer", "weights", "face"),
    ("potentials", "spikes", "feature_spikes"),
)
_SHARES = (0.36, 0.26, 0.38)
#: The line at the lower edge with figures of the graph, which the window has in its own bar.
STATUS = "status"
_STATUS_HEIGHT = 22
#: Turns between two drawings of a panel, and the first turn.
_TURNS = {"camera": (1, 0), "answer": (3, 0), "face": (3, 2), "trends": (9, 4), STATUS: (9, 7)}
_OTHERS = (3, 1)


@dataclass(frozen=True)
class View:
    """What a panel draws, besides the scene.

    Attributes
    ----------
    image : camera image, (height, width, 3) BGR; None where there is none.
    orientation : shown receptive fields, one of `ReceptiveFields.choices`.
    """

    scene: Scene
    image: Picture | None
    style: Style
    orientation: str = ALL_ORIENTATIONS


def unit_for(width: int, height: int) -> float:
    """Return the unit at which everything fits a picture, in steps so that it rarely changes."""
    wanted = min(width / DESIGN_SIZE[0], height / DESIGN_SIZE[1])
    return min(max(round(wanted / _UNIT_STEP) * _UNIT_STEP, LEAST_UNIT), MOST_UNIT)


def layout(
    width: int,
    height: int,
    unit: float,
    aspect: float = 4 / 3,
    labels: int = 8,
    left_out: Collection[str] = (),
) -> dict[str, Box]:
    """Return the places of the panels that have room, pixels.

    Parameters
    ----------
    unit : pixels for one unit of the design.
    aspect : width of the camera image divided by its height.
    left_out : panels that are not wanted.
    """
    gap, bottom = round(_GAP * unit), round(_STATUS_HEIGHT * unit)
    status = {} if STATUS in left_out else {STATUS: Box(0, height - bottom, width, bottom)}
    height -= bottom if status else 0
    if width < _TWO_COLUMNS * unit:
        columns = [[name for column in (_COLUMNS[0], *_COLUMNS[1:]) for name in column]]
        columns[0].sort(key=lambda name: PANELS[name].rank)
    elif width < _THREE_COLUMNS * unit:
        columns = [["camera", "trends", "weights"], ["answer", *_COLUMNS[2], "face"]]
    else:
        columns = [list(column) for column in _COLUMNS]
    shares = _SHARES if len(columns) == len(_SHARES) else (1 / len(columns),) * len(columns)
    places, x = status, 0
    for column, share in zip(columns, shares, strict=True):
        own = round((width - gap * (len(columns) - 1)) * share)
        own = own if column is not columns[-1] else width - x
        wanted = {
            name: _limits(name, own / unit, aspect, labels)
            for name in column
            if name not in left_out
        }
        for name, (top, end) in _stack(wanted, height / unit).items():
            y = round(top * unit)
            places[name] = Box(x, y, own, max(min(round(end * unit), height) - y, 0))
        x += own + gap
    return places


def _limits(name: str, width: float, aspect: float, labels: int) -> tuple[float, float]:
    """Return the least height of a panel and the most that it can use, units of the design."""
    least, inner, rows = PANELS[name].least, width - 2 * _PAD, min(max(labels, 3), 12)
    most = {
        "camera": width / aspect,
        "answer": HEADLINE + 2.5 * _PAD + 1.3 * SCORE_ROW * rows,
        "weights": _TITLE + 0.5 * inner + 44,
        "face": _TITLE + inner / 2 + _PAD / 2,
    }.get(name, math.inf)
    if name == "answer":
        least = HEADLINE + 2.5 * _PAD + 14 * rows
    return min(least, most), most


def _stack(limits: dict[str, tuple[float, float]], height: float) -> dict[str, tuple[float, float]]:
    """Return top and bottom of the panels of a column; those without room are left out."""
    names = list(limits)
    while len(names) > 1 and sum(limits[name][0] + _GAP for name in names) - _GAP > height:
        names.remove(max(names, key=lambda name: PANELS[name].rank))
    high = {name: limits[name][0] for name in names}
    free = height - _GAP * (len(names) - 1) - sum(high.values())
    growing = set(names)
    while free > _ENOUGH and growing:
        shares = sum(PANELS[name].share for name in growing)
        for name in tuple(growing):
            more = min(free * PANELS[name].share / shares, limits[name][1] - high[name])
            high[name] += more
            if high[name] >= limits[name][1] - _ENOUGH:
                growing.remove(name)
        free = height - _GAP * (len(names) - 1) - sum(high.values())
    # What nobody can use goes to the last panel, so that columns end together.
    high[names[-1]] += free
    edges, y = {}, 0.0
    for name in names:
        edges[name] = (y, y + high[name])
        y += high[name] + _GAP
    return edges


class Board:
    """Draws the dashboard into one picture and redraws only what changes. Not thread-safe.

    Parameters
    ----------
    theme : the colours.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        #: Places of the panels that are shown, pixels.
        self.places: dict[str, Box] = {}
        #: Place of the camera image and its size relative to the source.
        self.camera = Box(0, 0, 0, 0)
        self.scale = 1.0
        self._picture: Picture | None = None
        self._key: tuple[object, ...] = ()
        self._drawn_fields: tuple[object, ...] = ()
        self._hint = ""
        self._turn = 0

    def draw(
        self, picture: Picture, view: View, left_out: Collection[str] = (), every_panel: bool = True
    ) -> list[Box]:
        """Draw what is due, and return the places that were drawn.

        Parameters
        ----------
        picture : (height, width, 3) BGR; it must keep its pixels until the next call.
        left_out : panels that are not wanted.
        every_panel : draw everything; otherwise panels take turns.
        """
        height, width = picture.shape[:2]
        aspect = 4 / 3 if view.image is None else view.image.shape[1] / view.image.shape[0]
        labels = len(view.scene.labels) or _EXPECTED_LABELS
        key = (width, height, round(aspect, 2), labels, tuple(left_out), view.style)
        if key != self._key or picture is not self._picture:
            self._picture, self._key, self._drawn_fields = picture, key, ()
            self.places = layout(width, height, view.style.unit, aspect, labels, left_out)
            self._draw_plates(picture, view.style)
            every_panel = True
        every_panel |= view.scene.status.hint != self._hint
        self._hint = view.scene.status.hint
        self._turn += 1
        drawn = []
        for name, box in self.places.items():
            every, first = _TURNS.get(name, _OTHERS)
            if every_panel or self._turn % every == first:
                if name == "weights" and not self._fields_changed(view):
                    continue
                self._draw_panel(picture, name, box, view)
                drawn.append(box)
        return drawn

    def face_at(self, x: int, y: int, scene: Scene) -> int:
        """Return the id of the face at a pixel of the picture, 0 for none."""
        for face in sorted(scene.faces, key=lambda face: face.area_px):
            left, top, width, height = (value * self.scale for value in face.box_px)
            inside = 0 <= x - self.camera.x - left <= width
            if inside and 0 <= y - self.camera.y - top <= height:
                return face.id
        return 0

    def panel_at(self, x: int, y: int) -> str:
        """Return the name of the panel at a pixel, empty for none."""
        return next(
            (
                name
                for name, box in self.places.items()
                if 0 <= x - box.x < box.width and 0 <= y - box.y < box.height
            ),
            "",
        )

    def _fields_changed(self, view: View) -> bool:
        key = (id(view.scene.fields), view.orientation)
        changed, self._drawn_fields = key != self._drawn_fields, key
        return changed

    def _draw_plates(self, picture: Picture, style: Style) -> None:
        fill(picture, Box(0, 0, *picture.shape[1::-1]), style.theme.ground)
        for name, box in self.places.items():
            if name == STATUS:
                continue
            fill(picture, box, style.theme.plate, radius=style.px(5))
            if title := PANELS[name].title:
                at = (box.x + style.px(_PAD), box.y + style.px(14))
                write(picture, title, at, style.text_px, style.theme.strong, "semibold")

    def _draw_panel(self, picture: Picture, name: str, box: Box, view: View) -> None:
        style, pad = view.style, view.style.px(_PAD)
        if name == "camera":
            self._draw_camera(box.of(picture), box, view)
            return
        if name == STATUS:
            _draw_status(box.of(picture), view)
            return
        title = PANELS[name].title
        head = style.px(_TITLE) if title else pad
        inner = Box(box.x + pad, box.y + head, box.width - 2 * pad, box.height - head - pad // 2)
        if min(inner[2:]) < style.px(_AXIS):
            return
        part = inner.of(picture)
        fill(picture, inner, style.theme.plate)
        note = _DRAW[name](part, view)
        if title:
            left = inner.x + round(width_px(title, style.text_px, "semibold")) + style.px(10)
            line = Box(left, box.y + style.px(3), inner.right - left, head - style.px(4))
            if line.width > 0:
                # Glyphs may reach beyond their line by a pixel or two.
                fill(picture, line._replace(width=line.width + pad // 2), style.theme.plate)
                text = fitted(note, style.small_px, line.width) if note else ""
                at = (inner.right, box.y + style.px(14))
                write(picture, text, at, style.small_px, style.theme.faint, align="right")

    def _draw_camera(self, part: Picture, box: Box, view: View) -> None:
        """Draw the image with its faces, darker if it is outdated, or what is missing."""
        scene, style, image = view.scene, view.style, view.image
        hint = scene.status.hint
        if image is None:
            fill(part, Box(0, 0, *box[2:]), style.theme.plate)
            _draw_empty(part, hint or "waiting for the first image", style)
            return
        height, width = image.shape[:2]
        self.scale = scale = min(box.width / width, box.height / height)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        # INTER_AREA is slow, and hardly better as long as no pixel is left out.
        kind = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR  # noqa: PLR2004
        shown = Box((box.width - size[0]) // 2, (box.height - size[1]) // 2, *size)
        self.camera = shown._replace(x=box.x + shown.x, y=box.y + shown.y)
        if shown[2:] != box[2:]:
            fill(part, Box(0, 0, *box[2:]), style.theme.plate)
        frame = shown.of(part)
        cv2.resize(image, size, dst=frame, interpolation=kind)
        if hint.startswith("no image"):
            cv2.convertScaleAbs(frame, dst=frame, alpha=_STALE_SHARE)
        marks = Style(style.theme, min(max(size[1] / DESIGN_HEIGHT, 0.75), 4.0))
        draw_faces(frame, scene.faces, scene.focus, scale, marks)
        if hint:
            draw_hint(frame, hint, marks)


# Panels. Each draws into its own part of the picture and returns a note for its title.


def _draw_answer(part: Picture, view: View) -> str:
    scene, style = view.scene, view.style
    height, width = part.shape[:2]
    size = style.small_px
    write(part, scene.caption, (0, round(size)), size, style.theme.faint)
    headline = Box(0, style.px(11), width, style.px(HEADLINE))
    draw_headline(part, headline, scene, style)
    top = headline.bottom + style.px(1)
    if scene.focus is not None and scene.focus.labels:
        # Rows stay together where there is more room than they need.
        most = round(1.6 * style.px(SCORE_ROW)) * len(scene.focus.labels)
        scores = Box(0, top, width, max(min(height - top, most), 1))
        draw_scores(part, scores, scene.focus, style)
    return ""


def _draw_trends(part: Picture, view: View) -> str:
    history = view.scene.scores
    if history is None or not history.labels:
        _draw_missing(part, view, "results")
        return ""
    draw_trends(part, Box(0, 0, part.shape[1], part.shape[0]), history, view.style)
    return "height: score, opacity: confidence"


def _draw_face(part: Picture, view: View) -> str:
    scene, style = view.scene, view.style
    face, features = scene.focus, scene.features
    if face is None or face.area_px == 0 or view.image is None:
        _draw_missing(part, view, "face")
        return ""
    height, width = part.shape[:2]
    gap = style.px(_GAP)
    side = max(min(height, (width - gap) // 2), 1)
    crop, cells = Box(0, 0, side, side), Box(width - side, 0, side, side)
    draw_crop(crop.of(part), view.image, face)
    if features is None:
        return f"{CROP_PX} x {CROP_PX} px"
    draw_features(cells.of(part), features, style.theme)
    count, rows, cols = features.energy.shape
    return f"{CROP_PX} px, {count} x {rows} x {cols}"


def _draw_weights(part: Picture, view: View) -> str:
    fields = view.scene.fields
    if fields is None or not fields.maps.size:
        _draw_empty(part, "no weights yet: is the snn node up?", view.style)
        return ""
    maps = fields.beyond_the_mean(view.orientation)
    draw_fields(part, Box(0, 0, part.shape[1], part.shape[0]), fields.labels, maps, view.style)
    return view.orientation if view.orientation in fields.choices else fields.choices[0]


def _draw_potentials(part: Picture, view: View) -> str:
    scene, style, traces = view.scene, view.style, view.scene.traces
    if traces is None:
        _draw_missing(part, view, "potentials")
        return ""
    box = _plot_box(part, style)
    order = plots.neuron_order(traces.potential_v.shape[1], scene.fields, style.theme)
    plots.draw_time_axis(part, box, scene.span_s, style)
    ends = map(plots.millivolts, (float(traces.threshold_v.mean()), traces.v_reset_v))
    if plots.lanes_fit(box, order, style):
        if scene.raster is not None:
            plots.draw_gaps(part, box, scene.raster, scene.span_s, style)
        plots.draw_lanes(part, box, scene, order, style)
        plots.draw_lane_names(part, box, scene, order, style)
        glances = "  |: a glance begins" if len(traces.glances_s) else ""
        return "threshold {}, reset {} mV".format(*ends) + glances
    plots.draw_map(part, box, scene, order, style)
    plots.draw_names(part, box, scene, order, style)
    return "bright: threshold {}, dark: reset {} mV".format(*ends)


def _draw_spikes(part: Picture, view: View) -> str:
    scene, style, raster = view.scene, view.style, view.scene.raster
    if raster is None:
        _draw_missing(part, view, "spikes")
        return ""
    box = _plot_box(part, style)
    order = plots.neuron_order(raster.size, scene.fields, style.theme)
    plots.draw_raster(part, box, scene, order, style)
    plots.draw_names(part, box, scene, order, style)
    plots.draw_time_axis(part, box, scene.span_s, style)
    return _rate_note(raster, scene.span_s)


def _draw_feature_spikes(part: Picture, view: View) -> str:
    scene, style, raster = view.scene, view.style, view.scene.feature_raster
    if raster is None:
        _draw_empty(part, "waiting for the feature layer", style)
        return ""
    box = _plot_box(part, style)
    plots.draw_counts(part, box, raster, scene.span_s, style)
    plots.draw_time_axis(part, box, scene.span_s, style)
    size = style.small_px
    for text, share in (("ON", 0.25), ("OFF", 0.75)):
        at = (box.x - style.px(5), box.y + share * box.height)
        write(part, text, at, size, style.theme.faint, align="right")
    return _rate_note(raster, scene.span_s)


_DRAW: Mapping[str, Callable[[Picture, View], str]] = {
    "answer": _draw_answer,
    "trends": _draw_trends,
    "face": _draw_face,
    "weights": _draw_weights,
    "potentials": _draw_potentials,
    "spikes": _draw_spikes,
    "feature_spikes": _draw_feature_spikes,
}


def _draw_status(part: Picture, view: View) -> None:
    """Draw whether all is well, figures of the graph, and the model."""
    status, style = view.scene.status, view.style
    theme, size = style.theme, style.text_px
    height, width = part.shape[:2]
    part[...] = theme.ground
    row = Box(style.px(_PAD), 0, width - 2 * style.px(_PAD), height)
    good = not status.problem and status.rate_hz > 0
    disc(part, (row.x, height / 2), 3.5 * style.unit, theme.good if good else theme.warning)
    x, y = float(row.x + style.px(10)), baseline(row, size)
    for text in status.figures:
        x += write(part, text, (x, y), size, theme.normal) + style.px(14)
    network = view.scene.network
    about = "" if network is None else f"model {network.model}, learning {network.learning}"
    text = fitted(status.problem or about, size, row.right - x)
    write(part, text, (row.right, y), size, theme.normal, align="right")


def _plot_box(part: Picture, style: Style) -> Box:
    """Return the place of a plot between names at the left and its time axis."""
    height, width = part.shape[:2]
    left, right = style.px(_LEFT), style.px(_RIGHT)
    return Box(left, 0, max(width - left - right, 1), max(height - style.px(_AXIS), 1))


def _rate_note(raster: Raster, span_s: float) -> str:
    return f"{raster.size} neurons, mean rate {raster.rate_hz(span_s):.1f} Hz"


def _draw_missing(part: Picture, view: View, what: str) -> None:
    _draw_empty(part, view.scene.status.hint or view.scene.missing(what), view.style)


def _draw_empty(part: Picture, text: str, style: Style) -> None:
    """Write why there is nothing in the middle of a panel, on as many lines as it needs."""
    height, width = part.shape[:2]
    size, lines = style.text_px, [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_px(longer, size) > width - style.px(_PAD):
            lines.append(word)
        else:
            lines[-1] = longer
    pitch = round(1.4 * size)
    for index, line in enumerate(lines):
        row = Box(0, height // 2 + round((index - len(lines) / 2) * pitch), width, pitch)
        at = (width / 2, baseline(row, size))
        write(part, fitted(line, size, width), at, size, style.theme.faint, align="centre")
