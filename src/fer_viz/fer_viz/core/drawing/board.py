"""The whole dashboard as one picture: the window, the rqt plugin and the topic show the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection

import cv2

from fer_viz.core.drawing.canvas import Box, Picture, fill
from fer_viz.core.drawing.overlay import draw_faces, draw_hint
from fer_viz.core.drawing.panels import AXIS, DRAW, GAP, PAD, PANELS, View, draw_empty, draw_status
from fer_viz.core.drawing.receptive_fields import BAR_ROW
from fer_viz.core.drawing.result import HEADLINE, SCORE_ROW
from fer_viz.core.drawing.style import DESIGN_HEIGHT, Style, Theme
from fer_viz.core.drawing.text import fitted_parts, width_px, write
from fer_viz.core.scene import Scene

#: At this size, one unit of the design is one pixel.
DESIGN_SIZE = (1067, 590)
LEAST_UNIT, MOST_UNIT, _UNIT_STEP = 1.0, 4.0, 0.05
# In units of the design.
_TITLE = 20
_TWO_COLUMNS, _THREE_COLUMNS = 460, 700
_EXPECTED_LABELS = 8
_FIELD_NAME = 15
#: Heights that differ by less are equal, units of the design.
_ENOUGH = 0.5
#: An outdated image is darkened to this share.
_STALE_SHARE = 0.45


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
_TURNS = {"camera": (1, 0), "answer": (1, 0), "face": (3, 2), "trends": (9, 4), STATUS: (9, 7)}
_OTHERS = (3, 1)


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
    """
    gap, bottom = round(GAP * unit), round(_STATUS_HEIGHT * unit)
    status = {} if STATUS in left_out else {STATUS: Box(0, height - bottom, width, bottom)}
    height -= bottom if status else 0
    if width < _TWO_COLUMNS * unit:
        columns = [sorted(itertools.chain(*_COLUMNS), key=lambda name: PANELS[name].rank)]
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
    least, inner, rows = PANELS[name].least, width - 2 * PAD, min(max(labels, 3), 12)
    lines = next((lines for lines in (1, 2) if labels <= 4 * lines), 3)
    field = inner / max(-(-labels // lines), 3 if lines == 1 else 4)
    most = {
        "camera": width / aspect,
        "answer": HEADLINE + 2.5 * PAD + 1.3 * SCORE_ROW * rows,
        "weights": _TITLE + lines * (field + _FIELD_NAME) + BAR_ROW,
        "face": _TITLE + inner / 2 + PAD / 2,
    }.get(name, math.inf)
    if name == "answer":
        least = HEADLINE + 2.5 * PAD + 14 * rows
    return min(least, most), most


def _stack(limits: dict[str, tuple[float, float]], height: float) -> dict[str, tuple[float, float]]:
    """Return top and bottom of the panels of a column; those without room are left out."""
    names = list(limits)
    while len(names) > 1 and sum(limits[name][0] + GAP for name in names) - GAP > height:
        names.remove(max(names, key=lambda name: PANELS[name].rank))
    high = {name: limits[name][0] for name in names}
    free = height - GAP * (len(names) - 1) - sum(high.values())
    growing = set(names)
    while free > _ENOUGH and growing:
        shares = sum(PANELS[name].share for name in growing)
        for name in tuple(growing):
            more = min(free * PANELS[name].share / shares, limits[name][1] - high[name])
            high[name] += more
            if high[name] >= limits[name][1] - _ENOUGH:
                growing.remove(name)
        free = height - GAP * (len(names) - 1) - sum(high.values())
    # What nobody needs goes to the first panel, so that columns end together.
    high[names[0]] += free
    edges, y = {}, 0.0
    for name in names:
        edges[name] = (y, y + high[name])
        y += high[name] + GAP
    return edges


class Board:
    """Draws the dashboard into one picture and redraws only what changes. Not thread-safe."""

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
                at = (box.x + style.px(PAD), box.y + style.px(14))
                write(picture, title, at, style.text_px, style.theme.strong, "semibold")

    def _draw_panel(self, picture: Picture, name: str, box: Box, view: View) -> None:
        style, pad = view.style, view.style.px(PAD)
        if name == "camera":
            self._draw_camera(box.of(picture), box, view)
            return
        if name == STATUS:
            draw_status(box.of(picture), view)
            return
        title = PANELS[name].title
        head = style.px(_TITLE) if title else pad
        inner = Box(box.x + pad, box.y + head, box.width - 2 * pad, box.height - head - pad // 2)
        if min(inner[2:]) < style.px(AXIS):
            return
        part = inner.of(picture)
        fill(picture, inner, style.theme.plate)
        note = DRAW[name](part, view)
        if title:
            left = inner.x + round(width_px(title, style.text_px, "semibold")) + style.px(10)
            line = Box(left, box.y + style.px(3), inner.right - left, head - style.px(4))
            if line.width > 0:
                # Glyphs may reach beyond their line by a pixel or two.
                fill(picture, line._replace(width=line.width + pad // 2), style.theme.plate)
                text = fitted_parts(note, style.small_px, line.width)
                at = (inner.right, box.y + style.px(14))
                write(picture, text, at, style.small_px, style.theme.faint, align="right")

    def _draw_camera(self, part: Picture, box: Box, view: View) -> None:
        """Draw the image with its faces, darker if it is outdated, or what is missing."""
        scene, style, image = view.scene, view.style, view.image
        hint = scene.status.hint
        if image is None:
            fill(part, Box(0, 0, *box[2:]), style.theme.plate)
            draw_empty(part, hint or "waiting for the first image", style)
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
