"""The bar at the top with the state of the graph, and the bar at the bottom with requests to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_viz.core.drawing.style import DARK, Style
from fer_viz.core.drawing.text import drawable
from fer_viz.core.scene import Note, Scene
from fer_viz.dashboard.style import code, label_sheet

if TYPE_CHECKING:
    from fer_viz.ros.dashboard_client import DashboardClient, Weights

#: Spans of time to choose from, seconds.
SPANS_S = (0.25, 0.5, 1.0, 2.0, 5.0)
LEARNING_MODES = ("off", "unsupervised", "supervised")
#: More labels than this are taught from a menu.
MOST_BUTTONS = 12
_NOTE_S = 8.0
#: Room that figures leave for the state.
_LEAST_STATE_PX = 120
_FIGURES = {
    "rate": "Answers per second (fps)",
    "latency": "Milliseconds from the stamp of the image to its answer, median of 5 s",
    "skipped": "Number of frames that nodes skipped in favour of newer ones, since the start",
    "lag": "Milliseconds between stamps that were not simulated, in the last 5 s",
}


class TopBar(QtWidgets.QWidget):
    """State and figures of the graph, and what is shown of it."""

    def __init__(self) -> None:
        super().__init__()
        self.dot, self.state = QtWidgets.QLabel("●"), Sentence()
        self.figures = {name: named_label("", "figure") for name in _FIGURES}
        for name, tip in _FIGURES.items():
            self.figures[name].setToolTip(tip)
        self.span = Choice()
        self.span.setToolTip("How far back potentials and spikes are shown, seconds")
        for span_s in SPANS_S:
            self.span.addItem(f"last {span_s:g} s", span_s)
        self.pause = button("Pause", "Freeze the display; wheel and mouse zoom in time (space)")
        self.pause.setCheckable(True)
        self.record = button("Record", "Record the graph into a bag in your home folder")
        self.record.setCheckable(True)
        self.more = menu_button("More", "Parameters, replay, snapshot, colours, keys")
        self.menu = self.more.menu()
        self._row = QtWidgets.QHBoxLayout(self)
        add(self._row, self.dot)
        self._row.addWidget(self.state, 1)
        add(self._row, *self.figures.values(), self.span, self.pause, self.record, self.more)
        self._style = Style(DARK)
        self._note: tuple[Note, float] | None = None

    def add_note(self, note: Note, now_s: float) -> None:
        """Show the outcome of a request for a while."""
        self._note = (note, now_s)
        self._show(note)

    def show_scene(self, scene: Scene, now_s: float) -> None:
        """Show state and figures."""
        texts = (*scene.status.figures, f"lag {1e3 * scene.status.lag_s:.0f} ms")
        for label, text in zip(self.figures.values(), texts, strict=True):
            label.setText(text)
        if self._note is not None and now_s - self._note[1] < _NOTE_S:
            self._show(self._note[0])
        elif scene.status.problem:
            self._show(Note(scene.status.problem, False))
        elif scene.network is None:
            self._show(Note("connected", True))
        else:
            network = scene.network
            self._show(Note(f"model {network.model} · learning {network.learning}", True))

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self._style = style
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(style.px(8))

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size: where there is little room, figures give way first."""
        super().resizeEvent(event)
        controls = (self.dot, self.span, self.pause, self.record, self.more)
        room = self.width() - width_in(self._row, *controls) - _LEAST_STATE_PX
        for figure in self.figures.values():
            room -= width_in(self._row, figure)
            figure.setVisible(room >= 0)

    def _show(self, note: Note) -> None:
        theme, (text, good) = self._style.theme, note
        self.state.setText(text)
        self.state.setToolTip(text)
        self.dot.setToolTip("all is well" if good else text)
        colour = f"color: {code(theme.good if good else theme.warning)};"
        if colour != self.dot.styleSheet():
            self.dot.setStyleSheet(colour)


class BottomBar(QtWidgets.QWidget):
    """Teach, undo, change the learning mode, save, load and reset.

    Parameters
    ----------
    client : takes the requests.
    focus_id : returns the id of the face in focus, 0 for none.
    """

    def __init__(self, client: DashboardClient, focus_id: Callable[[], int]) -> None:
        super().__init__()
        self._client, self._focus_id = client, focus_id
        self._labels: tuple[str, ...] = ()
        self._style = Style(DARK)
        self._lesson = ("", 0.0)
        self.ask_name = self._ask_name
        self.learning = Choice()
        self.learning.addItems(LEARNING_MODES)
        self.learning.setToolTip("How the network learns; a lesson changes it and back")
        self.learning.activated.connect(
            lambda k: client.set_parameter("snn", "learning", LEARNING_MODES[k])
        )
        self.learning.setEnabled(False)
        #: Button and menu action of each label.
        self.labels: dict[str, Any] = {}
        self.teach_menu = menu_button("Teach an expression", "Teach what the face shows, for 2 s")
        self.buttons = QtWidgets.QWidget()
        self._teach = QtWidgets.QHBoxLayout(self.buttons)
        self._teach.setContentsMargins(0, 0, 0, 0)
        # The window may become narrower than the buttons: a menu takes their place.
        self.buttons.setMinimumWidth(1)
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.new = button("New…", "Teach an expression that the network does not know yet")
        self.new.clicked.connect(self._teach_new)
        self.undo = button("Undo", "Undo the last lesson, load or reset (Ctrl+Z)")
        # PyQt5 also hands over whether the button is down.
        self.undo.clicked.connect(lambda _=False: client.undo())
        self.weights = menu_button("Weights", "Save, load and reset the weights of the network")
        self.save, self.load, self.reset_state, self.reset_weights = add_actions(
            self.weights.menu(),
            {
                "Save…": self._save,
                "Load…": self._list_weights,
                "Reset potentials and results": lambda: client.reset(False),
                "Reset the weights, as at the start": lambda: client.reset(True),
            },
        )
        self.parameters = button("Parameters", "Sliders for everything that can change (P)")
        self.parameters.setCheckable(True)
        self._inbox: list[Weights] | None = None
        self._row = QtWidgets.QHBoxLayout(self)
        self._caption = named_label("Teach", "note")
        add(self._row, self._caption, self.buttons, self.teach_menu, self.new, self.undo)
        add(self._row, self.progress)
        self._row.addStretch(1)
        self._learning_caption = named_label("Learning", "note")
        add(self._row, self._learning_caption, self.learning)
        add(self._row, self.weights, self.parameters)
        self._show_labels()

    def show_scene(self, scene: Scene) -> None:
        """Show the labels that can be taught, the learning mode and the lesson."""
        known = scene.network is not None and scene.network.learning in LEARNING_MODES
        self.learning.setEnabled(known)
        if known and scene.network is not None and not self.learning.view().isVisible():
            self.learning.setCurrentText(scene.network.learning)
        if scene.labels != self._labels:
            self._labels = scene.labels
            self._show_labels()
        label, now_s = self._client.lesson, time.monotonic()
        if label != self._lesson[0]:
            self._lesson = (label, now_s)
            self.progress.setVisible(bool(label))
            self.progress.setToolTip(f"teaching {label}")
            self._fit()
        self.progress.setValue(min(round(45 * (now_s - self._lesson[1])), 100))
        if self._inbox is not None:
            files, self._inbox = self._inbox, None
            self._show_weights(files)

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self._style = style
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(style.px(5))
        self._teach.setSpacing(style.px(4))
        self.progress.setFixedSize(style.px(60), style.px(6))
        self._show_labels()

    def teach(self, index: int) -> None:
        """Teach the label with an index."""
        if index < len(self._labels):
            self._client.teach(self._labels[index], self._focus_id())

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size."""
        super().resizeEvent(event)
        self._fit()

    def _show_labels(self) -> None:
        while self._teach.count():
            old = self._teach.takeAt(0).widget()
            old.setParent(None)
            old.deleteLater()
        menu = self.teach_menu.menu()
        menu.clear()
        self.labels = {}
        for index, label in enumerate(self._labels):
            action = menu.addAction(label)
            action.triggered.connect(lambda _=False, index=index: self.teach(index))
            self.labels[label] = button(label, f"Teach that the face shows “{label}”, for 2 s")
            self.labels[label].clicked.connect(lambda _=False, index=index: self.teach(index))
            self.labels[label].setStyleSheet(label_sheet(self._style, index))
            self._teach.addWidget(self.labels[label])
        self._fit()

    def _fit(self) -> None:
        """Use a menu where buttons for all labels have no room, then drop the captions."""
        captions = (self._caption, self._learning_caption)
        row = [self._row.itemAt(k).widget() for k in range(self._row.count())]
        always = {*row} - {None, self.buttons, self.teach_menu, self.progress, *captions}
        width = partial(width_in, self._row)
        room = self.width() - width(*always) - self.progress.width()
        fits = 0 < len(self._labels) <= MOST_BUTTONS and width(self.buttons) <= room
        self.buttons.setVisible(fits)
        self.teach_menu.setVisible(not fits)
        self.teach_menu.setEnabled(bool(self._labels))
        room -= width(self.buttons if fits else self.teach_menu)
        # During a lesson, its progress has the place of a caption.
        room += self.progress.width() if self.progress.isHidden() else 0
        for caption, wanted in zip(captions, (fits, True), strict=True):
            caption.setVisible(wanted and width(caption) <= room)
            room -= width(caption) if wanted else 0

    # Requests

    def _teach_new(self) -> None:
        face_id = self._focus_id()
        name = self.ask_name("Name of the new expression", "")
        if name:
            self._client.teach(name, face_id, True)

    def _save(self) -> None:
        name = self.ask_name("Save the weights as", time.strftime("weights-%Y%m%d-%H%M"))
        if name:
            self._client.save_weights(name)

    def _list_weights(self) -> None:
        def tell(files: list[Weights]) -> None:
            self._inbox = files

        self._client.list_weights(tell)

    def _show_weights(self, files: list[Weights]) -> None:
        self.weights_menu = QtWidgets.QMenu(self)
        for file in files:
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(file.modified_s))
            text = f"{file.name}   {day}" if file.modified_s else f"{file.name}   (shipped)"
            action = self.weights_menu.addAction(text)
            action.triggered.connect(
                lambda _=False, name=file.name: self._client.load_weights(name)
            )
        corner = self.weights.mapToGlobal(QtCore.QPoint(0, 0))
        self.weights_menu.popup(corner - QtCore.QPoint(0, self.weights_menu.sizeHint().height()))

    def _ask_name(self, title: str, text: str) -> str:
        wrong = ""
        while True:
            name, given = QtWidgets.QInputDialog.getText(self, "fer", f"{wrong}{title}:", text=text)
            text = str(name).strip()
            if not given or drawable(text):
                return text if given else ""
            wrong = "This name has letters that cannot be drawn: use Latin, Greek or Cyrillic.\n"


class Sentence(QtWidgets.QLabel):
    """A line that ends with an ellipsis where it does not fit, and never widens the window."""

    def __init__(self) -> None:
        super().__init__()
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Ignored, policy.Preferred)

    def paintEvent(self, event: Any) -> None:
        """Qt requests the picture."""
        end = QtCore.Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), end, self.width())
        painter = QtGui.QPainter(self)
        painter.setPen(self.palette().color(QtGui.QPalette.ColorRole.WindowText))
        painter.drawText(self.rect(), QtCore.Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class Choice(QtWidgets.QComboBox):
    """A combo box with an arrow in the colour of its text, which style sheets cannot draw."""

    def paintEvent(self, event: Any) -> None:
        """Qt requests the picture."""
        super().paintEvent(event)
        size = self.fontMetrics().height() / 4
        x, y = self.width() - 3.2 * size, self.height() / 2
        corners = ((x - size, y - size / 2), (x + size, y - size / 2), (x, y + size / 2))
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QtGui.QPalette.ColorRole.ButtonText))
        painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(*corner) for corner in corners]))
        painter.end()


def named_label(text: str, name: str) -> Any:
    """Return a label that the style sheet knows by a name."""
    label = QtWidgets.QLabel(text)
    label.setObjectName(name)
    return label


def add(row: Any, *widgets: Any) -> None:
    """Add widgets to a layout."""
    for widget in widgets:
        row.addWidget(widget)


def button(text: str, tip: str) -> Any:
    """Return a button."""
    made = QtWidgets.QToolButton()
    made.setText(text)
    made.setToolTip(tip)
    return made


def menu_button(text: str, tip: str) -> Any:
    """Return a button that opens a menu, which is still empty."""
    made = button(text, tip)
    made.setMenu(QtWidgets.QMenu(made))
    made.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
    return made


def add_actions(menu: Any, requests: Mapping[str, Callable[[], None]]) -> list[Any]:
    """Add actions to a menu, by their texts; return them."""
    actions = [menu.addAction(text) for text in requests]
    for action, request in zip(actions, requests.values(), strict=True):
        action.triggered.connect(lambda _=False, request=request: request())
    return actions


def width_in(row: Any, *widgets: Any) -> int:
    """Return the room that widgets need in a layout, pixels."""
    return sum(each.sizeHint().width() + row.spacing() for each in widgets)
