"""The panels of the dashboard: what each shows, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fer_viz.core.drawing import plots
from fer_viz.core.drawing.canvas import Box, Picture, disc
from fer_viz.core.drawing.face_crop import CROP_PX, draw_crop, draw_features
from fer_viz.core.drawing.receptive_fields import draw_fields
from fer_viz.core.drawing.result import HEADLINE, draw_headline, draw_scores
from fer_viz.core.drawing.style import Style
from fer_viz.core.drawing.text import baseline, fitted, width_px, write
from fer_viz.core.drawing.trends import draw_trends
from fer_viz.core.scene import ALL_ORIENTATIONS, Raster, Scene

# In units of the design.
GAP, PAD, AXIS = 7, 8, 15
_LEFT, _RIGHT = 56, 49


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
        scores = Box(0, top, width, max(height - top, 1))
        draw_scores(part, scores, scene.focus, style)
    return ""


def _draw_trends(part: Picture, view: View) -> str:
    history = view.scene.scores
    if history is None or not history.labels:
        _draw_missing(part, view, "results")
        return ""
    draw_trends(part, Box(0, 0, part.shape[1], part.shape[0]), history, view.style)
    return "height: score · opacity: confidence"


def _draw_face(part: Picture, view: View) -> str:
    scene, style = view.scene, view.style
    face, features = scene.focus, scene.features
    if face is None or face.area_px == 0 or view.image is None:
        _draw_missing(part, view, "face")
        return ""
    height, width = part.shape[:2]
    gap = style.px(GAP)
    side = max(min(height, (width - gap) // 2), 1)
    crop = Box(0, 0, side, side)
    cells = crop._replace(x=min(side + 2 * gap, width - side))
    draw_crop(crop.of(part), view.image, face)
    if features is None:
        return f"{CROP_PX} x {CROP_PX} px"
    draw_features(cells.of(part), features, style.theme)
    count, rows, cols = features.energy.shape
    return f"{CROP_PX} px · {count} x {rows} x {cols}"


def _draw_weights(part: Picture, view: View) -> str:
    fields = view.scene.fields
    if fields is None or not fields.maps.size:
        draw_empty(part, "no weights yet: is the snn node up?", view.style)
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
        plots.draw_names(part, box, scene, order, style, lanes=True)
        plots.draw_levels(part, box, traces, order, style)
        glances = " · |: a glance begins" if len(traces.glances_s) else ""
        return "threshold {}, reset {} mV".format(*ends) + glances
    plots.draw_map(part, box, scene, order, style)
    plots.draw_names(part, box, scene, order, style)
    return "bright: threshold {} mV · dark: reset {} mV".format(*ends)


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
        draw_empty(part, "waiting for the feature layer", style)
        return ""
    box = _plot_box(part, style)
    plots.draw_counts(part, box, raster, scene.span_s, style)
    plots.draw_time_axis(part, box, scene.span_s, style)
    size = style.small_px
    for text, share in (("ON", 0.25), ("OFF", 0.75)):
        at = (box.x - style.px(5), box.y + share * box.height)
        write(part, text, at, size, style.theme.faint, align="right")
    return _rate_note(raster, scene.span_s)


DRAW: Mapping[str, Callable[[Picture, View], str]] = {
    "answer": _draw_answer,
    "trends": _draw_trends,
    "face": _draw_face,
    "weights": _draw_weights,
    "potentials": _draw_potentials,
    "spikes": _draw_spikes,
    "feature_spikes": _draw_feature_spikes,
}


def draw_status(part: Picture, view: View) -> None:
    """Draw whether all is well, figures of the graph, and the model."""
    status, style = view.scene.status, view.style
    theme, size = style.theme, style.text_px
    height, width = part.shape[:2]
    part[...] = theme.ground
    row = Box(style.px(PAD), 0, width - 2 * style.px(PAD), height)
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
    return Box(left, 0, max(width - left - right, 1), max(height - style.px(AXIS), 1))


def _rate_note(raster: Raster, span_s: float) -> str:
    return f"{raster.size} neurons · mean rate {raster.rate_hz(span_s):.1f} Hz"


def _draw_missing(part: Picture, view: View, what: str) -> None:
    draw_empty(part, view.scene.missing(what), view.style)


def draw_empty(part: Picture, text: str, style: Style) -> None:
    """Write why there is nothing in the middle of a panel, on as many lines as it needs."""
    height, width = part.shape[:2]
    size, lines = style.text_px, [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_px(longer, size) > width - style.px(PAD):
            lines.append(word)
        else:
            lines[-1] = longer
    pitch = round(1.4 * size)
    for index, line in enumerate(lines):
        row = Box(0, height // 2 + round((index - len(lines) / 2) * pitch), width, pitch)
        at = (width / 2, baseline(row, size))
        write(part, fitted(line, size, width), at, size, style.theme.faint, align="centre")
