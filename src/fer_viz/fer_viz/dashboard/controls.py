"""The bar at the top, which says how the graph does, and the bar at the bottom, which asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pyqtgraph.Qt import QtCore, QtWidgets

from fer_viz.core.commands import LEARNING_MODES, Commands, Note
from fer_viz.core.palette import mix
from fer_viz.core.scene import Face, Scene
from fer_viz.dashboard.parts import Choice
from fer_viz.dashboard.style import Style, code

#: Spans of time that can be chosen, seconds.
SPANS_S = (0.5, 1.0, 2.0, 5.0)
#: More labels than this are taught from a menu.
MOST_BUTTONS = 7
_NOTE_S = 8.0
_LARGEST = 0


class TopBar(QtWidgets.QWidget):
    """State and figures of the graph, and what is shown of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.dot, self.state = QtWidgets.QLabel("●"), QtWidgets.QLabel()
        self.state.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        # A long sentence must not make the window wider.
        policy = QtWidgets.QSizePolicy.Policy
        self.state.setSizePolicy(policy.Ignored, policy.Preferred)
        self.figures = {name: QtWidgets.QLabel() for name in ("rate", "latency", "skipped", "lag")}
        for name, tip in (
            ("rate", "Answers per second"),
            ("latency", "From the stamp of the image to its answer, median of 5 s"),
            ("skipped", "Frames that nodes passed over for newer ones"),
            ("lag", "Time of the stamps that was not simulated, last 5 s"),
        ):
            self.figures[name].setObjectName("figure")
            self.figures[name].setToolTip(tip)
        self.face, self.span = Choice(), Choice()
        self.face.setToolTip("Whom the panels are about")
        self.face.addItem("largest face", _LARGEST)
        self.span.setToolTip("How far back potentials and spikes are shown")
        for span_s in SPANS_S:
            self.span.addItem(f"last {span_s:g} s", span_s)
        self.pause = _button("Pause", "Hold the display still; zoom with the mouse (space)", True)
        self.pause.setShortcut("Space")
        self.snapshot = _button("Snapshot", "Save what is to be seen as a PNG file")
        self.theme = _button("Light", "Change between light and dark")
        row = QtWidgets.QHBoxLayout(self)
        row.addWidget(self.dot)
        row.addWidget(self.state, 1)
        for widget in (*self.figures.values(), self.face, self.span):
            row.addWidget(widget)
        for widget in (self.pause, self.snapshot, self.theme):
            row.addWidget(widget)
        self._row = row
        self._style = Style()
        self._note: tuple[Note, float] | None = None

    def add_note(self, note: Note, now_s: float) -> None:
        """Show for a while what came of a request."""
        self._note = (note, now_s)
        self._show(note)

    def show_scene(self, scene: Scene, lag_s: float, now_s: float) -> None:
        """Show state, figures and the faces in view."""
        status = scene.status
        latency = "…" if math.isnan(status.latency_ms) else f"{status.latency_ms:.0f}"
        texts = {
            "rate": f"{status.rate_hz:.0f} fps",
            "latency": f"{latency} ms",
            "skipped": f"{status.skipped} skipped",
            "lag": f"lag {1e3 * lag_s:.0f} ms",
        }
        for name, text in texts.items():
            self.figures[name].setText(text)
        self._show_state(scene, now_s)
        self._show_faces(scene.faces)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        self._style = style
        self._row.setContentsMargins(style.px(4), 0, style.px(2), 0)
        self._row.setSpacing(style.px(10))
        self.theme.setText("Light" if style.theme_name == "dark" else "Dark")

    def _show_state(self, scene: Scene, now_s: float) -> None:
        if self._note is not None and now_s - self._note[1] < _NOTE_S:
            self._show(self._note[0])
        elif scene.status.hint:
            self._show(Note(scene.status.hint, False))
        else:
            self._show(Note(_description(scene), True))

    def _show(self, note: Note) -> None:
        theme, (text, good) = self._style.theme, note
        self.state.setText(text)
        self.state.setToolTip(text)
        self.dot.setStyleSheet(f"color: {code(theme.good if good else theme.warning)};")

    def _show_faces(self, faces: Sequence[Face]) -> None:
        wanted = self.face.currentData()
        ids = sorted({face.id for face in faces} | ({wanted} if wanted else set()))
        shown = [self.face.itemData(k) for k in range(1, self.face.count())]
        if ids == shown or self.face.view().isVisible():
            return
        self.face.blockSignals(True)
        while self.face.count() > 1:
            self.face.removeItem(1)
        for face_id in ids:
            self.face.addItem(f"face {face_id}", face_id)
        self.face.setCurrentIndex(max(self.face.findData(wanted), 0))
        self.face.blockSignals(False)


class BottomBar(QtWidgets.QWidget):
    """Teach, change how it learns, keep and take weights, put back.

    Parameters
    ----------
    commands : where requests go.
    followed : returns the id of the face that is followed, 0 for none.
    """

    def __init__(self, commands: Commands, followed: Callable[[], int]) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._commands, self._followed = commands, followed
        self._labels: tuple[str, ...] = ()
        self._style = Style()
        self.ask_name = self._ask_name
        self.learning = Choice()
        self.learning.addItems(LEARNING_MODES)
        self.learning.setToolTip("How the network learns")
        self.learning.activated.connect(self._change_learning)
        self.learning.setEnabled(False)
        self.labels: dict[str, Any] = {}
        self._teach = QtWidgets.QHBoxLayout()
        self.new = _button("New…", "Teach an expression that the network does not know yet")
        self.new.clicked.connect(self._teach_new)
        self.save = _button("Save weights…", "Keep the weights under a name")
        self.load = _button("Load weights…", "Take weights that were kept, or default")
        self.reset = _button("Reset", "Put the network back")
        menu = QtWidgets.QMenu(self.reset)
        self.reset_state = menu.addAction("Potentials and answers")
        self.reset_weights = menu.addAction("Weights too, as at the start")
        self.reset.setMenu(menu)
        self.reset.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.save.clicked.connect(lambda: self._with_name("Save weights as", commands.save_weights))
        self.load.clicked.connect(lambda: self._with_name("Load weights", commands.load_weights))
        self.reset_state.triggered.connect(lambda: commands.reset(False))
        self.reset_weights.triggered.connect(lambda: commands.reset(True))
        row = QtWidgets.QHBoxLayout(self)
        for widget in (_caption("Learning"), self.learning, _caption("Teach")):
            row.addWidget(widget)
        row.addLayout(self._teach)
        row.addWidget(self.new)
        row.addStretch(1)
        for widget in (self.save, self.load, self.reset):
            row.addWidget(widget)
        self._row = row
        self._show_labels()

    def show_scene(self, scene: Scene) -> None:
        """Show the labels that can be taught, and how the network learns."""
        known = scene.network is not None and scene.network.learning in LEARNING_MODES
        self.learning.setEnabled(known)
        if known and scene.network is not None and not self.learning.view().isVisible():
            self.learning.setCurrentText(scene.network.learning)
        if scene.labels != self._labels:
            self._labels = scene.labels
            self._show_labels()

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        self._style = style
        self._row.setContentsMargins(style.px(4), 0, style.px(2), 0)
        for row in (self._row, self._teach):
            row.setSpacing(style.px(8))
        self._show_labels()

    def _show_labels(self) -> None:
        while self._teach.count():
            self._teach.takeAt(0).widget().deleteLater()
        self.labels = {}
        if not self._labels:
            self._teach.addWidget(_caption("no labels yet"))
        elif len(self._labels) <= MOST_BUTTONS:
            for index, label in enumerate(self._labels):
                button = _button(label, f"Teach that the face shown is “{label}”, for 2 s")
                button.clicked.connect(lambda _=False, label=label: self._teach_label(label))
                button.setStyleSheet(self._label_sheet(index))
                self._teach.addWidget(button)
                self.labels[label] = button
        else:
            menu_button = _button("an expression", "Teach what the face shows, for 2 s")
            menu = QtWidgets.QMenu(menu_button)
            for label in self._labels:
                action = menu.addAction(label)
                action.triggered.connect(lambda _=False, label=label: self._teach_label(label))
                self.labels[label] = action
            menu_button.setMenu(menu)
            menu_button.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
            self._teach.addWidget(menu_button)

    def _label_sheet(self, index: int) -> str:
        theme = self._style.theme
        colour = theme.label(index)
        return (
            f"QToolButton {{ background: {code(mix(theme.plate, colour, 0.16))};"
            f" border: 1px solid {code(mix(theme.plate, colour, 0.75))};"
            f" color: {code(mix(colour, theme.strong, 0.35))}; font-weight: 600; }}"
            f"QToolButton:hover {{ background: {code(mix(theme.plate, colour, 0.32))}; }}"
            f"QToolButton:pressed {{ background: {code(mix(theme.plate, colour, 0.55))}; }}"
        )

    def _teach_label(self, label: str) -> None:
        self._commands.teach(label, self._followed())

    def _teach_new(self) -> None:
        face_id = self._followed()
        self._with_name("New expression", lambda name: self._commands.teach(name, face_id, True))

    def _change_learning(self, index: int) -> None:
        self._commands.set_learning(LEARNING_MODES[index])

    def _with_name(self, title: str, ask: Callable[[str], None]) -> None:
        name = self.ask_name(title)
        if name:
            ask(name)

    def _ask_name(self, title: str) -> str:
        name, given = QtWidgets.QInputDialog.getText(self, "fer", f"{title}:", text="my_robot")
        return str(name).strip() if given else ""


def _description(scene: Scene) -> str:
    if scene.network is None:
        return "connected"
    return f"model {scene.network.model} · learning {scene.network.learning}"


def _button(text: str, tip: str, checkable: bool = False) -> Any:
    button = QtWidgets.QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(checkable)
    return button


def _caption(text: str) -> Any:
    label = QtWidgets.QLabel(text)
    label.setObjectName("caption")
    return label
