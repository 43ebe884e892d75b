"""Panels and the whole picture: where they must be, and in which colour."""

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
from fer_viz.core.drawing import result
from fer_viz.core.drawing.board import STATUS, Board, layout, unit_for
from fer_viz.core.drawing.canvas import Box
from fer_viz.core.drawing.panels import PANELS, View
from fer_viz.core.drawing.renderer import Renderer
from fer_viz.core.drawing.result import draw_scores, score_rows
from fer_viz.core.drawing.style import DARK, THEMES, Style, Theme
from fer_viz.core.drawing.text import fitted
from fer_viz.core.parameters import PictureOptions
from fer_viz.core.scene import LATE_MS, Face, Raster, ReceptiveFields, Scene, SceneStatus

FaceMaker = Callable[..., Face]
SceneMaker = Callable[..., Scene]
Picture = npt.NDArray[np.uint8]

STYLE = Style(DARK, 1.0)

# Layout

SCREENS = [(1024, 600), (1280, 720), (1366, 768), (1920, 1080), (3840, 2160)]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_panel_fits_every_screen(screen: tuple[int, int]) -> None:
    # What title bar, panel of the desktop and the bars of the window leave.
    width, height = screen[0], screen[1] - 120
    places = layout(width, height, unit_for(width, height), left_out=(STATUS, "feature_spikes"))
    assert set(places) == set(PANELS) - {"feature_spikes"}
    assert places["answer"].width > 0.2 * width


@settings(max_examples=80, deadline=None)
@given(
    st.integers(40, 4000),
    st.integers(40, 2400),
    st.floats(0.2, 5),
    st.integers(0, 30),
    st.sets(st.sampled_from([STATUS, "feature_spikes"])),
)
def test_panels_lie_apart_inside_any_picture(
    width: int, height: int, aspect: float, labels: int, left_out: set[str]
) -> None:
    places = layout(width, height, unit_for(width, height), aspect, labels, left_out)
    assert {"camera", "answer"} & set(places) and not left_out & set(places)
    boxes = list(places.values())
    for index, box in enumerate(boxes):
        assert box.clipped(width, height) == box
        for other in boxes[index + 1 :]:
            across = min(box.right, other.right) - max(box.x, other.x)
            down = min(box.bottom, other.bottom) - max(box.y, other.y)
            assert across <= 0 or down <= 0


@pytest.mark.parametrize("labels", [3, 8, 12])
def test_labels_have_a_row_each_and_their_whole_name(labels: int) -> None:
    names = EIGHT if labels == len(EIGHT) else tuple(f"label {k}" for k in range(labels))
    box = layout(1024, 480, 1.0, labels=labels)["answer"]
    scores = Box(0, 0, box.width - 16, box.height - 76)
    rows = score_rows(scores, labels, STYLE)
    assert len(rows) == labels
    for label, row in zip(names, rows, strict=True):
        assert fitted(label, STYLE.text_px, row.track.x - row.box.x - STYLE.px(6)) == label
        assert row.track.width >= 30


@pytest.mark.parametrize("labels", [1, 3, 8, 20])
@pytest.mark.parametrize("screen", SCREENS)
def test_room_that_nobody_needs_is_used_by_the_scores(screen: tuple[int, int], labels: int) -> None:
    width, height = screen[0], screen[1] - 120
    unit = unit_for(width, height)
    places = layout(width, height, unit, labels=labels, left_out=(STATUS, "feature_spikes"))
    assert places["face"].bottom == places["spikes"].bottom == places["trends"].bottom
    # Maps and face take no more than they can fill.
    face, style = places["face"], Style(DARK, unit)
    assert face.height <= face.width / 2 + style.px(24)
    rows = score_rows(Box(0, 0, 300, 2 * places["answer"].height), labels, style)
    assert rows[0].box.height >= style.px(18)


# The whole picture

SIZE = (1280, 720)


def drawn(scene: Scene, image: Picture | None, theme: Theme = DARK) -> tuple[Picture, Board]:
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    board = Board(theme)
    board.draw(picture, View(scene, image, Style(theme, unit_for(*SIZE))))
    return picture, board


def test_the_image_is_untouched_beside_faces(make_scene: SceneMaker) -> None:
    image = grey()
    before = image.copy()
    picture, board = drawn(make_scene(), image)
    camera = board.camera.of(picture)
    assert camera.shape[1] / camera.shape[0] == pytest.approx(4 / 3, abs=0.01)
    assert (camera[-10:] == 90).all() and np.array_equal(image, before)


def test_the_overlay_is_the_image_in_its_own_size(make_scene: SceneMaker) -> None:
    image = grey(240, 320)
    options = PictureOptions(whole=False)
    assert np.array_equal(Renderer(options).draw(image, make_scene(faces=())), image)


@pytest.mark.parametrize("name", THEMES)
def test_themes_colour_the_picture(name: str, make_scene: SceneMaker) -> None:
    theme = THEMES[name]
    picture, _ = drawn(make_scene(), grey(), theme)
    assert share_of(picture, theme.plate) > 0.2
    assert share_of(picture, theme.ground) > 0.02
    assert share_of(picture, theme.label(1)) > 0.003


def test_the_answer_is_the_largest_text_beside_the_image(make_scene: SceneMaker) -> None:
    picture, board = drawn(make_scene(), grey())
    answer = board.places["answer"].of(picture)
    colour = DARK.label_text(1)
    rows = np.flatnonzero((answer[: answer.shape[0] // 3] == colour).all(axis=-1).any(axis=1))
    assert len(rows) >= 20 * unit_for(*SIZE)


@pytest.mark.parametrize("label", EIGHT)
def test_the_answer_is_never_cut(
    label: str, make_scene: SceneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    monkeypatch.setattr(result, "write", lambda picture, text, *_, **__: written.append(text))
    face = make_scene(labels=EIGHT).focus
    assert face is not None
    for width in range(190, 400, 10):
        written.clear()
        scene = Scene(focus=replace(face, label=label, confidence=1.0))
        result.draw_headline(np.zeros((50, width, 3), np.uint8), Box(0, 0, width, 48), scene, STYLE)
        assert written == [label, "100 %"]


def test_score_bars_are_as_long_as_the_scores(make_scene: SceneMaker) -> None:
    scene = make_scene()
    assert scene.focus is not None
    picture, box = np.zeros((80, 260, 3), np.uint8), Box(0, 0, 260, 80)
    draw_scores(picture, box, scene.focus, STYLE)
    for index, row in enumerate(score_rows(box, 3, STYLE)):
        track = row.track
        middle = picture[track.y + track.height // 2, track.x : track.right]
        filled = share_of(middle[None], DARK.label(index))
        assert filled == pytest.approx(scene.focus.scores[index], abs=0.06)


def test_a_click_finds_the_face(make_scene: SceneMaker, make_face: FaceMaker) -> None:
    faces = (make_face(1, box=(10, 10, 300, 300)), make_face(2, box=(100, 100, 50, 50)))
    scene = make_scene(faces=faces)
    _, board = drawn(scene, grey())
    at = board.camera

    def click(x: float, y: float) -> int:
        return board.face_at(round(at.x + x * board.scale), round(at.y + y * board.scale), scene)

    assert (click(20, 20), click(120, 120), click(500, 400)) == (1, 2, 0)
    assert board.panel_at(at.x + 5, at.y + 5) == "camera"
    assert board.panel_at(-1, -1) == ""


def test_hint_and_missing_answers_are_drawn(make_scene: SceneMaker) -> None:
    scene = make_scene(hint="no results on /fer/expressions for 2 s: is the snn node up?")
    picture, board = drawn(scene, grey())
    assert share_of(board.camera.of(picture)[-60:], DARK.warning) > 0.0005
    assert share_of(board.places[STATUS].of(picture), DARK.warning) > 0
    assert not share_of(board.places[STATUS].of(picture), DARK.good)


def test_late_answers_are_a_problem_that_is_explained() -> None:
    late = SceneStatus(rate_hz=30, latency_ms=LATE_MS + 10)
    assert "late" in late.problem and not SceneStatus(rate_hz=30, latency_ms=20).problem
    assert "not simulated" in SceneStatus(rate_hz=30, lag_s=1.0).problem
    picture, board = drawn(Scene(status=late), grey())
    assert share_of(board.places[STATUS].of(picture), DARK.warning) > 0


def test_nothing_known_yet() -> None:
    picture, board = drawn(Scene(status=SceneStatus()), None)
    assert set(board.places) == set(PANELS) | {STATUS}
    for name, box in board.places.items():
        assert share_of(box.of(picture), DARK.faint, within=8) > 0 or name == STATUS


def test_only_what_is_due_is_drawn(make_scene: SceneMaker) -> None:
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    board, first, other = Board(DARK), make_scene(seed=1), make_scene(seed=2)

    def draw(scene: Scene, every_panel: bool) -> list[Box]:
        view = View(scene, grey(), Style(DARK, 1.2))
        return board.draw(picture, view, every_panel=every_panel)

    assert draw(first, False) == list(board.places.values())
    before = picture.copy()
    weights = board.places["weights"]
    assert weights not in draw(first, True) and weights in draw(other, True)
    assert not np.array_equal(weights.of(picture), weights.of(before))
    turns = [draw(other, False) for _ in range(9)]
    assert all(board.places["camera"] in turn for turn in turns)
    assert sum(board.places["potentials"] in turn for turn in turns) == 3
    assert sum(board.places["trends"] in turn for turn in turns) == 1


def test_a_network_without_labels_or_neurons_is_drawn(make_scene: SceneMaker) -> None:
    nothing = ReceptiveFields(1, (), np.zeros((1, 0, 12, 12), np.float32), np.zeros(0, np.int64))
    silent = Raster(np.zeros(0), np.zeros(0, np.int64), 0)
    drawn(replace(make_scene(faces=()), fields=nothing, raster=silent), grey())


def test_labels_may_change_while_it_runs(make_scene: SceneMaker) -> None:
    renderer = Renderer(PictureOptions())
    for labels in (("a", "b", "c"), ("a", "b", "c", "d", "e"), tuple("abcdefghijklmnopqr")):
        for neurons in (len(labels), 300):
            drawing = renderer.draw(grey(), make_scene(labels=labels, neurons=neurons))
            assert drawing.shape == (576, 1024, 3)


@pytest.mark.parametrize(
    "size", [(1, 1), (48, 48), (240, 320), (720, 1280), (300, 1600), (1000, 90)]
)
def test_any_image_is_drawn(size: tuple[int, int], make_scene: SceneMaker) -> None:
    for whole in (True, False):
        renderer = Renderer(PictureOptions(whole=whole))
        drawing = renderer.draw(grey(*size), make_scene())
        assert drawing.shape == renderer.shape(grey(*size))
        assert drawing.shape[0] <= 720
