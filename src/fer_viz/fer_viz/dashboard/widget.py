"""The dashboard: the board, drawn at most 30 times a second from the newest data, and controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_common.core.errors import FerError
from fer_viz.core.drawing.board import STATUS, unit_for
from fer_viz.core.drawing.canvas import Picture
from fer_viz.core.drawing.style import THEMES, Style
from fer_viz.core.scene import ALL_ORIENTATIONS, Note, Scene
from fer_viz.core.scene_builder import SceneBuilder
from fer_viz.dashboard.bag import BagProcess
from fer_viz.dashboard.controls import SPANS_S, BottomBar, TopBar, add_actions
from fer_viz.dashboard.parameters import ParameterDrawer
from fer_viz.dashboard.style import load_fonts, sheet
from fer_viz.dashboard.view import BoardView

if TYPE_CHECKING:
    from fer_viz.ros.dashboard_client import DashboardClient

RATE_HZ = 30.0
#: What the parameter `publish_layers` calls the feature layer without its potentials.
FEATURE_SPIKES = "feature_spikes"
#: Turns between two looks of the bars.
_BARS_EVERY = 8
_RESTYLE_MS = 150
_ZOOM, _SHORTEST_S = 0.8, 0.02
_KEYS = (
    ("Space", "pause and go on; while paused, wheel and mouse zoom and move potentials and spikes"),
    ("F11", "full screen, and back"),
    ("P", "parameters"),
    ("T", "light or dark"),
    ("Ctrl+1 to Ctrl+9", "teach the first to ninth label"),
    ("Ctrl+Z", "undo the last lesson, load or reset"),
    ("F1", "this list"),
)


class Dashboard(QtWidgets.QWidget):
    """Everything a running graph does, and buttons for requests to it.

    Parameters
    ----------
    state : collects the messages.
    client : takes requests.
    decode : returns an image message as BGR.
    theme : "dark" or "light", whatever the settings say; empty for theirs, else the desktop's.
    """

    def __init__(
        self,
        state: SceneBuilder[Any],
        client: DashboardClient,
        decode: Callable[[Any], Picture],
        theme: str = "",
    ) -> None:
        super().__init__()
        load_fonts()
        self.setObjectName("dashboard")
        self.setWindowTitle("fer")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_StyledBackground)
        # A click into it takes the keys, which a window around it, as that of rqt, has otherwise.
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setFocus()
        self._given_theme = theme
        self.theme = THEMES[theme or self._desktop_theme()]
        self._state, self._client, self._decode = state, client, decode
        self._turn = 0
        self.scene = Scene()
        self._range = (-state.span_s, 0.0)
        # The message that is decoded, and its pixels.
        self._message: Any = None
        self._image: Picture | None = None
        self._wanted_face = 0
        self.orientation = ALL_ORIENTATIONS
        self.feature_layer = False
        self.view = BoardView(self.theme, self._clicked, self._zoom)
        self.top, self.bottom = TopBar(), BottomBar(client, self.focus_id)
        self.drawer = ParameterDrawer(client)
        self.drawer.hide()
        self.recorder, self.player = BagProcess(self), BagProcess(self)
        self._lay_out()
        self._connect()
        self._restyle_timer = QtCore.QTimer(self)
        self._restyle_timer.setSingleShot(True)
        self._restyle_timer.timeout.connect(self._restyle)
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
        return 0 if self.scene.focus is None else self.scene.focus.id

    def set_theme(self, name: str) -> None:
        """Apply the colours of "dark" or "light"."""
        self.theme = THEMES[name]
        self.view.set_theme(self.theme)
        self._restyle()

    def show_feature_layer(self, wanted: bool) -> None:
        """Show the spikes of the feature layer too, and request them from the network."""
        if wanted != self.feature_layer:
            self.feature_layer = wanted
            self._client.publish_layers((FEATURE_SPIKES,) if wanted else ())
            self.draw()

    def snapshot(self, path: Path) -> bool:
        """Save the dashboard as PNG; return whether that succeeded."""
        # Panels take turns: all are to show the same moment.
        self.draw()
        saved = bool(self.grab().save(str(path), "PNG"))
        note = f"saved {path}" if saved else f"{path} cannot be written"
        self.top.add_note(Note(note, saved), time.monotonic())
        return saved

    def settings(self) -> dict[str, str]:
        """Return the settings to be restored next time."""
        return {
            "theme": self.theme.name,
            "span_s": f"{self._state.span_s:g}",
            "feature_layer": str(self.feature_layer).lower(),
            "orientation": self.orientation,
        }

    def apply_settings(self, settings: Mapping[str, str]) -> None:
        """Restore settings; invalid ones change nothing, and a given theme stays."""
        if settings.get("theme") in THEMES and not self._given_theme:
            self.set_theme(settings["theme"])
        spans = {f"{span_s:g}": index for index, span_s in enumerate(SPANS_S)}
        if settings.get("span_s") in spans:
            self.top.span.setCurrentIndex(spans[settings["span_s"]])
        self.show_feature_layer(settings.get("feature_layer") == "true")
        self.orientation = settings.get("orientation", self.orientation)

    def close_down(self) -> None:
        """Stop drawing, and withdraw requests that served only the display."""
        self.timer.stop()
        self.show_feature_layer(False)
        self.recorder.stop()
        self.player.stop()

    # Layout and style

    def _lay_out(self) -> None:
        middle = QtWidgets.QHBoxLayout()
        middle.addWidget(self.view, 1)
        middle.addWidget(self.drawer)
        self._rows = QtWidgets.QVBoxLayout(self)
        self._rows.addWidget(self.top)
        self._rows.addLayout(middle, 1)
        self._rows.addWidget(self.bottom)
        self.replay, *_ = add_actions(
            self.top.menu,
            {
                "Replay a bag…": self._choose_bag,
                "Snapshot": self._take_snapshot,
                "Light or dark\tT": self._change_theme,
                "Full screen\tF11": self._full_screen,
                "Keys\tF1": self._show_keys,
            },
        )

    def _connect(self) -> None:
        self.top.span.setCurrentIndex(SPANS_S.index(self._state.span_s))
        self.top.span.currentIndexChanged.connect(self._configure)
        self.top.pause.toggled.connect(self._freeze)
        self.top.record.toggled.connect(self._record)
        self.bottom.parameters.toggled.connect(self._show_parameters)
        keys: dict[str, Callable[[], None]] = {
            "Space": self.top.pause.click,
            "F11": self._full_screen,
            "P": self.bottom.parameters.click,
            "T": self._change_theme,
            "Ctrl+Z": self._client.undo,
            "F1": self._show_keys,
        }
        for index in range(9):
            keys[f"Ctrl+{index + 1}"] = partial(self.bottom.teach, index)
        for key, action in keys.items():
            shortcut = QtGui.QShortcut if hasattr(QtGui, "QShortcut") else QtWidgets.QShortcut
            made = shortcut(QtGui.QKeySequence(key), self)
            made.setContext(QtCore.Qt.ShortcutContext.WidgetWithChildrenShortcut)
            made.activated.connect(action)

    def _desktop_theme(self) -> str:
        ground = self.palette().color(QtGui.QPalette.ColorRole.Window)
        return "dark" if ground.lightness() < 128 else "light"  # noqa: PLR2004

    def _restyle(self) -> None:
        """Apply colours, and sizes that follow the window."""
        ratio = self.devicePixelRatioF()
        unit = unit_for(round(self.width() * ratio), round(0.88 * self.height() * ratio)) / ratio
        style = Style(self.theme, unit)
        if sheet(style) != self.styleSheet():
            self.setStyleSheet(sheet(style))
            gap = style.px(6)
            self._rows.setContentsMargins(gap, gap, gap, gap)
            self._rows.setSpacing(gap)
            for part in (self.top, self.bottom, self.drawer):
                part.restyle(style)
        self.draw()

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size; fonts follow when it stays for a moment."""
        super().resizeEvent(event)
        self._restyle_timer.start(_RESTYLE_MS)

    # Actions

    def _configure(self) -> None:
        span_s = SPANS_S[self.top.span.currentIndex()]
        self._state.configure(span_s, self._state.timeout_s, self._wanted_face)

    def _clicked(self, panel: str, x: int, y: int) -> None:
        """Choose the face that was clicked, or change what its panel shows."""
        if panel == "camera":
            self._wanted_face = self.view.board.face_at(x, y, self.scene)
            self._configure()
        elif panel == "weights" and self.scene.fields is not None:
            menu = QtWidgets.QMenu(self)
            for choice in self.scene.fields.choices:
                action = menu.addAction(choice)
                action.triggered.connect(lambda _=False, choice=choice: self._orient(choice))
            menu.popup(QtGui.QCursor.pos())
        elif panel in ("spikes", "feature_spikes") and not self.paused:
            self.show_feature_layer(not self.feature_layer)

    def _orient(self, choice: str) -> None:
        self.orientation = choice
        self.draw()

    def _zoom(self, steps: float, dragged: float) -> None:
        """While the display is frozen, show another range of potentials and spikes."""
        if not self.paused:
            return
        begin_s, end_s = self._range
        longest_s = self._state.span_s
        span_s = min(max((end_s - begin_s) * _ZOOM**steps, _SHORTEST_S), longest_s)
        end_s = min(max(end_s - dragged * span_s, span_s - longest_s), 0.0)
        self._range = (end_s - span_s, end_s)
        self.draw()

    def _freeze(self, frozen: bool) -> None:
        self.top.pause.setText("Go on" if frozen else "Pause")
        self._range = (-self._state.span_s, 0.0)
        if frozen:
            self.scene = self._state.view(time.monotonic())[1]

    def _record(self, wanted: bool) -> None:
        self.top.record.setText("Stop recording" if wanted else "Record")
        if not wanted:
            self.recorder.stop()
            return
        folder = Path.home() / time.strftime("fer-%Y%m%d-%H%M%S")
        self.recorder.start(("record", "--namespace", self._client.namespace, "-o", str(folder)))
        self.top.add_note(Note(f"recording into {folder}", True), time.monotonic())

    def _choose_bag(self) -> None:
        if self.player.running:
            self.player.stop()
            return
        option = QtWidgets.QFileDialog.Option
        folder = QtWidgets.QFileDialog.getExistingDirectory(
            self,
            "Folder of the bag",
            str(Path.home()),
            option.ShowDirsOnly | option.DontUseNativeDialog,
        )
        if folder:
            self.player.start(("play", folder, "--namespace", self._client.namespace))
            self.top.add_note(Note(f"playing {folder}", True), time.monotonic())

    def _take_snapshot(self) -> None:
        places = QtCore.QStandardPaths
        found = places.writableLocation(places.StandardLocation.PicturesLocation)
        folder = Path(found) if found and Path(found).is_dir() else Path.home()
        self.snapshot(folder / time.strftime("fer-%Y%m%d-%H%M%S.png"))

    def _change_theme(self) -> None:
        self.set_theme("light" if self.theme.name == "dark" else "dark")

    def _full_screen(self) -> None:
        window = self.window()
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    def _show_parameters(self, wanted: bool) -> None:
        self.drawer.setVisible(wanted)
        if wanted:
            self.drawer.open()

    def _show_keys(self) -> None:
        rows = "".join(
            f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{does}</td></tr>" for key, does in _KEYS
        )
        self.help = QtWidgets.QMessageBox(self)
        self.help.setWindowTitle("Keys")
        self.help.setText(f"<table>{rows}</table><p>The mouse over a panel explains it.</p>")
        self.help.open()

    # Drawing

    def draw(self, every_panel: bool = True) -> None:
        """Draw everything again, for another size or other colours; otherwise what is due."""
        now_s = time.monotonic()
        if not self.paused:
            message, self.scene = self._state.view(now_s)
            self._decode_new(message)
        if every_panel or not self.paused:
            self.view.left_out = (STATUS,) if self.feature_layer else (STATUS, "feature_spikes")
            scene = self.scene.between(*self._range) if self.paused else self.scene
            self.view.show_scene(scene, self._image, self.orientation, every_panel)
        if every_panel or self._turn % _BARS_EVERY == 0:
            self._show_bars(now_s)

    def _tick(self) -> None:
        now_s = time.monotonic()
        notes = (*self._client.notes(), *self.recorder.notes(), *self.player.notes())
        for note in notes:
            self.top.add_note(note, now_s)
        self.drawer.poll()
        # Nobody sees a minimised window.
        if not self.isVisible() or self.window().isMinimized():
            return
        self._turn += 1
        self.draw(every_panel=False)

    def _show_bars(self, now_s: float) -> None:
        self.top.show_scene(self.scene, now_s)
        self.bottom.show_scene(self.scene)
        self.replay.setText("Stop the replay" if self.player.running else "Replay a bag…")
        if not self.recorder.running and self.top.record.isChecked():
            self.top.record.setChecked(False)

    def _decode_new(self, message: Any) -> None:
        """Decode an image; each message is decoded once."""
        if message is not self._message:
            self._message, self._image = message, None
            if message is not None:
                try:
                    self._image = self._decode(message)
                except FerError as error:
                    self.top.add_note(Note(str(error), False), time.monotonic())
