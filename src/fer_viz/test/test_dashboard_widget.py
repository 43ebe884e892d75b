"""The widget off screen: what it shows, asks for, and how it fits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fer_viz.dashboard.binding import NoQtError, require_qt

os.environ["QT_QPA_PLATFORM"] = "offscreen"
try:
    require_qt(window=False)
except NoQtError as error:
    pytest.skip(str(error), allow_module_level=True)

from pyqtgraph.Qt import QtCore, QtWidgets

from fer_testing.dashboard import PARAMETERS, TIMEOUT_S, Rig
from fer_testing.networks import EIGHT
from fer_testing.viz import LABELS, PlayedGraph, grey, share_of
from fer_viz.core.drawing.board import unit_for
from fer_viz.core.drawing.style import DARK, LEAST_CONTRAST, LIGHT, Style, contrast, readable
from fer_viz.core.drawing.text import drawable
from fer_viz.core.scene import Note
from fer_viz.dashboard import controls, window
from fer_viz.dashboard.parameters import Scale
from fer_viz.dashboard.style import grounds

FIVE = ("neutral", "smile", "surprised", "angry", "sad")


@pytest.fixture(scope="module", autouse=True)
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ["FER_TEST_GRAB"] = str(tmp_path_factory.mktemp("grab") / "grab.png")
    yield QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.dashboard.close_down()
    rig.dashboard.close()
    rig.dashboard.deleteLater()
    QtWidgets.QApplication.processEvents()


def test_before_the_first_message_everything_says_what_it_waits_for(rig: Rig) -> None:
    rig.state.restart(time.monotonic() - 2 * TIMEOUT_S)
    rig.draw()
    dashboard = rig.dashboard
    assert "is the camera node up?" in dashboard.top.state.text()
    for name in ("camera", "trends", "answer", "weights", "face", "potentials", "spikes"):
        assert share_of(rig.panel(name), DARK.faint, within=8) > 0
    assert not dashboard.bottom.labels and not dashboard.bottom.learning.isEnabled()


def test_the_camera_shows_picture_box_and_label(rig: Rig) -> None:
    rig.play(predicted=1)
    board, picture = rig.dashboard.view.board, rig.dashboard.view.picture
    camera = board.camera.of(picture)
    corner = camera[round(110 * board.scale) + 1, round(214 * board.scale) + 1]
    assert corner.tolist() == list(DARK.label(1))
    shown = rig.picture(rig.dashboard.view)
    assert np.array_equal(board.camera.of(shown), camera)


def test_the_answer_is_that_of_the_face(rig: Rig) -> None:
    rig.play(predicted=2)
    focus = rig.dashboard.scene.focus
    assert focus is not None and focus.label == "surprised"
    answer = rig.panel("answer")
    # Headline, bar of the confidence and bar of the score are in the label's colour.
    assert share_of(answer, DARK.label(2)) > 3 * share_of(answer, DARK.label(0)) > 0


def test_the_history_fills_with_answers(rig: Rig) -> None:
    rig.play(frames=5, predicted=1)
    assert share_of(rig.panel("trends"), DARK.label(1)) > 0
    scores = rig.dashboard.scene.scores
    assert scores is not None and scores.scores[-1].tolist() == pytest.approx([0.1, 0.8, 0.1])
    assert scores.rates_hz[-1].tolist() == pytest.approx([5, 40, 5])
    assert scores.confidence[-1] == pytest.approx(0.9)


def test_the_feature_layer_is_asked_for_and_shown(rig: Rig) -> None:
    rig.play()
    assert "feature_spikes" not in rig.dashboard.view.board.places
    rig.click("spikes")
    assert rig.commands.calls == [("layers", "feature_spikes")]
    rig.play(frames=10, layers=("feature",))
    assert share_of(rig.panel("feature_spikes"), DARK.sequential[-1], within=8) > 0
    rig.click("spikes")
    assert rig.commands.calls[-1] == ("layers",)
    assert "feature_spikes" not in rig.dashboard.view.board.places


def test_the_face_is_cut_out_and_its_features_are_drawn(rig: Rig) -> None:
    picture = grey()
    picture[110:320, 214:424] = 200
    rig.play(picture=picture)
    face = rig.panel("face")
    assert share_of(face, (200, 200, 200), within=2) > 0.2
    assert share_of(face, DARK.strong, within=60) > 0.01


def test_weights_of_every_label_by_orientation(rig: Rig) -> None:
    rig.played.publish_network()
    rig.draw()
    before = rig.panel("weights").copy()
    rig.dashboard._orient("22.5°")
    assert not np.array_equal(before, rig.panel("weights"))
    for label in range(3):
        assert share_of(before, DARK.label_text(label), within=60) > 0


def test_a_click_follows_one_of_several_faces(rig: Rig) -> None:
    boxes = ((10, 10, 100, 100), (300, 100, 200, 200))
    rig.play(boxes=boxes)
    assert rig.dashboard.focus_id() == 2
    rig.click("camera", 60 / 640, 60 / 480)
    rig.play(boxes=boxes)
    assert rig.dashboard.focus_id() == 1
    rig.dashboard.bottom.labels["smile"].click()
    assert rig.commands.calls == [("teach", "smile", 1)]
    rig.click("camera", 0.98, 0.98)
    rig.play(boxes=boxes)
    assert rig.dashboard.focus_id() == 2


def test_another_number_of_labels_changes_everything(rig: Rig) -> None:
    for labels in (LABELS, EIGHT, tuple(f"label {k}" for k in range(13)), ("yes", "no")):
        rig.played = PlayedGraph(rig.node, labels, neurons=300)
        rig.played.publish_network()
        rig.play(predicted=len(labels) - 1)
        bottom = rig.dashboard.bottom
        assert tuple(bottom.labels) == labels
        assert bottom.buttons.isVisible() == (len(labels) <= controls.MOST_BUTTONS)
        assert [each.text() for each in bottom.teach_menu.menu().actions()] == list(labels)
        focus = rig.dashboard.scene.focus
        assert focus is not None and focus.labels == labels


SCREENS = [(1024, 600), (1280, 720), (1366, 768), (1920, 1080), (3840, 2160)]


@pytest.mark.parametrize("drawer", [False, True], ids=["", "parameters"])
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_no_control_is_cut_on_any_screen(rig: Rig, screen: tuple[int, int], drawer: bool) -> None:
    rig.played = PlayedGraph(rig.node, EIGHT)
    rig.played.publish_network()
    dashboard = rig.dashboard
    if drawer:
        dashboard.bottom.parameters.click()
    # A title bar takes some of the screen.
    dashboard.resize(screen[0], screen[1] - 36)
    rig.play()
    assert (dashboard.width(), dashboard.height()) == (screen[0], screen[1] - 36)
    bottom, top = dashboard.bottom, dashboard.top
    teach = list(bottom.labels.values()) if bottom.buttons.isVisible() else [bottom.teach_menu]
    shown = [*teach, bottom.new, bottom.undo, bottom.learning, bottom.weights, bottom.parameters]
    shown += [top.dot, top.span, top.pause, top.record, top.more]
    places = []
    for widget in shown:
        assert widget.isVisible()
        corner = widget.mapTo(dashboard, QtCore.QPoint(0, 0))
        place = QtCore.QRect(corner, widget.size())
        assert dashboard.rect().contains(place)
        assert widget.width() >= widget.minimumSizeHint().width()
        assert not any(place.intersects(other) for other in places)
        places.append(place)
    assert bottom.buttons.isVisible() or drawer
    assert {"camera", "answer", "trends"} <= set(dashboard.view.board.places)


def test_the_window_can_be_small(rig: Rig) -> None:
    rig.played = PlayedGraph(rig.node, EIGHT)
    rig.played.publish_network()
    rig.dashboard.resize(300, 100)
    rig.play()
    assert rig.dashboard.width() <= 640 and rig.dashboard.height() <= 360
    assert not rig.dashboard.bottom.buttons.isVisible()
    assert {"camera", "answer"} <= set(rig.dashboard.view.board.places)


def test_buttons_ask(rig: Rig) -> None:
    rig.played.publish_network("unsupervised")
    rig.play()
    bottom = rig.dashboard.bottom
    assert bottom.learning.currentText() == "unsupervised"
    bottom.ask_name = lambda title, text: {"Save the weights as": "mine"}.get(title, "wink")
    bottom.learning.activated.emit(2)
    bottom.save.trigger()
    bottom.new.click()
    bottom.undo.click()
    bottom.reset_state.trigger()
    bottom.reset_weights.trigger()
    bottom.teach_menu.menu().actions()[2].trigger()
    assert rig.commands.calls == [
        ("set_parameter", "snn", "learning", "supervised"),
        ("save_weights", "mine"),
        ("teach", "wink", 1, True),
        ("undo",),
        ("reset", False),
        ("reset", True),
        ("teach", "surprised", 1),
    ]


def test_weights_to_load_are_listed_with_their_date(rig: Rig) -> None:
    rig.dashboard.bottom.load.trigger()
    rig.play()
    shipped, mine = rig.dashboard.bottom.weights_menu.actions()
    assert shipped.text() == "default   (shipped)" and mine.text().startswith("mine   2023-11-1")
    mine.trigger()
    assert rig.commands.calls == [("load_weights", "mine")]


def test_a_lesson_shows_its_progress(rig: Rig) -> None:
    rig.play()
    assert rig.dashboard.bottom.progress.isHidden()
    rig.commands.lesson = "smile"
    rig.draw()
    assert rig.dashboard.bottom.progress.isVisible()
    rig.commands.lesson = ""
    rig.draw()
    assert rig.dashboard.bottom.progress.isHidden()


def test_names_are_drawable() -> None:
    assert all(map(drawable, ("smile", "überrascht", "улыбка", "Ωmega", "two words")))
    assert not drawable("驚き")


# Parameters


def test_every_parameter_has_a_row_with_unit_range_and_reset(rig: Rig) -> None:
    rig.dashboard.bottom.parameters.click()
    rig.dashboard.drawer.poll()
    rows = rig.dashboard.drawer.rows
    assert len(rows) == len(PARAMETERS)
    row = rows["snn", "glance"]
    assert row.editor.text() == "0.06" and "0 to 10 s" in row.toolTip()
    assert not row.reset.isEnabled()
    row.slider.setValue(row.slider.value() + 100)
    row._timer.timeout.emit()
    assert rig.commands.calls[-1][:3] == ("set_parameter", "snn", "glance")
    changed = rig.commands.calls[-1][3]
    assert changed > 0.06 and float(row.editor.text()) == pytest.approx(changed)
    row.reset.click()
    row._timer.timeout.emit()
    assert rig.commands.calls[-1] == ("set_parameter", "snn", "glance", 0.06)
    row.editor.setText("0.1")
    row.editor.editingFinished.emit()
    row._timer.timeout.emit()
    assert rig.commands.calls[-1] == ("set_parameter", "snn", "glance", 0.1)
    rows["snn", "learning"].editor.textActivated.emit("supervised")
    rows["snn", "learning"]._timer.timeout.emit()
    assert rig.commands.calls[-1] == ("set_parameter", "snn", "learning", "supervised")
    # Reset restores the value of the first time, not that of the last.
    rig.dashboard.bottom.parameters.click()
    rig.dashboard.bottom.parameters.click()
    rig.dashboard.drawer.poll()
    rig.dashboard.drawer.find.setText("mirror")
    shown = [key for key, row in rig.dashboard.drawer.rows.items() if not row.isHidden()]
    assert shown == [("snn", "mirror")]


@pytest.mark.parametrize(("low", "high"), [(0, 10), (1e-4, 10), (-0.1, 0.1), (0, 1), (1, 64)])
def test_sliders_reach_every_value(low: float, high: float) -> None:
    scale = Scale(low, high)
    values = [scale.value(position) for position in range(0, 1001, 50)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(low) and values[-1] == pytest.approx(high)
    assert [scale.position(value) for value in values] == list(range(0, 1001, 50))


# The display


def test_a_paused_display_holds_still_and_zooms(rig: Rig) -> None:
    rig.play(frames=20, predicted=0)
    rig.dashboard.top.pause.click()
    rig.draw()
    before = rig.panel("potentials").copy()
    rig.play(predicted=2)
    focus = rig.dashboard.scene.focus
    assert focus is not None and focus.label == "neutral"
    assert np.array_equal(rig.panel("potentials"), before)
    rig.dashboard._zoom(3, 0)
    assert rig.dashboard._range[0] == pytest.approx(-(0.8**3))
    assert not np.array_equal(rig.panel("potentials"), before)
    rig.dashboard._zoom(0, 0.5)
    assert rig.dashboard._range[1] == pytest.approx(-0.5 * 0.8**3)
    rig.dashboard._zoom(-30, 0)
    assert rig.dashboard._range == pytest.approx((-1, 0))
    rig.dashboard.top.pause.click()
    rig.draw()
    focus = rig.dashboard.scene.focus
    assert focus is not None and focus.label == "surprised"


def test_notes_are_told(rig: Rig) -> None:
    rig.commands.waiting = [Note("face 3 is not in view", False)]
    rig.dashboard.timer.timeout.emit()
    assert rig.dashboard.top.state.text() == "face 3 is not in view"


def test_settings_are_taken_over_and_given_back(rig: Rig) -> None:
    settings = rig.dashboard.settings()
    changed = {**settings, "span_s": "2", "orientation": "45°", "feature_layer": "true"}
    rig.dashboard.apply_settings({**changed, "theme": "light"})
    # The theme of the command line has priority.
    assert rig.dashboard.settings() == changed
    assert rig.state.span_s == 2
    rig.dashboard.apply_settings({"theme": "pink", "span_s": "x"})
    assert rig.dashboard.settings() == {**changed, "feature_layer": "false"}
    rig.dashboard._given_theme = ""
    rig.dashboard.apply_settings({"theme": "light"})
    assert rig.dashboard.settings()["theme"] == "light"


@pytest.mark.parametrize(("name", "theme"), [("dark", DARK), ("light", LIGHT)])
def test_a_snapshot_is_a_picture_of_everything(
    rig: Rig, name: str, theme: Any, tmp_path: Path
) -> None:
    rig.dashboard.set_theme(name)
    rig.play()
    path = tmp_path / "shot.png"
    assert rig.dashboard.snapshot(path)
    picture = cv2.imread(str(path))
    assert picture.shape == (800, 1280, 3)
    assert share_of(picture, theme.plate) > 0.3
    assert share_of(picture[:3], theme.ground) > 0.9
    assert not rig.dashboard.snapshot(tmp_path / "no" / "shot.png")
    assert "cannot be written" in rig.dashboard.top.state.text()


def test_the_window_takes_a_snapshot_of_any_size_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.png"
    command = [sys.executable, "-m", "fer_viz.dashboard.window", "--after", "0"]
    command += ["--size", "700x400", "--snapshot", str(path)]
    subprocess.run(command, check=True, timeout=TIMEOUT_S)
    assert cv2.imread(str(path)).shape == (400, 700, 3)
    with pytest.raises(SystemExit):
        window.main(["--size", "large"])
    assert "'large' is not a size such as 1280x800" in capsys.readouterr().err


def test_sizes_follow_the_window(rig: Rig) -> None:
    rig.play()
    rig.dashboard.resize(3840, 2160)
    rig.draw()
    assert rig.dashboard.view.style_now.unit == pytest.approx(unit_for(3840, 2000), abs=0.2)
    assert rig.dashboard.top.state.fontMetrics().height() >= 30


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_of_controls_can_be_read(theme: Any) -> None:
    ground = grounds(Style(theme))
    for name, text in (
        ("ground", theme.normal),
        ("raised", theme.normal),
        ("raised", readable(theme.faint, ground["raised"])),
        ("hover", theme.strong),
        ("pressed", readable(theme.strong, ground["pressed"])),
    ):
        assert contrast(text, ground[name]) >= LEAST_CONTRAST
