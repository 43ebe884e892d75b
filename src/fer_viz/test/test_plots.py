"""Plots of the board: spikes, potentials, scores, rates and receptive fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_testing.networks import EIGHT
from fer_testing.viz import share_of
from fer_viz.core.drawing import plots, trends
from fer_viz.core.drawing.canvas import Box
from fer_viz.core.drawing.receptive_fields import arrange, draw_fields
from fer_viz.core.drawing.style import (
    DARK,
    LEAST_CONTRAST,
    LIGHT,
    Style,
    Theme,
    colour_table,
    contrast,
)
from fer_viz.core.history import SCORE_SPAN_S
from fer_viz.core.scene import Raster, ReceptiveFields, Scene, ScoreHistory, Traces

SceneMaker = Callable[..., Scene]
Picture = npt.NDArray[np.uint8]

STYLE = Style(DARK, 1.0)


# Spikes and potentials

PLOT = Box(10, 20, 200, 60)


def plot_scene(
    time_s: list[float], neuron: list[int], size: int, labels: list[int] | None = None
) -> Scene:
    fields = None
    if labels is not None:
        maps = np.zeros((1, 3, 2, 2), np.float32)
        fields = ReceptiveFields(1, ("a", "b", "c"), maps, np.array(labels, np.int64))
    raster = Raster(np.array(time_s), np.array(neuron, np.int64), size)
    return Scene(raster=raster, fields=fields)


def test_spikes_stand_in_their_column_row_and_colour() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    scene = plot_scene([-1.0, -0.5, -0.005], [0, 1, 2], 3, [0, 1, 2])
    order = plots.neuron_order(3, scene.fields, DARK)
    plots.draw_raster(picture, PLOT, scene, order, STYLE)
    for neuron, column in ((0, 10), (1, 109), (2, 208)):
        y = 20 + neuron * 20 + 10
        assert picture[y, column].tolist() == list(DARK.label(neuron))
    columns = np.flatnonzero(picture.any(axis=(0, 2)))
    assert columns.tolist() == [10, 11, 109, 110, 208, 209]


def test_neurons_of_a_label_stand_together() -> None:
    fields = plot_scene([], [], 4, [1, 0, 1, -1]).fields
    order = plots.neuron_order(4, fields, DARK)
    assert order.row.tolist() == [1, 0, 2, 3]
    assert order.colour[3].tolist() == list(DARK.undecided)


def test_labels_of_another_network_are_not_used() -> None:
    order = plots.neuron_order(5, plot_scene([], [], 3, [0, 1, 2]).fields, DARK)
    assert order.row.tolist() == [0, 1, 2, 3, 4]
    assert (order.label == -1).all()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 400),
    st.lists(st.floats(-3, 1), max_size=50),
    st.integers(1, 80),
    st.integers(8, 300),
)
def test_rasters_of_any_size_stay_in_their_box(
    size: int, time_s: list[float], height: int, width: int
) -> None:
    picture = np.zeros((height + 20, width + 20, 3), np.uint8)
    box = Box(10, 10, width, height)
    scene = plot_scene(sorted(time_s), [k % size for k in range(len(time_s))], size)
    plots.draw_raster(picture, box, scene, plots.neuron_order(size, None, DARK), STYLE)
    picture[box.y : box.bottom, box.x : box.right] = 0
    assert not picture.any()


def constant_traces(levels_v: list[float], time_s: npt.NDArray[np.float64]) -> Traces:
    potential_v = np.tile(np.array(levels_v, np.float32), (len(time_s), 1))
    threshold_v = np.full(len(levels_v), -0.05, np.float32)
    return Traces(time_s, potential_v, threshold_v, -0.07, -0.075)


def drawn_lanes(scene: Scene, neurons: int) -> Picture:
    picture = np.zeros((100, 230, 3), np.uint8)
    order = plots.neuron_order(neurons, scene.fields, DARK)
    plots.draw_lanes(picture, PLOT, scene, order, STYLE)
    return picture


def test_lines_lie_at_their_potential() -> None:
    traces = constant_traces([-0.06, -0.065], np.arange(-999, 1) * 1e-3)
    picture = drawn_lanes(replace(plot_scene([], [], 2, [0, 1]), traces=traces), 2)
    for neuron, value_v in enumerate((-0.06, -0.065)):
        lane = plots.Lane.of(traces, np.array([neuron]), 30 * neuron, 30 * (neuron + 1))
        y = 20 + float(lane.row(value_v))
        rows = np.arange(round(y) - 2, round(y) + 3)
        stroke = picture[rows, 12:208].max(axis=-1).astype(float)
        # A smooth line shares its colour out over neighbouring rows.
        assert (rows @ stroke / stroke.sum(axis=0)) == pytest.approx(y, abs=0.3)
        hue = picture[round(y), 100].astype(float)
        assert hue / hue.max() == pytest.approx(
            np.array(DARK.label(neuron)) / max(DARK.label(neuron)), abs=0.05
        )


def test_one_neuron_of_a_label_is_opaque_and_spikes_of_all_are_marked() -> None:
    traces = constant_traces([-0.06, -0.07], np.arange(-999, 1) * 1e-3)
    scene = replace(plot_scene([-0.5], [1], 2, [2, 2]), traces=traces)
    picture = drawn_lanes(scene, 2)
    assert picture[22, 110].tolist() == list(DARK.label(2))
    assert picture[22, 60].tolist() == [0, 0, 0]
    lane = plots.Lane.of(traces, np.array([0, 1]), 0, 60)
    rows = [20 + round(float(lane.row(value_v))) for value_v in (-0.06, -0.07)]
    opaque, faint = (int(picture[row - 1 : row + 2, 80, 0].sum()) for row in rows)
    assert opaque > 2 * faint > 0


def test_a_gap_is_neither_bridged_nor_silent() -> None:
    traces = constant_traces(
        [-0.06], np.concatenate([np.arange(-999, -700), np.arange(-300, 1)]) * 1e-3
    )
    potential_v = traces.potential_v.copy()
    potential_v[299] = np.nan
    scene = replace(plot_scene([], [], 1, [0]), traces=replace(traces, potential_v=potential_v))
    assert scene.raster is not None
    raster = replace(scene.raster, gaps_s=np.array([[-0.7, -0.3]]))
    picture = drawn_lanes(scene, 1)
    y = 20 + round(float(plots.Lane.of(traces, np.array([0]), 0, 60).row(-0.06)))
    assert picture[y, 20:60].any(axis=-1).all() and not picture[y, 90:130].any()
    plots.draw_gaps(picture, PLOT, raster, 1.0, STYLE)
    assert (picture[20:80, 70:150] == DARK.rule).all()
    assert not (picture[21:80, 60:69] == DARK.rule).all(axis=-1).any()


def test_glances_are_marked() -> None:
    traces = constant_traces([-0.06], np.arange(-999, 1) * 1e-3)
    traces = replace(traces, glances_s=np.array([-0.5]))
    picture = drawn_lanes(replace(plot_scene([], [], 1, [0]), traces=traces), 1)
    assert picture[75, 110].any() and not picture[75, 100].any()


@pytest.mark.filterwarnings("error")
def test_potentials_as_large_as_numbers_get_are_drawn() -> None:
    traces = constant_traces([-0.06], np.arange(-999, 1) * 1e-3)
    traces.potential_v[500:] = -3e38
    picture = drawn_lanes(replace(plot_scene([], [], 1, [0]), traces=traces), 1)
    y = 20 + round(float(plots.Lane.of(traces, np.array([0]), 0, 60).row(-0.06)))
    assert picture[y, 20:100].any(axis=-1).all() and not picture[y, 125:].any()


def test_many_neurons_become_a_map() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    levels_v = [-0.075] * 10 + [-0.05] * 10
    traces = constant_traces(levels_v, np.arange(-499, 1) * 1e-3)
    scene = replace(plot_scene([], [], 20), traces=traces)
    plots.draw_map(picture, PLOT, scene, plots.neuron_order(20, None, DARK), STYLE)
    entries = colour_table(DARK.sequential)
    assert picture[30, 180].tolist() == entries[0].tolist()
    assert picture[70, 180].tolist() == entries[255].tolist()
    # Nothing is known before half a second ago.
    assert picture[20:80, 10:100].max() == 0


# Scores and rates


def history(labels: tuple[str, ...], best: list[int], confidence: float = 1.0) -> ScoreHistory:
    scores = np.eye(len(labels), dtype=np.float32)[best]
    time_s = np.linspace(-SCORE_SPAN_S, 0, len(best))
    return ScoreHistory(
        time_s, labels, scores, 40 * scores, np.full(len(best), confidence, np.float32)
    )


def test_the_history_is_a_band_in_the_colours_of_the_labels() -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    picture[...] = DARK.plate
    scores = history(("a", "b"), [0] * 300 + [1] * 300)
    opacity = np.ones(600, np.float32)
    box = Box(0, 0, 200, 40)
    trends.draw_stack(picture, box, scores, scores.scores, 1.0, opacity, STYLE)
    assert (picture[:, :98] == DARK.label(0)).all() and (picture[:, 102:] == DARK.label(1)).all()
    trends.draw_stack(picture, box, scores, scores.rates_hz, 80.0, 0.2 * opacity, STYLE)
    assert (picture[:18] == DARK.plate).all()
    faint = picture[30, 50].astype(int)
    assert 0 < abs(faint - DARK.plate).max() < abs(np.subtract(DARK.label(0), DARK.plate)).max() / 2


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_names_in_the_history_can_be_read(theme: Theme) -> None:
    for label in range(8):
        picture = np.full((40, 200, 3), theme.label(label), np.uint8)
        names = tuple(f"label {k}" for k in range(8))
        trends.write_names(
            picture, Box(0, 0, 200, 40), history(names, [label] * 600), Style(theme, 3.0)
        )
        pixels = np.unique(picture.reshape(-1, 3), axis=0).tolist()
        written = max(contrast(tuple(each), theme.label(label)) for each in pixels)
        assert written >= LEAST_CONTRAST


def test_legends_are_even_rows() -> None:
    assert [len(row) for row in trends.legend_rows(EIGHT, 330, STYLE)] == [4, 4]
    assert [len(row) for row in trends.legend_rows(EIGHT, 900, STYLE)] == [8]
    assert trends.legend_rows(EIGHT, 60, STYLE) == [] == trends.legend_rows((), 60, STYLE)


def test_times_without_results_stay_empty() -> None:
    picture = np.zeros((10, 300, 3), np.uint8)
    scores = replace(history(("a",), [0] * 11), time_s=np.linspace(-10, 0, 11))
    trends.draw_stack(picture, Box(0, 0, 300, 10), scores, scores.scores, 1, np.ones(11), STYLE)
    assert (picture[:, :199] == DARK.plate).all()
    # A result counts for half a second.
    assert share_of(picture[:, 200:], DARK.label(0)) == pytest.approx(0.5, abs=0.1)


# Receptive fields


def test_maps_show_what_differs_from_the_mean_label() -> None:
    maps = np.zeros((1, 2, 2, 2), np.float32)
    maps[0, :, 0, 0], maps[0, 0, 1, 1] = 5.0, 1.0
    fields = ReceptiveFields(1, ("a", "b"), maps, np.array([0, 1]))
    assert fields.beyond_the_mean("anything").tolist() == [[[0, 0], [0, 0.5]], [[0, 0], [0, -0.5]]]


def test_maps_take_the_colours_of_their_weights() -> None:
    maps = np.zeros((2, 2, 2), np.float32)
    maps[0, 0, 0], maps[1, 1, 1] = 1.0, -1.0
    picture = np.zeros((100, 300, 3), np.uint8)
    draw_fields(picture, Box(0, 0, 300, 100), ("a", "b"), maps, STYLE)
    room = Box(0, 0, 300, 85)
    first, second = arrange(room, (2, 2, 2), 6, STYLE.small_px).places
    entries = colour_table(DARK.diverging)
    assert picture[first.y + 1, first.x + 1].tolist() == entries[255].tolist()
    assert picture[second.bottom - 2, second.right - 2].tolist() == entries[0].tolist()
    assert picture[first.bottom - 2, first.right - 2].tolist() == entries[128].tolist()
    # The colour bar, from the lowest to the highest weight.
    bar = picture[92, :200].tolist()
    assert bar.index(entries[0].tolist()) < bar.index(entries[255].tolist())


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 12, 30])
@pytest.mark.parametrize("shape", [(12, 12), (6, 24), (1, 1)])
def test_maps_lie_apart_inside_their_box(count: int, shape: tuple[int, int]) -> None:
    box = Box(14, 300, 292, 90)
    places = arrange(box, (count, *shape), 6, 9.62).places
    assert len(places) == count
    covered = np.zeros((480, 320), int)
    for place in places:
        covered[place.y : place.bottom, place.x : place.right] += 1
    assert covered.max() == 1
    covered[box.y : box.bottom, box.x : box.right] = 0
    assert not covered.any()


def test_a_part_of_the_time_has_its_potentials_and_spikes(make_scene: SceneMaker) -> None:
    scene = make_scene().between(-0.6, -0.2)
    assert scene.span_s == pytest.approx(0.4)
    assert scene.traces is not None and scene.raster is not None
    assert scene.traces.time_s[[0, -1]].tolist() == pytest.approx([-0.4, 0])
    spikes = scene.raster.last(scene.span_s).time_s
    assert -0.4 <= spikes.min() < spikes.max() <= 0
