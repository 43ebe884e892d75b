"""The widget off screen: each panel shows what was sent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
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

from pyqtgraph.Qt import QtWidgets

from fer_common.ros.image_subscription import bgr_reader
from fer_testing.viz import LABELS, Loopback, PlayedGraph, grey, share_of
from fer_viz.core import dashboard_state
from fer_viz.core.dashboard_state import DashboardState, Note
from fer_viz.core.drawing.style import DARK, LIGHT
from fer_viz.core.drawing.text import MINUS
from fer_viz.dashboard import plots
from fer_viz.dashboard.style import unit_for
from fer_viz.dashboard.widget import Dashboard
from fer_viz.ros.listener import GraphListener, graph_topics

TIMEOUT_S = 100.0
FIVE = ("neutral", "smile", "surprised", "angry", "sad")


class Recorded:
    """Commands that are only written down."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.waiting: list[Note] = []

    def teach(self, label: str, face_id: int, new_label: bool = False) -> None:
        self.calls.append(("teach", label, face_id, new_label))

    def set_learning(self, mode: str) -> None:
        self.calls.append(("learning", mode))

    def save_weights(self, name: str) -> None:
        self.calls.append(("save", name))

    def load_weights(self, name: str) -> None:
        self.calls.append(("load", name))

    def reset(self, weights: bool) -> None:
        self.calls.append(("reset", weights))

    def publish_layers(self, layers: Sequence[str]) -> None:
        self.calls.append(("layers", *layers))

    def notes(self) -> list[Note]:
        notes, self.waiting = self.waiting, []
        return notes


class Rig:
    """A dashboard, and a played graph that it hears at once."""

    def __init__(self) -> None:
        self.node = Loopback()
        self.state: DashboardState[Any] = DashboardState(
            graph_topics(self.node, False), time.monotonic()
        )
        listener = GraphListener(
            self.node,
            self.state,
            False,
            lambda image: self.state.show(image, time.monotonic()),
            lambda topic, error: pytest.fail(f"{topic}: {error}"),
            lambda topic, message, data: self.state.add_message(topic, message),
        )
        listener.open_latched()
        listener.open_streams()
        self.commands = Recorded()
        self.dashboard = Dashboard(self.state, self.commands, bgr_reader(), "dark")
        # Drawn when the tests say so.
        self.dashboard.timer.stop()
        self.dashboard.resize(1280, 800)
        self.dashboard.show()
        self.played = PlayedGraph(self.node)

    def play(self, frames: int = 3, picture: Any = None, **what: Any) -> None:
        shown = grey() if picture is None else picture
        for _ in range(frames):
            self.played.publish_frame(shown, **what)
        self.draw()

    def draw(self) -> None:
        self.dashboard.set_theme(self.dashboard.style_now.theme.name)
        QtWidgets.QApplication.processEvents()

    def picture(self, widget: Any) -> Any:
        """Return what a widget looks like, (height, width, 3) BGR."""
        image = widget.grab().toImage()
        path = Path(os.environ["FER_TEST_GRAB"])
        image.save(str(path))
        return cv2.imread(str(path))


@pytest.fixture(scope="module", autouse=True)
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ["FER_TEST_GRAB"] = str(tmp_path_factory.mktemp("grab") / "grab.png")
    yield QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    # A busy machine draws later than a graph would be taken for lost.
    monkeypatch.setattr(dashboard_state, "IMAGE_TIMEOUT_S", TIMEOUT_S)
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
    assert "no image on /fer/image_raw" in dashboard.camera.view.text
    assert "is the camera node up?" in dashboard.top.state.text()
    assert "no weights yet" in dashboard.weights.view.text
    for card in (dashboard.potentials, dashboard.spikes, dashboard.scores, dashboard.rates):
        assert card.plot.empty_text
    assert not dashboard.bottom.labels and not dashboard.bottom.learning.isEnabled()


def test_the_camera_shows_picture_box_and_label(rig: Rig) -> None:
    rig.play(predicted=1)
    picture = rig.dashboard.camera.view.picture
    assert picture is not None and rig.dashboard.camera.note == "640 x 480 px"
    scale = picture.shape[0] / 480
    assert picture[round(110 * scale) + 1, round(214 * scale) + 1].tolist() == list(DARK.label(1))
    assert picture[-4, 4].tolist() == [90] * 3
    shown = rig.picture(rig.dashboard.camera.view)
    assert share_of(shown, (90, 90, 90)) > 0.5


def test_the_answer_is_that_of_the_face(rig: Rig) -> None:
    rig.play(predicted=2)
    face, view = rig.dashboard.result.face, rig.dashboard.result.view
    assert face is not None and face.label == "surprised"
    assert rig.dashboard.result.note == "face 1"
    shown = rig.picture(view)
    # Headline, bar of the confidence and bar of the score are in the label's colour.
    assert share_of(shown, DARK.label(2)) > 3 * share_of(shown, DARK.label(0)) > 0


def test_potentials_have_a_lane_for_each_label(rig: Rig) -> None:
    rig.played = PlayedGraph(rig.node, neurons=6)
    rig.played.publish_network()
    rig.play()
    card = rig.dashboard.potentials
    assert len(card.lines) == 6 and len(card.levels) == 6
    for neuron, line in enumerate(card.lines):
        x, y = line.getData()
        lane = neuron // 2
        assert lane <= np.nanmin(y) and np.nanmax(y) <= lane + 1
        assert x[-1] == pytest.approx(0) and len(x) > 50
    low_v, high_v = -0.075 - plots.BELOW_V, -0.050 + plots.ABOVE_V
    levels = [line.value() for line in card.levels]
    share = [(high_v + 0.050) / (high_v - low_v), (high_v + 0.075) / (high_v - low_v)]
    assert levels == pytest.approx([lane + part for lane in range(3) for part in share])
    x, y = card.lines[0].getData()
    potential_v = high_v - y * (high_v - low_v)
    assert np.nanmin(potential_v) >= -0.0751 and np.nanmax(potential_v) <= -0.0499


def test_many_neurons_become_a_map(rig: Rig) -> None:
    rig.played = PlayedGraph(rig.node, neurons=300)
    rig.played.publish_network()
    rig.play()
    card = rig.dashboard.potentials
    assert not card.lines and card.map.isVisible() and card.map.image.shape[0] == 300
    assert card.note == f"{MINUS}75 (reset) to {MINUS}50 mV (threshold)"
    assert rig.dashboard.spikes.note.startswith("300 neurons")


def test_the_raster_has_the_spikes_in_the_colours_of_their_labels(rig: Rig) -> None:
    rig.played.publish_network()
    rig.play(frames=20)
    image = rig.dashboard.spikes.map.image[..., ::-1]
    thirds = np.array_split(image, 3)
    for label, part in enumerate(thirds):
        assert share_of(part, DARK.label(label)) > 0.005
        assert share_of(part, DARK.label((label + 1) % 3)) == 0
    shown = rig.picture(rig.dashboard.spikes.plot)
    assert all(share_of(shown, DARK.label(label), within=2) > 0.001 for label in range(3))


def test_the_feature_layer_is_asked_for_and_shown(rig: Rig) -> None:
    dashboard = rig.dashboard
    assert dashboard.feature_spikes.isHidden()
    dashboard.features_button.click()
    assert rig.commands.calls == [("layers", "feature")]
    rig.play()
    assert "waiting" in dashboard.feature_spikes.plot.empty_text
    rig.play(frames=10, layers=("feature",))
    assert not dashboard.feature_spikes.plot.empty_text
    assert dashboard.feature_spikes.note.startswith("48 neurons")
    dashboard.features_button.click()
    assert rig.commands.calls[-1] == ("layers",) and dashboard.feature_spikes.isHidden()


def test_the_face_is_cut_out_and_its_features_are_drawn(rig: Rig) -> None:
    picture = grey()
    picture[110:320, 214:424] = 200
    rig.play(picture=picture)
    crop, features = rig.dashboard.face.crop.picture, rig.dashboard.face.features.picture
    assert crop is not None and share_of(crop, (200, 200, 200), within=2) > 0.9
    assert features is not None and share_of(features, DARK.strong) > 0.01
    assert "8 orientations x 12 x 12" in rig.dashboard.face.note


def test_weights_of_every_label_by_orientation(rig: Rig) -> None:
    rig.played.publish_network()
    rig.draw()
    card = rig.dashboard.weights
    assert [card.choice.itemText(k) for k in range(card.choice.count())][:3] == [
        "all orientations",
        "0°",
        "22.5°",
    ]
    before = card.view.picture
    assert before is not None
    card.choice.setCurrentIndex(2)
    card.choice.activated.emit(2)
    assert not np.array_equal(before, card.view.picture)
    for label in range(3):
        assert share_of(before, DARK.label(label), within=60) > 0


def test_trends_show_scores_and_rates(rig: Rig) -> None:
    rig.play(frames=5, predicted=1)
    scores = [line.getData()[1] for line in rig.dashboard.scores.lines]
    rates_hz = [line.getData()[1] for line in rig.dashboard.rates.lines]
    assert [values.tolist() for values in scores] == [
        pytest.approx([value] * 5) for value in (0.1, 0.8, 0.1)
    ]
    assert [values[-1] for values in rates_hz] == pytest.approx([5, 40, 5])
    assert rig.dashboard.rates.note == "Hz"


def test_one_of_several_faces_can_be_followed(rig: Rig) -> None:
    boxes = ((10, 10, 100, 100), (300, 100, 200, 200))
    rig.play(boxes=boxes)
    top = rig.dashboard.top
    assert rig.dashboard.result.note == "face 2, 2 in view"
    assert [top.face.itemText(k) for k in range(top.face.count())] == [
        "largest face",
        "face 1",
        "face 2",
    ]
    top.face.setCurrentIndex(1)
    rig.play(boxes=boxes)
    assert rig.dashboard.result.note == "face 1, 2 in view"
    rig.dashboard.bottom.labels["smile"].click()
    assert rig.commands.calls == [("teach", "smile", 1, False)]


def test_another_number_of_labels_changes_everything(rig: Rig) -> None:
    for labels in (LABELS, FIVE, tuple(f"label {k}" for k in range(12)), ("yes", "no")):
        rig.played = PlayedGraph(rig.node, labels)
        rig.played.publish_network()
        rig.play(predicted=len(labels) - 1)
        dashboard = rig.dashboard
        assert tuple(dashboard.bottom.labels) == labels
        assert len(dashboard.scores.lines) == len(dashboard.rates.lines) == len(labels)
        assert dashboard.result.face is not None
        assert dashboard.result.face.labels == labels
        assert bool(dashboard.potentials.lines) == (len(labels) <= plots.MOST_LANES)


@pytest.mark.parametrize("labels", [LABELS, (*FIVE, "disgust", "fear", "contempt")], ids=len)
def test_the_smallest_window_shows_every_label(rig: Rig, labels: tuple[str, ...]) -> None:
    rig.played = PlayedGraph(rig.node, labels)
    rig.played.publish_network()
    # Smaller than rqt's window, so that the layout decides.
    rig.dashboard.resize(300, 100)
    rig.play()
    rig.draw()
    shown = rig.picture(rig.dashboard.result.view)
    assert all(share_of(shown, DARK.label(index)) > 0 for index in range(len(labels)))


def test_buttons_ask(rig: Rig) -> None:
    rig.played.publish_network("unsupervised")
    rig.play()
    bottom = rig.dashboard.bottom
    assert bottom.learning.currentText() == "unsupervised"
    bottom.ask_name = lambda title: {"Save weights as": "mine", "New expression": "wink"}.get(
        title, ""
    )
    bottom.learning.activated.emit(2)
    bottom.save.click()
    bottom.load.click()
    bottom.new.click()
    bottom.reset_state.trigger()
    bottom.reset_weights.trigger()
    assert rig.commands.calls == [
        ("learning", "supervised"),
        ("save", "mine"),
        ("teach", "wink", 1, True),
        ("reset", False),
        ("reset", True),
    ]


def test_a_paused_display_holds_still(rig: Rig) -> None:
    rig.play(predicted=0)
    rig.dashboard.top.pause.click()
    rig.play(predicted=2)
    assert rig.dashboard.result.face is not None
    assert rig.dashboard.result.face.label == "neutral"
    rig.dashboard.top.pause.click()
    rig.draw()
    assert rig.dashboard.result.face.label == "surprised"


def test_notes_are_told(rig: Rig) -> None:
    rig.commands.waiting = [Note("face 3 is not in view", False)]
    rig.dashboard.timer.timeout.emit()
    assert rig.dashboard.top.state.text() == "face 3 is not in view"


def test_settings_are_taken_over_and_given_back(rig: Rig) -> None:
    settings = rig.dashboard.settings()
    changed = {
        **settings,
        "theme": "light",
        "span_s": "2",
        "orientation": "45°",
        "sizes_columns": "600,400,264",
    }
    rig.dashboard.apply_settings(changed)
    rig.played.publish_network()
    rig.draw()
    assert rig.dashboard.settings() == {
        **changed,
        "sizes_columns": rig.dashboard.settings()["sizes_columns"],
    }
    assert rig.dashboard.weights.choice.currentText() == "45°"
    assert rig.state.span_s == 2
    rig.dashboard.apply_settings({"theme": "pink", "span_s": "x", "sizes_left": "nonsense"})
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
    assert share_of(picture[:8], theme.ground) > 0.9
    assert not rig.dashboard.snapshot(tmp_path / "no" / "shot.png")
    assert "cannot be written" in rig.dashboard.top.state.text()


def test_sizes_follow_the_window(rig: Rig) -> None:
    assert unit_for(1280, 800) == 1
    assert unit_for(3840, 2160) == pytest.approx(2.7)
    assert unit_for(300, 200) < 1
    rig.play()
    rig.dashboard.resize(3840, 2160)
    rig.dashboard._fit()
    assert rig.dashboard.style_now.unit == pytest.approx(2.7)
    assert (
        rig.dashboard.top.state.font().pixelSize() >= 30
        or rig.dashboard.top.state.fontMetrics().height() >= 30
    )
