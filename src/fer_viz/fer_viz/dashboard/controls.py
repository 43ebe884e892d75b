"""The bar at the top with the state of the graph, and the bar at the bottom with requests to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyqtgraph.Qt import QtCore, QtWidgets

from fer_viz.core.dashboard_state import LEARNING_MODES, Note
from fer_viz.core.drawing.style import DARK, Style, mix
from fer_viz.core.scene import Face, Scene
from fer_viz.dashboard.cards import Choice, named_label
from fer_viz.dashboard.style import code

if TYPE_CHECKING:
    from fer_viz.ros.dashboard_client import DashboardClient

#: Spans of time to choose from, seconds.
SPANS_S = (0.5, 1.0, 2.0, 5.0)
#: More labels than this are taught from a menu.
MOST_BUTTONS = 7
_NOTE_S = 8.0
_LARGEST = 0
_FIGURES = {
    "rate": "Results per second",
    "latency": "From the stamp of the image to its result, median of 5 s",
    "skipped": "Frames that nodes skipped in favour of newer ones",
    "lag": "Time between stamps that was not simulated, last 5 s",
}


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
        self.figures = {name: named_label("", "figure") for name in _FIGURES}
        for name, tip in _FIGURES.items():
            self.figures[name].setToolTip(tip)
        self.face, self.span = Choice(), Choice()
        self.face.setToolTip("Which face is shown in detail")
        self.face.addItem("largest face", _LARGEST)
        self.span.setToolTip("How far back potentials and spikes are shown")
        for span_s in SPANS_S:
            self.span.addItem(f"last {span_s:g} s", span_s)
        self.pause = _button("Pause", "Freeze the display; zoom with the mouse (space)")
        self.pause.setCheckable(True)
        self.pause.setShortcut("Space")
        self.snapshot = _button("Snapshot", "Save the dashboard as a PNG file")
        self.theme = _button("Light", "Change between light and dark")
        self._row = QtWidgets.QHBoxLayout(self)
        self._row.addWidget(self.dot)
        self._row.addWidget(self.state, 1)
        _add(self._row, *self.figures.values(), self.face, self.span)
        _add(self._row, self.pause, self.snapshot, self.theme)
        self._style = Style(DARK)
        self._note: tuple[Note, float] | None = None

    def add_note(self, note: Note, now_s: float) -> None:
        """Show the outcome of a request for a while."""
        self._note = (note, now_s)
        self._show(note)

    def show_scene(self, scene: Scene, now_s: float) -> None:
        """Show state, figures and the faces in view."""
        texts = (*scene.status.figures, f"lag {1e3 * scene.status.lag_s:.0f} ms")
        for label, text in zip(self.figures.values(), texts, strict=True):
            label.setText(text)
        self._show_state(scene, now_s)
        self._show_faces(scene.faces)

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self._style = style
        self._row.setContentsMargins(style.px(4), 0, style.px(2), 0)
        self._row.setSpacing(style.px(10))
        self.theme.setText("Light" if style.theme is DARK else "Dark")

    def _show_state(self, scene: Scene, now_s: float) -> None:
        if self._note is not None and now_s - self._note[1] < _NOTE_S:
            self._show(self._note[0])
        elif scene.status.hint:
            self._show(Note(scene.status.hint, False))
        elif scene.network is None:
            self._show(Note("connected", True))
        else:
            text = f"model {scene.network.model} · learning {scene.network.learning}"
            self._show(Note(text, True))

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
    """Teach, change the learning mode, save, load and reset.

    Parameters
    ----------
    client : takes the requests.
    focus_id : returns the id of the face in focus, 0 for none.
    """

    def __init__(self, client: DashboardClient, focus_id: Callable[[], int]) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._client, self._focus_id = client, focus_id
        self._labels: tuple[str, ...] = ()
        self._style = Style(DARK)
        self.ask_name = self._ask_name
        self.learning = Choice()
        self.learning.addItems(LEARNING_MODES)
        self.learning.setToolTip("How the network learns")
        self.learning.activated.connect(lambda k: client.set_learning(LEARNING_MODES[k]))
        self.learning.setEnabled(False)
        #: Button or menu action of each label.
        self.labels: dict[str, Any] = {}
        self._teach = QtWidgets.QHBoxLayout()
        self.new = _button("New…", "Teach an expression that the network does not know yet")
        self.new.clicked.connect(self._teach_new)
        self.save = _button("Save weights…", "Save the weights under a name")
        self.load = _button("Load weights…", "Load saved weights, or default")
        self.save.clicked.connect(lambda: self._with_name("Save weights as", client.save_weights))
        self.load.clicked.connect(lambda: self._with_name("Load weights", client.load_weights))
        reset, actions = _menu_button(
            "Reset",
            "Reset the network",
            {
                "Potentials and results": lambda: client.reset(False),
                "Weights too, as at the start": lambda: client.reset(True),
            },
        )
        self.reset_state, self.reset_weights = actions.values()
        self._row = QtWidgets.QHBoxLayout(self)
        _add(self._row, named_label("Learning", "caption"), self.learning)
        self._row.addWidget(named_label("Teach", "caption"))
        self._row.addLayout(self._teach)
        self._row.addWidget(self.new)
        self._row.addStretch(1)
        _add(self._row, self.save, self.load, reset)
        self._show_labels()

    def show_scene(self, scene: Scene) -> None:
        """Show the labels that can be taught and the learning mode."""
        known = scene.network is not None and scene.network.learning in LEARNING_MODES
        self.learning.setEnabled(known)
        if known and scene.network is not None and not self.learning.view().isVisible():
            self.learning.setCurrentText(scene.network.learning)
        if scene.labels != self._labels:
            self._labels = scene.labels
            self._show_labels()

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self._style = style
        self._row.setContentsMargins(style.px(4), 0, style.px(2), 0)
        for row in (self._row, self._teach):
            row.setSpacing(style.px(8))
        self._show_labels()

    def _show_labels(self) -> None:
        while self._teach.count():
            self._teach.takeAt(0).widget().deleteLater()
        teach = {label: self._teacher(label) for label in self._labels}
        self.labels = {}
        if not teach:
            self._teach.addWidget(named_label("no labels yet", "caption"))
        elif len(teach) > MOST_BUTTONS:
            button, self.labels = _menu_button(
                "an expression", "Teach what the face shows, for 2 s", teach
            )
            self._teach.addWidget(button)
        else:
            for index, (label, request) in enumerate(teach.items()):
                button = _button(label, f"Teach that the face shown is “{label}”, for 2 s")
                button.clicked.connect(lambda _=False, request=request: request())
                button.setStyleSheet(self._label_sheet(index))
                self._teach.addWidget(button)
                self.labels[label] = button

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

    def _teacher(self, label: str) -> Callable[[], None]:
        return lambda: self._client.teach(label, self._focus_id())

    def _teach_new(self) -> None:
        face_id = self._focus_id()
        self._with_name("New expression", lambda name: self._client.teach(name, face_id, True))

    def _with_name(self, title: str, request: Callable[[str], None]) -> None:
        name = self.ask_name(title)
        if name:
            request(name)

    def _ask_name(self, title: str) -> str:
        name, given = QtWidgets.QInputDialog.getText(self, "fer", f"{title}:", text="my_robot")
        return str(name).strip() if given else ""


def _add(row: Any, *widgets: Any) -> None:
    for widget in widgets:
        row.addWidget(widget)


def _button(text: str, tip: str) -> Any:
    button = QtWidgets.QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button


def _menu_button(
    text: str, tip: str, requests: Mapping[str, Callable[[], None]]
) -> tuple[Any, dict[str, Any]]:
    """Return a button that opens a menu, and the actions of the menu."""
    button = _button(text, tip)
    menu = QtWidgets.QMenu(button)
    actions = {name: menu.addAction(name) for name in requests}
    for name, request in requests.items():
        actions[name].triggered.connect(lambda _=False, request=request: request())
    button.setMenu(menu)
    button.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
    return button, actions
