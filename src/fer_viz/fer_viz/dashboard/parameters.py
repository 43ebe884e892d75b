"""A slider for every live parameter of the running nodes, as their descriptors describe it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqtgraph.Qt import QtCore, QtWidgets

from fer_viz.core.drawing.style import DARK, Style
from fer_viz.dashboard.controls import Choice, add, button, named_label
from fer_viz.ros.dashboard_client import LiveParameter, shown

if TYPE_CHECKING:
    from fer_viz.ros.dashboard_client import DashboardClient

_WIDTH = 290
_STEPS = 1000
#: A slider is dragged through many values: only one in this time is sent, milliseconds.
_SEND_MS = 120
#: Ranges that reach further than this have no slider.
_FURTHEST = 1e9
#: From this ratio of its ends on, a range above 0 is divided evenly in powers of 10.
_LOGARITHMIC = 100.0


class Scale:
    """Positions 0..`_STEPS` of a slider and the values that they stand for."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._log = low > 0 and high / low >= _LOGARITHMIC
        # Ranges from 0 to far above the usual values need room near 0.
        self._power = 3.0 if low == 0 and high >= _LOGARITHMIC else 1.0

    def value(self, position: int) -> float:
        """Return the value at a position."""
        share = (position / _STEPS) ** self._power
        if self._log:
            return float(self._low * (self._high / self._low) ** share)
        return self._low + share * (self._high - self._low)

    def position(self, value: float) -> int:
        """Return the position of a value."""
        value = min(max(value, self._low), self._high)
        if self._log:
            share = math.log(value / self._low) / math.log(self._high / self._low)
        else:
            share = (value - self._low) / (self._high - self._low)
        return round(_STEPS * share ** (1 / self._power))


class ParameterRow(QtWidgets.QWidget):
    """Name, value with unit, slider or choice, and reset of one parameter.

    Parameters
    ----------
    parameter : as its node describes it.
    first : value that reset restores.
    on_change : called with the wanted value.
    """

    def __init__(
        self, parameter: LiveParameter, first: Any, on_change: Callable[[Any], None]
    ) -> None:
        super().__init__()
        self.parameter, self._first = parameter, first
        self.value = parameter.value
        self.setToolTip(self._explanation())
        self.reset = button("↺", f"Back to {shown(first)}")
        self.reset.clicked.connect(lambda: self._change(first))
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SEND_MS)
        self._timer.timeout.connect(lambda: on_change(self.value))
        rows = QtWidgets.QVBoxLayout(self)
        rows.setContentsMargins(0, 2, 0, 4)
        rows.setSpacing(1)
        head = QtWidgets.QHBoxLayout()
        # The title above has the group.
        head.addWidget(QtWidgets.QLabel(parameter.name.rpartition(".")[2]), 1)
        self.editor = self._make_editor()
        self.slider: Any = None
        add(head, self.editor)
        add(head, named_label(parameter.unit, "unit"), self.reset)
        rows.addLayout(head)
        number = isinstance(parameter.value, (int, float)) and not isinstance(parameter.value, bool)
        if number and 0 < parameter.high - parameter.low <= _FURTHEST:
            self._scale = Scale(parameter.low, parameter.high)
            self.slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
            self.slider.setRange(0, _STEPS)
            self.slider.valueChanged.connect(self._slide)
            rows.addWidget(self.slider)
        self._show()

    def _explanation(self) -> str:
        each = self.parameter
        limits = f" Range {each.low:g} to {each.high:g} {each.unit}" if each.high > each.low else ""
        return f"<p><b>{each.name}</b> {each.description}{limits}</p>"

    def _make_editor(self) -> Any:
        value = self.parameter.value
        if isinstance(value, bool):
            editor = QtWidgets.QCheckBox()
            editor.toggled.connect(self._change)
        elif self.parameter.choices and isinstance(value, str):
            editor = Choice()
            editor.addItems(self.parameter.choices)
            editor.textActivated.connect(self._change)
        else:
            editor = QtWidgets.QLineEdit()
            editor.setAlignment(QtCore.Qt.AlignmentFlag.AlignRight)
            editor.editingFinished.connect(self._edited)
        return editor

    def _slide(self, position: int) -> None:
        value = self._scale.value(position)
        whole = isinstance(self.parameter.value, int)
        self._change(round(value) if whole else float(f"{value:.3g}"), False)

    def _edited(self) -> None:
        text, kind = self.editor.text().strip(), type(self.parameter.value)
        if text == shown(self.value):
            return
        try:
            if kind in (int, float):
                self._change(kind(text))
            elif kind is str:
                self._change(text)
            else:
                element = type(self.parameter.value[0]) if self.parameter.value else str
                self._change(tuple(element(part.strip()) for part in text.split(",")))
        except ValueError:
            self._show()

    def _change(self, value: Any, show_slider: bool = True) -> None:
        if value != self.value:
            self.value = value
            self._timer.start()
        self._show(show_slider)

    def _show(self, show_slider: bool = True) -> None:
        for part in (self.editor, self.slider):
            if part is not None:
                part.blockSignals(True)
        if isinstance(self.editor, QtWidgets.QCheckBox):
            self.editor.setChecked(self.value)
        elif isinstance(self.editor, QtWidgets.QComboBox):
            self.editor.setCurrentText(self.value)
        else:
            self.editor.setText(shown(self.value))
        if self.slider is not None and show_slider:
            self.slider.setValue(self._scale.position(self.value))
        for part in (self.editor, self.slider):
            if part is not None:
                part.blockSignals(False)
        self.reset.setEnabled(self.value != self._first)


class ParameterDrawer(QtWidgets.QScrollArea):
    """The parameters of all nodes, in groups; read anew whenever it is opened.

    Parameters
    ----------
    client : reads and sets them.
    """

    def __init__(self, client: DashboardClient) -> None:
        super().__init__()
        self.setObjectName("drawer")
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._client = client
        self._inbox: deque[list[LiveParameter]] = deque()
        self.rows: dict[tuple[str, str], ParameterRow] = {}
        #: The first value of each parameter, which reset restores.
        self._first: dict[tuple[str, str], Any] = {}
        self._style = Style(DARK)
        self.find = QtWidgets.QLineEdit()
        self.find.setPlaceholderText("find a parameter")
        self.find.textChanged.connect(self._filter)
        self._clear()

    def open(self) -> None:
        """Read the parameters and show them when they arrive."""
        self._clear()
        self._client.list_parameters(self._inbox.append)

    def poll(self) -> None:
        """Show what has arrived."""
        while self._inbox:
            self._add(self._inbox.popleft())

    def restyle(self, style: Style) -> None:
        """Apply sizes."""
        self.setFixedWidth(style.px(_WIDTH))

    def _clear(self) -> None:
        self.find.setParent(None)
        body = QtWidgets.QWidget()
        body.setObjectName("drawer")
        self._rows = QtWidgets.QVBoxLayout(body)
        self._rows.addWidget(self.find)
        self._rows.addStretch(1)
        self.rows = {}
        self._titles: list[tuple[Any, list[ParameterRow]]] = []
        self.setWidget(body)

    def _add(self, parameters: list[LiveParameter]) -> None:
        group = ""
        for each in parameters:
            key = each.node, each.name
            prefix = each.name.rpartition(".")[0]
            title = " ".join(filter(None, (each.node, prefix)))
            if title != group:
                group = title
                self._titles.append((named_label(title, "title"), []))
                self._insert(self._titles[-1][0])
            first = self._first.setdefault(key, each.value)
            row = ParameterRow(each, first, partial(self._client.set_parameter, *key))
            self._titles[-1][1].append(row)
            self.rows[key] = row
            self._insert(row)
        self._filter(self.find.text())

    def _insert(self, widget: Any) -> None:
        self._rows.insertWidget(self._rows.count() - 1, widget)

    def _filter(self, text: str) -> None:
        for title, rows in self._titles:
            for row in rows:
                about = f"{row.parameter.node} {row.parameter.name} {row.parameter.description}"
                row.setVisible(text.lower() in about.lower())
            title.setVisible(any(not row.isHidden() for row in rows))
