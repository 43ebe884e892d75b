"""Pixels of the panel and of the whole picture: where they must be, and in which colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_testing.networks import EIGHT
from fer_testing.viz import grey, share_of
from fer_viz.core.drawing import plots
from fer_viz.core.drawing.canvas import Box
from fer_viz.core.drawing.panel import WIDTH, sections
from fer_viz.core.drawing.receptive_fields import arrange, draw_fields
from fer_viz.core.drawing.renderer import PictureOptions, Renderer, layout
from fer_viz.core.drawing.result import score_rows
from fer_viz.core.drawing.style import DARK, DESIGN_HEIGHT, THEMES, Style, colour_table
from fer_viz.core.drawing.text import fitted
from fer_viz.core.scene import Face, Raster, ReceptiveFields, Scene, SceneStatus, Traces

FaceMaker = Callable[..., Face]
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


def test_lines_lie_at_their_potential() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    traces = constant_traces([-0.06, -0.065], np.arange(-999, 1) * 1e-3)
    scene = replace(plot_scene([], [], 2, [0, 1]), traces=traces)
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(2, scene.fields, DARK), STYLE)
    low_v, high_v = plots.limits_v(traces)
    assert low_v < -0.075 and high_v > -0.05
    for neuron, value_v in enumerate((-0.06, -0.065)):
        y = 20 + round((high_v - value_v) / (high_v - low_v) * 59)
        # A smooth line shares its colour out over neighbouring rows.
        stroke = np.minimum(picture[y - 1 : y + 2, 12:208].sum(axis=0, keepdims=True), 255)
        assert share_of(stroke, DARK.label(neuron), within=40) > 0.9


def test_spikes_rise_from_the_threshold() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    traces = constant_traces([-0.07], np.arange(-999, 1) * 1e-3)
    scene = replace(plot_scene([-0.5], [0], 1, [2]), traces=traces)
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(1, scene.fields, DARK), STYLE)
    assert picture[24, 110].tolist() == list(DARK.label(2))
    assert picture[24, 60].tolist() == [0, 0, 0]


def test_a_gap_is_not_bridged() -> None:
    traces = constant_traces(
        [-0.06], np.concatenate([np.arange(-999, -700), np.arange(-300, 1)]) * 1e-3
    )
    potential_v = traces.potential_v.copy()
    potential_v[299] = np.nan
    scene = replace(plot_scene([], [], 1, [0]), traces=replace(traces, potential_v=potential_v))
    picture = np.zeros((100, 230, 3), np.uint8)
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(1, scene.fields, DARK), STYLE)
    assert share_of(picture[20:80, 20:60], DARK.label(0), within=60) > 0
    assert share_of(picture[20:80, 90:130], DARK.label(0), within=60) == 0


@pytest.mark.filterwarnings("error")
def test_potentials_as_large_as_numbers_get_are_drawn() -> None:
    traces = constant_traces([-0.06], np.arange(-999, 1) * 1e-3)
    traces.potential_v[500:] = -3e38
    scene = replace(plot_scene([], [], 1, [0]), traces=traces)
    picture = np.zeros((100, 230, 3), np.uint8)
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(1, scene.fields, DARK), STYLE)
    assert share_of(picture[20:80, 20:100], DARK.label(0), within=60) > 0


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


# Receptive fields


def test_maps_take_the_colours_of_their_weights() -> None:
    maps = np.zeros((2, 2, 2), np.float32)
    maps[0, 0, 0], maps[1, 1, 1] = 1.0, -1.0
    picture = np.zeros((100, 300, 3), np.uint8)
    box = Box(0, 0, 300, 100)
    draw_fields(picture, box, ("a", "b"), maps, STYLE)
    first, second = arrange(box, (2, 2, 2), 6, STYLE.small_px).places
    entries = colour_table(DARK.diverging)
    assert picture[first.y + 2, first.x + 2].tolist() == entries[255].tolist()
    assert picture[second.bottom - 2, second.right - 2].tolist() == entries[0].tolist()
    assert picture[first.bottom - 2, first.right - 2].tolist() == entries[128].tolist()


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


# The whole picture


def test_the_frame_is_untouched_beside_faces(make_scene: SceneMaker) -> None:
    image = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    before = image.copy()
    result = Renderer(PictureOptions()).draw(image, make_scene())
    assert result.shape == (480, 960, 3)
    assert np.array_equal(result[340:, :640], image[340:])
    assert np.array_equal(image, before)


def test_without_panel_the_size_is_that_of_the_image(make_scene: SceneMaker) -> None:
    image = grey(240, 320)
    result = Renderer(PictureOptions(with_panel=False)).draw(image, make_scene(faces=()))
    assert np.array_equal(result, image)


@pytest.mark.parametrize("name", THEMES)
def test_themes_colour_the_panel(name: str, make_scene: SceneMaker) -> None:
    result = Renderer(PictureOptions(theme=name)).draw(grey(), make_scene())
    theme = THEMES[name]
    assert share_of(result[:, 640:], theme.ground) > 0.3
    assert share_of(result[:, 640:], theme.label(1)) > 0.005


def test_score_bars_are_as_long_as_the_scores(make_scene: SceneMaker) -> None:
    scene = make_scene()
    result = Renderer(PictureOptions()).draw(grey(), scene)
    places = sections(WIDTH, 480, STYLE, 3)
    assert scene.focus is not None
    for index, row in enumerate(score_rows(places.scores, 3, STYLE)):
        track = row.track
        middle = result[track.y + track.height // 2, 640 + track.x : 640 + track.right]
        filled = share_of(middle[None], DARK.label(index))
        assert filled == pytest.approx(scene.focus.scores[index], abs=0.06)


def test_hint_and_missing_answers_are_drawn(make_scene: SceneMaker) -> None:
    scene = make_scene(hint="no results on /fer/expressions for 2 s: is the snn node up?")
    result = Renderer(PictureOptions()).draw(grey(), scene)
    assert share_of(result[438:468, 100:540], DARK.warning) > 0.001
    assert not share_of(result[458:, 640:], DARK.good)
    assert share_of(result[456:, 640:], DARK.warning) > 0


def test_nothing_known_yet() -> None:
    result = Renderer(PictureOptions()).draw(grey(), Scene(status=SceneStatus()))
    assert np.array_equal(result[:, :640], grey())
    assert share_of(result[:, 640:], DARK.ground) > 0.5


def test_new_weights_are_drawn_and_old_ones_kept(make_scene: SceneMaker) -> None:
    renderer = Renderer(PictureOptions())
    places = sections(WIDTH, 480, STYLE, 3)
    rows = slice(places.fields.y, places.status.y)

    def drawn(scene: Scene) -> Picture:
        return renderer.draw(grey(), scene)[rows, 640:].copy()

    first, other = make_scene(seed=1), make_scene(seed=2)
    before = drawn(first)
    assert np.array_equal(drawn(first), before)
    assert not np.array_equal(drawn(other), before)


def test_a_network_without_labels_or_neurons_is_drawn(make_scene: SceneMaker) -> None:
    nothing = ReceptiveFields(1, (), np.zeros((1, 0, 12, 12), np.float32), np.zeros(0, np.int64))
    silent = Raster(np.zeros(0), np.zeros(0, np.int64), 0)
    scene = replace(make_scene(faces=()), fields=nothing, raster=silent)
    assert Renderer(PictureOptions()).draw(grey(), scene).shape == (480, 960, 3)


def test_labels_may_change_while_it_runs(make_scene: SceneMaker) -> None:
    renderer = Renderer(PictureOptions())
    for labels in (("a", "b", "c"), ("a", "b", "c", "d", "e"), tuple("abcdefghijklmnopqr")):
        for neurons in (len(labels), 40):
            result = renderer.draw(grey(), make_scene(labels=labels, neurons=neurons))
            assert result.shape == (480, 960, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 2200), st.booleans(), st.sampled_from([240, 720]))
def test_any_image_has_a_layout(width: int, height: int, panel: bool, max_height: int) -> None:
    place = layout(width, height, PictureOptions(with_panel=panel, max_height_px=max_height))
    assert place.frame.right <= place.width and place.frame.bottom <= place.height
    assert place.panel.right == place.width or not panel
    assert place.height <= max(max_height, 480)
    assert place.width <= 2.4 * max(max_height, 480) + 2 * WIDTH
    assert not panel or place.height >= 480


@pytest.mark.parametrize(
    "size", [(1, 1), (48, 48), (240, 320), (720, 1280), (300, 1600), (1000, 90)]
)
def test_any_image_is_drawn(size: tuple[int, int], make_scene: SceneMaker) -> None:
    place = layout(size[1], size[0], PictureOptions())
    result = Renderer(PictureOptions()).draw(grey(*size), make_scene())
    assert result.shape == (place.height, place.width, 3)


def test_eight_labels_have_a_row_each_and_their_whole_name() -> None:
    box = sections(WIDTH, DESIGN_HEIGHT, STYLE, len(EIGHT)).scores
    rows = score_rows(box, len(EIGHT), STYLE)
    assert len(rows) == len(EIGHT)
    for label, row in zip(EIGHT, rows, strict=True):
        assert fitted(label, STYLE.text_px, row.track.x - row.box.x - STYLE.px(6)) == label
        assert row.track.width >= 30
