"""Pixels: everything is where it must be, in the colour that it must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_viz import plots
from fer_viz.canvas import Box, fill, write
from fer_viz.fields import arrange, draw_fields
from fer_viz.look import Look
from fer_viz.overlay import draw_faces
from fer_viz.palette import DARK, LIGHT, THEMES, mapped, table
from fer_viz.panel_layout import WIDTH, score_rows, sections
from fer_viz.renderer import Renderer, Style, layout
from fer_viz.scene import Face, Raster, ReceptiveFields, Scene, Status, Traces
from fer_viz.text import fitted, width_px

Picture = npt.NDArray[np.uint8]
FaceMaker = Callable[..., Face]
SceneMaker = Callable[..., Scene]

LOOK = Look(DARK, 1.0)


def grey(height: int = 480, width: int = 640) -> Picture:
    return np.full((height, width, 3), 90, np.uint8)


def share_of(picture: Picture, colour: tuple[int, int, int], within: int = 0) -> float:
    """Share of pixels that have this colour, give or take `within`."""
    difference = np.abs(picture.astype(int) - np.array(colour))
    return float((difference <= within).all(axis=-1).mean())


# Text and shapes


def test_text_stays_where_it_is_put() -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    advance = write(picture, "Hg 0.82", (50, 25), 11.0, (255, 255, 255))
    rows, cols = np.nonzero(picture.max(axis=2))
    assert advance == pytest.approx(width_px("Hg 0.82", 11.0))
    assert cols.min() >= 50 and cols.max() <= 50 + advance + 1
    # Capitals are 8 px high above the baseline, round figures a trace more; g reaches below.
    assert np.flatnonzero(picture.max(axis=(1, 2)) > 128).tolist() == list(range(17, 27))
    assert (rows.min(), rows.max()) == (16, 27)


@pytest.mark.parametrize("align", ["left", "centre", "right"])
def test_text_at_the_edge_is_clipped(align: str) -> None:
    for at in ((-20, 5), (199, 39), (100, 60), (300, 20)):
        write(np.zeros((40, 200, 3), np.uint8), "Clipped", at, 30.0, (9, 9, 9), align=align)  # type: ignore[arg-type]


def test_digits_are_equally_wide() -> None:
    assert len({round(width_px(digit, 20.0), 3) for digit in "0123456789"}) == 1


def test_long_text_ends_in_an_ellipsis() -> None:
    text = fitted("an expression with a very long name", 11.0, 80.0)
    assert text.endswith("…") and width_px(text, 11.0) <= 80
    assert fitted("smile", 11.0, 80.0) == "smile"


def test_letters_of_other_languages_and_none() -> None:
    picture = np.zeros((40, 200, 3), np.uint8)
    assert write(picture, "überrascht Ω и 驚き", (5, 25), 11.0, (255, 255, 255)) > 0
    assert write(picture, "", (5, 25), 11.0, (255, 255, 255)) == 0


def test_fill_mixes_by_opacity() -> None:
    picture = grey(20, 20)
    fill(picture, Box(5, 5, 10, 10), (190, 190, 190), 0.5)
    assert picture[10, 10].tolist() == [140] * 3
    assert picture[4, 4].tolist() == [90] * 3


def test_round_corners_leave_the_corner_pixel() -> None:
    picture = grey(20, 20)
    fill(picture, Box(0, 0, 20, 20), (200, 200, 200), radius=6)
    assert picture[0, 0].tolist() == [90] * 3
    assert picture[10, 0].tolist() == [200] * 3


# Colours


@pytest.mark.parametrize("theme", THEMES.values())
def test_labels_differ_in_colour_and_repeat_paler(theme: object) -> None:
    assert theme is DARK or theme is LIGHT
    assert len({theme.label(index) for index in range(14)}) == 14
    assert theme.label(-1) == theme.undecided


@pytest.mark.parametrize("theme", THEMES.values())
def test_diverging_map_is_monotonic_in_lightness_on_each_side(theme: object) -> None:
    assert theme is DARK or theme is LIGHT
    luma = table(theme.diverging).astype(float) @ [0.114, 0.587, 0.299]
    left, right = np.diff(luma[:128]), np.diff(luma[128:])
    sign = -1 if theme is DARK else 1
    assert (sign * left >= -0.5).all() and (sign * right <= 0.5).all()


def test_mapped_takes_the_ends_beyond_the_range() -> None:
    values = np.array([-9, -1, 0, 1, 9], np.float32)
    colours = mapped(values, -1, 1, DARK.diverging)
    entries = table(DARK.diverging)
    assert colours[[0, 1]].tolist() == [entries[0].tolist()] * 2
    assert colours[[3, 4]].tolist() == [entries[255].tolist()] * 2
    assert mapped(values[:0], -1, 1, DARK.diverging).shape == (0, 3)


# Faces


def test_box_has_the_colour_of_the_label_at_its_corners(make_face: FaceMaker) -> None:
    picture = grey()
    face = make_face(box=(214, 110, 210, 210))
    draw_faces(picture, (face,), face, 1.0, LOOK)
    colour = list(DARK.label(1))
    for y, x in ((110, 214), (110, 423), (319, 214), (319, 423), (112, 230), (300, 214)):
        assert picture[y, x].tolist() == colour, (y, x)
    # The middle is left alone, the fine edge is translucent, and the tag stands above.
    assert picture[215, 319].tolist() == [90] * 3
    assert picture[110, 319].tolist() not in (colour, [90] * 3)
    assert picture[90, 220].max() < 60
    assert np.array_equal(picture[330:], grey()[330:])


def test_undecided_is_grey(make_face: FaceMaker) -> None:
    picture = grey()
    face = make_face(label="undecided")
    draw_faces(picture, (face,), None, 1.0, LOOK)
    assert picture[110, 214].tolist() == list(DARK.undecided)


def test_boxes_scale_with_the_picture(make_face: FaceMaker) -> None:
    picture = grey(960, 1280)
    face = make_face(box=(100, 100, 50, 50))
    draw_faces(picture, (face,), face, 2.0, Look(DARK, 2.0))
    assert picture[200, 200].tolist() == list(DARK.label(1))
    assert picture[299, 299].tolist() == list(DARK.label(1))


def test_two_faces_take_their_own_colours(make_face: FaceMaker) -> None:
    picture = grey()
    first = make_face(1, "neutral", (50, 200, 100, 100))
    second = make_face(2, "surprised", (400, 200, 100, 100))
    draw_faces(picture, (first, second), second, 1.0, LOOK)
    assert picture[200, 50].tolist() == list(DARK.label(0))
    assert picture[200, 400].tolist() == list(DARK.label(2))


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(
        st.integers(-50, 700), st.integers(-50, 500), st.integers(0, 900), st.integers(0, 700)
    )
)
def test_any_box_can_be_drawn(box: tuple[int, int, int, int]) -> None:
    face = Face(id=4_000_000_000, box_px=box, label="a label that is rather long", confidence=2.0)
    draw_faces(grey(120, 160), (face,), face, 1.0, LOOK)


# Spikes and potentials

PLOT = Box(10, 20, 200, 60)


def plot_scene(
    time_s: list[float], neuron: list[int], size: int, labels: list[int] | None = None
) -> Scene:
    fields = None
    if labels is not None:
        maps = np.zeros((3, 2, 2), np.float32)
        fields = ReceptiveFields(1, ("a", "b", "c"), maps, np.array(labels, np.int64))
    raster = Raster(np.array(time_s), np.array(neuron, np.int64), size)
    return Scene(raster=raster, fields=fields)


def test_spikes_stand_in_their_column_row_and_colour() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    scene = plot_scene([-1.0, -0.5, -0.005], [0, 1, 2], 3, [0, 1, 2])
    order = plots.neuron_order(3, scene.fields, DARK)
    plots.draw_raster(picture, PLOT, scene, order, LOOK)
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
    plots.draw_raster(picture, box, scene, plots.neuron_order(size, None, DARK), LOOK)
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
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(2, scene.fields, DARK), LOOK)
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
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(1, scene.fields, DARK), LOOK)
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
    plots.draw_lines(picture, PLOT, scene, plots.neuron_order(1, scene.fields, DARK), LOOK)
    assert share_of(picture[20:80, 20:60], DARK.label(0), within=60) > 0
    assert share_of(picture[20:80, 90:130], DARK.label(0), within=60) == 0


def test_many_neurons_become_a_map() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    levels_v = [-0.075] * 10 + [-0.05] * 10
    traces = constant_traces(levels_v, np.arange(-499, 1) * 1e-3)
    scene = replace(plot_scene([], [], 20), traces=traces)
    plots.draw_map(picture, PLOT, scene, plots.neuron_order(20, None, DARK), LOOK)
    entries = table(DARK.sequential)
    assert picture[30, 180].tolist() == entries[0].tolist()
    assert picture[70, 180].tolist() == entries[255].tolist()
    # Nothing is known before half a second ago.
    assert picture[20:80, 10:100].max() == 0


# Receptive fields


def test_maps_take_the_colours_of_their_weights() -> None:
    maps = np.zeros((2, 2, 2), np.float32)
    maps[0, 0, 0], maps[1, 1, 1] = 1.0, -1.0
    fields = ReceptiveFields(1, ("a", "b"), maps, np.arange(2))
    picture = np.zeros((100, 300, 3), np.uint8)
    box = Box(0, 0, 300, 100)
    draw_fields(picture, box, fields, LOOK)
    first, second = arrange(box, (2, 2, 2), 6, LOOK.small_px).places
    entries = table(DARK.diverging)
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
    result = Renderer(Style()).draw(image, make_scene())
    assert result.shape == (480, 960, 3)
    assert np.array_equal(result[340:, :640], image[340:])
    assert np.array_equal(image, before)


def test_without_panel_the_size_is_that_of_the_image(make_scene: SceneMaker) -> None:
    image = grey(240, 320)
    result = Renderer(Style(with_panel=False)).draw(image, make_scene(faces=()))
    assert np.array_equal(result, image)


@pytest.mark.parametrize("name", THEMES)
def test_themes_colour_the_panel(name: str, make_scene: SceneMaker) -> None:
    result = Renderer(Style(theme=name)).draw(grey(), make_scene())
    theme = THEMES[name]
    assert share_of(result[:, 640:], theme.ground) > 0.3
    assert share_of(result[:, 640:], theme.label(1)) > 0.005


def test_score_bars_are_as_long_as_the_scores(make_scene: SceneMaker) -> None:
    scene = make_scene()
    result = Renderer(Style()).draw(grey(), scene)
    places = sections(WIDTH, 480, LOOK, 3)
    assert scene.focus is not None
    for index, row in enumerate(score_rows(places.scores, 3, LOOK)):
        track = row.track
        middle = result[track.y + track.height // 2, 640 + track.x : 640 + track.right]
        filled = share_of(middle[None], DARK.label(index))
        assert filled == pytest.approx(scene.focus.scores[index], abs=0.06)


def test_hint_and_missing_answers_are_drawn(make_scene: SceneMaker) -> None:
    scene = make_scene(hint="no results on /fer/expressions for 2 s: is the snn node up?")
    result = Renderer(Style()).draw(grey(), scene)
    assert share_of(result[438:468, 100:540], DARK.warning) > 0.001
    assert not share_of(result[458:, 640:], DARK.good)
    assert share_of(result[456:, 640:], DARK.warning) > 0


def test_nothing_known_yet() -> None:
    result = Renderer(Style()).draw(grey(), Scene(status=Status()))
    assert np.array_equal(result[:, :640], grey())
    assert share_of(result[:, 640:], DARK.ground) > 0.5


def test_new_weights_are_drawn_and_old_ones_kept(make_scene: SceneMaker) -> None:
    renderer = Renderer(Style())
    places = sections(WIDTH, 480, LOOK, 3)
    rows = slice(places.fields.y, places.status.y)

    def drawn(scene: Scene) -> Picture:
        return renderer.draw(grey(), scene)[rows, 640:].copy()

    first, other = make_scene(seed=1), make_scene(seed=2)
    before = drawn(first)
    assert np.array_equal(drawn(first), before)
    assert not np.array_equal(drawn(other), before)


def test_a_network_without_labels_or_neurons_is_drawn(make_scene: SceneMaker) -> None:
    nothing = ReceptiveFields(1, (), np.zeros((0, 12, 12), np.float32), np.zeros(0, np.int64))
    silent = Raster(np.zeros(0), np.zeros(0, np.int64), 0)
    scene = replace(make_scene(faces=()), fields=nothing, raster=silent)
    assert Renderer(Style()).draw(grey(), scene).shape == (480, 960, 3)


def test_labels_may_change_while_it_runs(make_scene: SceneMaker) -> None:
    renderer = Renderer(Style())
    for labels in (("a", "b", "c"), ("a", "b", "c", "d", "e"), tuple("abcdefghijklmnopqr")):
        for neurons in (len(labels), 40):
            result = renderer.draw(grey(), make_scene(labels=labels, neurons=neurons))
            assert result.shape == (480, 960, 3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 2200), st.booleans(), st.sampled_from([240, 720]))
def test_any_image_has_a_layout(width: int, height: int, panel: bool, max_height: int) -> None:
    place = layout(width, height, Style(with_panel=panel, max_height_px=max_height))
    assert place.frame.right <= place.width and place.frame.bottom <= place.height
    assert place.panel.right == place.width or not panel
    assert place.height <= max(max_height, 480)
    assert place.width <= 2.4 * max(max_height, 480) + 2 * WIDTH
    assert not panel or place.height >= 480


@pytest.mark.parametrize(
    "size", [(1, 1), (48, 48), (240, 320), (720, 1280), (300, 1600), (1000, 90)]
)
def test_any_image_is_drawn(size: tuple[int, int], make_scene: SceneMaker) -> None:
    place = layout(size[1], size[0], Style())
    result = Renderer(Style()).draw(grey(*size), make_scene())
    assert result.shape == (place.height, place.width, 3)
