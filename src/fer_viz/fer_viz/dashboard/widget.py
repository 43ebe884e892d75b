"""The dashboard: all cards, drawn at most 30 times a second from the newest data.

Cards take turns, so that no turn takes long: the image is drawn in every turn, potentials, spikes
and face in every third one, the rest less often.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_common.core.errors import FerError
from fer_viz.core.dashboard_state import FEATURE_LAYER, DashboardState, Note
from fer_viz.core.drawing.canvas import Picture
from fer_viz.core.drawing.style import THEMES, Style
from fer_viz.core.scene import ReceptiveFields, Scene
from fer_viz.dashboard.controls import SPANS_S, BottomBar, TopBar
from fer_viz.dashboard.pictures import CameraCard, FaceCard, ResultCard, WeightCard
from fer_viz.dashboard.plots import (
    FeatureRasterCard,
    PotentialCard,
    RasterCard,
    ScoreCard,
    waiting,
)
from fer_viz.dashboard.style import DESIGN_HEIGHT, DESIGN_WIDTH, sheet, unit_for

if TYPE_CHECKING:
    from fer_viz.ros.dashboard_client import DashboardClient

RATE_HZ = 30.0
#: Turns between two drawings, and the first turn.
_POTENTIALS, _SPIKES, _FACE, _SLOW, _WEIGHTS = (3, 0), (3, 1), (3, 2), (8, 3), (15, 7)
_RESTYLE_MS = 150
#: Shares of the width and of the height, left to right and top to bottom.
_COLUMNS, _LEFT = (40, 34, 26), (58, 42)
_MIDDLE, _RIGHT = (42, 24, 20, 28), (27, 37, 36)


class Dashboard(QtWidgets.QWidget):
    """Everything a running graph does, and buttons for requests to it.

    Parameters
    ----------
    state : collects the messages.
    client : takes requests.
    decode : returns an image message as BGR.
    theme : "dark" or "light"; empty for that of the desktop.
    """

    def __init__(
        self,
        state: DashboardState[Any],
        client: DashboardClient,
        decode: Callable[[Any], Picture],
        theme: str = "",
    ) -> None:
        super().__init__()
        self.setObjectName("dashboard")
        self.setWindowTitle("fer")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_StyledBackground)
        self.style_now = Style(THEMES[theme or self._desktop_theme()])
        self._state, self._client, self._decode = state, client, decode
        self._turn = 0
        self._scene: Scene | None = None
        # The image to show as a message, the message that is decoded, and its pixels.
        self._shown: Any = None
        self._message: Any = None
        self._image: Picture | None = None
        self._drawn: tuple[int, str] | None = None
        self._fields: ReceptiveFields | None = None
        self.camera, self.face, self.result = CameraCard(), FaceCard(), ResultCard()
        self.potentials, self.spikes = PotentialCard(), RasterCard()
        self.feature_spikes, self.weights = FeatureRasterCard(), WeightCard()
        self.scores, self.rates = ScoreCard("Score", ""), ScoreCard("Spike rate", "Hz")
        self.top = TopBar()
        self.bottom = BottomBar(client, self.focus_id)
        self._lay_out()
        self._connect()
        self._restyle_timer = QtCore.QTimer(self)
        self._restyle_timer.setSingleShot(True)
        self._restyle_timer.timeout.connect(self._fit)
        self._restyle()
        self.timer = QtCore.QTimer(self)
        self.timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self._tick)
        self.timer.start(round(1000 / RATE_HZ))

    # For users of the widget

    @property
    def paused(self) -> bool:
        """Whether the display is frozen."""
        return bool(self.top.pause.isChecked())

    def focus_id(self) -> int:
        """Return the id of the face in focus, 0 for none."""
        focus = None if self._scene is None else self._scene.focus
        return 0 if focus is None else focus.id

    def set_theme(self, name: str) -> None:
        """Apply the colours of "dark" or "light"."""
        self.style_now = Style(THEMES[name], self.style_now.unit)
        self._restyle()

    def show_feature_layer(self, wanted: bool) -> None:
        """Show the spikes of the feature layer too, and request them from the network."""
        self.features_button.setChecked(wanted)

    def snapshot(self, path: Path) -> bool:
        """Save the dashboard as PNG; return whether that succeeded."""
        saved = bool(self.grab().save(str(path), "PNG"))
        note = f"saved {path}" if saved else f"{path} cannot be written"
        self.top.add_note(Note(note, saved), time.monotonic())
        return saved

    def settings(self) -> dict[str, str]:
        """Return the settings to be restored next time."""
        sizes = {
            f"sizes_{name}": ",".join(map(str, splitter.sizes()))
            for name, splitter in self._splitters.items()
        }
        return {
            "theme": self.style_now.theme.name,
            "span_s": f"{self._state.span_s:g}",
            "feature_layer": str(self.features_button.isChecked()).lower(),
            "orientation": self.weights.wanted,
            **sizes,
        }

    def apply_settings(self, settings: Mapping[str, str]) -> None:
        """Restore settings; invalid ones change nothing."""
        if settings.get("theme") in THEMES:
            self.set_theme(settings["theme"])
        spans = {f"{span_s:g}": index for index, span_s in enumerate(SPANS_S)}
        if settings.get("span_s") in spans:
            self.top.span.setCurrentIndex(spans[settings["span_s"]])
        if settings.get("feature_layer") == "true":
            self.show_feature_layer(True)
        self.weights.wanted = settings.get("orientation", self.weights.wanted)
        for name, splitter in self._splitters.items():
            parts = settings.get(f"sizes_{name}", "").split(",")
            sizes = [int(part) for part in parts if part.isdecimal()]
            if len(sizes) == splitter.count() and sum(sizes) > 0:
                splitter.setSizes(sizes)

    def close_down(self) -> None:
        """Stop drawing, and withdraw requests that served only the display."""
        self.timer.stop()
        if self.features_button.isChecked():
            self._client.publish_layers(())

    # Layout and style

    def _lay_out(self) -> None:
        self.features_button = QtWidgets.QToolButton()
        self.features_button.setText("feature layer")
        self.features_button.setCheckable(True)
        self.features_button.setToolTip("Show the spikes of the feature layer too")
        self.spikes.add_to_head(self.features_button)
        self.feature_spikes.hide()
        columns = (
            ("left", (self.camera, self.face), _LEFT),
            (
                "middle",
                (self.potentials, self.spikes, self.feature_spikes, self.weights),
                _MIDDLE,
            ),
            ("right", (self.result, self.scores, self.rates), _RIGHT),
        )
        self._cards = [card for _, cards, _ in columns for card in cards]
        orientations = QtCore.Qt.Orientation
        self._splitters = {
            name: _splitter(orientations.Vertical, cards, shares) for name, cards, shares in columns
        }
        row = _splitter(orientations.Horizontal, tuple(self._splitters.values()), _COLUMNS)
        self._splitters["columns"] = row
        self._rows = QtWidgets.QVBoxLayout(self)
        self._rows.addWidget(self.top)
        self._rows.addWidget(row, 1)
        self._rows.addWidget(self.bottom)

    def _connect(self) -> None:
        top = self.top
        top.span.setCurrentIndex(SPANS_S.index(self._state.span_s))
        top.span.currentIndexChanged.connect(self._change_span)
        top.face.currentIndexChanged.connect(self._change_face)
        top.pause.toggled.connect(self._freeze)
        top.snapshot.clicked.connect(self._take_snapshot)
        top.theme.clicked.connect(self._change_theme)
        self.features_button.toggled.connect(self._change_feature_layer)

    def _desktop_theme(self) -> str:
        ground = self.palette().color(QtGui.QPalette.ColorRole.Window)
        return "dark" if ground.lightness() < 128 else "light"  # noqa: PLR2004

    def _restyle(self) -> None:
        style = self.style_now
        self.setStyleSheet(sheet(style))
        gap = style.px(8)
        self._rows.setContentsMargins(gap, gap, gap, gap)
        self._rows.setSpacing(gap)
        for splitter in self._splitters.values():
            splitter.setHandleWidth(gap)
        for part in (self.top, self.bottom, *self._cards):
            part.restyle(style)
        self._draw_all()

    def _fit(self) -> None:
        unit = unit_for(self.width(), self.height())
        if unit != self.style_now.unit:
            self.style_now = Style(self.style_now.theme, unit)
            self._restyle()
        else:
            self._draw_all()

    def sizeHint(self) -> Any:
        """Qt asks for the initial size."""
        return QtCore.QSize(DESIGN_WIDTH, DESIGN_HEIGHT)

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size; fonts follow when it stays for a moment."""
        super().resizeEvent(event)
        self._restyle_timer.start(_RESTYLE_MS)

    # Buttons

    def _change_span(self, index: int) -> None:
        self._state.span_s = SPANS_S[index]

    def _change_face(self, index: int) -> None:
        self._state.wanted_face = int(self.top.face.itemData(index) or 0)

    def _freeze(self, frozen: bool) -> None:
        self.top.pause.setText("Go on" if frozen else "Pause")
        for card in (self.potentials, self.spikes, self.feature_spikes, self.scores, self.rates):
            card.plot.freeze(frozen)

    def _take_snapshot(self) -> None:
        places = QtCore.QStandardPaths
        found = places.writableLocation(places.StandardLocation.PicturesLocation)
        folder = Path(found) if found and Path(found).is_dir() else Path.home()
        self.snapshot(folder / time.strftime("fer-%Y%m%d-%H%M%S.png"))

    def _change_theme(self) -> None:
        self.set_theme("light" if self.style_now.theme.name == "dark" else "dark")

    def _change_feature_layer(self, wanted: bool) -> None:
        self.feature_spikes.setVisible(wanted)
        self._client.publish_layers((FEATURE_LAYER,) if wanted else ())

    # Drawing

    def _tick(self) -> None:
        now_s = time.monotonic()
        for note in self._client.notes():
            self.top.add_note(note, now_s)
        # Nobody sees a minimised window.
        if not self.isVisible() or self.window().isMinimized() or self.paused:
            return
        self._turn += 1
        self._shown, self._scene = self._state.view(now_s)
        self._draw(self._scene, lambda every, first: self._turn % every == first, now_s)

    def _draw_all(self) -> None:
        """Draw everything again, for another size or other colours."""
        now_s = time.monotonic()
        if self._scene is None or not self.paused:
            self._shown, self._scene = self._state.view(now_s)
        self._fields = None
        self._draw(self._scene, lambda every, first: True, now_s)

    def _draw(self, scene: Scene, due: Callable[[int, int], bool], now_s: float) -> None:
        if self._drawn != (id(self._shown), scene.status.hint) or due(*_SLOW):
            self._drawn = (id(self._shown), scene.status.hint)
            self.camera.show_image(self._pixels(self._shown), scene)
        if due(*_POTENTIALS):
            self.potentials.show_scene(scene)
        if due(*_SPIKES):
            self.spikes.show_scene(scene)
            self.result.show_scene(scene)
        if due(*_FACE):
            self.face.show_face(self._image, scene)
            if self.features_button.isChecked():
                self.feature_spikes.show_spikes(scene.feature_raster, scene.span_s)
        if due(*_SLOW):
            why = waiting(scene, "results")
            self.scores.show_scores(scene.scores, why)
            self.rates.show_rates(scene.scores, why)
            self.top.show_scene(scene, now_s)
            self.bottom.show_scene(scene)
        if due(*_WEIGHTS) and scene.fields is not self._fields:
            self._fields = scene.fields
            self.weights.show_fields(scene.fields)

    def _pixels(self, message: Any) -> Picture | None:
        """Return the newest image that can be decoded; each message is decoded once."""
        if message is not self._message:
            self._message, self._image = message, None
            if message is not None:
                try:
                    self._image = self._decode(message)
                except FerError as error:
                    self.top.add_note(Note(str(error), False), time.monotonic())
        return self._image


def _splitter(orientation: Any, widgets: Any, shares: Any) -> Any:
    splitter = QtWidgets.QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    splitter.setSizes([10 * share for share in shares])
    for index, share in enumerate(shares):
        splitter.setStretchFactor(index, share)
    return splitter
