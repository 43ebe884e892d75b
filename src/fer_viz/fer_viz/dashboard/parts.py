"""What the panels are made of: cards with a title, pictures, and plots with time to the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_viz.core.canvas import Picture
from fer_viz.core.text import MINUS
from fer_viz.dashboard.style import Style, qcolour

#: Room for marks beside a plot, units of the design.
_WIDE, _NARROW = 62, 34


class Card(QtWidgets.QFrame):
    """A plate with a title, a note to its right, and whatever is put below."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.style_now = Style()
        self._title = QtWidgets.QLabel(title)
        self._title.setObjectName("title")
        self._note = QtWidgets.QLabel()
        self._note.setObjectName("note")
        self._head = QtWidgets.QHBoxLayout()
        self._head.addWidget(self._title)
        self._head.addStretch(1)
        self._head.addWidget(self._note)
        self.body = QtWidgets.QVBoxLayout(self)
        self.body.addLayout(self._head)
        self.setMinimumSize(60, 40)

    @property
    def note(self) -> str:
        """What stands to the right of the title."""
        return str(self._note.text())

    @note.setter
    def note(self, text: str) -> None:
        if text != self._note.text():
            self._note.setText(text)

    def add_to_head(self, widget: Any) -> None:
        """Put a widget to the right of the note."""
        self._head.addWidget(widget)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        self.style_now = style
        pad = style.px(8)
        self.body.setContentsMargins(pad, style.px(6), pad, pad)
        self.body.setSpacing(style.px(4))
        self._head.setSpacing(style.px(8))


class Choice(QtWidgets.QComboBox):
    """A list to choose from, with an arrow in the colour of its text: style sheets have none."""

    def paintEvent(self, event: Any) -> None:
        """Qt asks for the picture."""
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


class PictureWidget(QtWidgets.QWidget):
    """Shows pixels one to one; a text instead where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding
        )
        self.setMinimumSize(24, 24)
        #: What is shown, (height, width, 3) BGR; None while the text is.
        self.picture: Picture | None = None
        self.text = ""
        self.style_now = Style()
        #: Called with no arguments when there is another size to draw for.
        self.resized: Callable[[], None] = lambda: None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def show_picture(self, picture: Picture) -> None:
        """Show pixels, (height, width, 3) BGR, in the middle."""
        self.picture, self.text = np.ascontiguousarray(picture), ""
        self.update()

    def show_text(self, text: str) -> None:
        """Show a text in place of a picture."""
        if self.picture is not None or text != self.text:
            self.picture, self.text = None, text
            self.update()

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        self.style_now = style
        self.update()

    def resizeEvent(self, event: Any) -> None:
        """Qt gives another size."""
        super().resizeEvent(event)
        self.resized()

    def paintEvent(self, event: Any) -> None:
        """Qt asks for the picture."""
        painter = QtGui.QPainter(self)
        if self.picture is None:
            paint_text(painter, self.rect(), self.text, self.style_now)
        else:
            height, width = self.picture.shape[:2]
            kind = QtGui.QImage.Format.Format_BGR888
            image = QtGui.QImage(self.picture.data, width, height, 3 * width, kind)
            image.setDevicePixelRatio(self.devicePixelRatioF())
            left, top = ((a - b) // 2 for a, b in zip(self.size_px, (width, height), strict=True))
            ratio = self.devicePixelRatioF()
            painter.drawImage(QtCore.QPointF(left / ratio, top / ratio), image)
        painter.end()


def paint_text(painter: Any, rectangle: Any, text: str, style: Style) -> None:
    """Write a text for an empty panel into its middle."""
    painter.setFont(style.font())
    painter.setPen(qcolour(style.theme.faint))
    flags = QtCore.Qt.AlignmentFlag.AlignCenter | QtCore.Qt.TextFlag.TextWordWrap
    pad = style.px(10)
    painter.drawText(rectangle.adjusted(pad, pad, -pad, -pad), int(flags_value(flags)), text)


def flags_value(flags: Any) -> int:
    """Return Qt's flags as a number: PyQt5 has numbers, PySide6 has enumerations."""
    return int(getattr(flags, "value", flags))


class TimePlot(pg.PlotWidget):
    """A plot whose x axis are the last seconds; a text in its middle while it is empty.

    Parameters
    ----------
    wide : leave room for words at both sides; plots that do so lie exactly below one another.
    """

    def __init__(self, wide: bool = False) -> None:
        super().__init__()
        self._wide = wide
        self._span_s = 0.0
        self._marks: dict[str, list[tuple[float, str]]] = {}
        self._y_range: tuple[float, float, bool] | None = None
        self.style_now = Style()
        plot = self.plot
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.getViewBox().setDefaultPadding(0)
        plot.getViewBox().disableAutoRange()
        if wide:
            plot.showAxis("right")
        self._empty = QtWidgets.QLabel(self)
        self._empty.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setObjectName("empty")
        self._empty.hide()
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self.setMinimumSize(40, 30)

    @property
    def plot(self) -> Any:
        """The PlotItem."""
        return self.getPlotItem()

    @property
    def area_px(self) -> tuple[int, int]:
        """Width and height of the plot without its axes, pixels of the screen."""
        area = self.plot.getViewBox().boundingRect()
        ratio = self.devicePixelRatioF()
        return max(round(area.width() * ratio), 1), max(round(area.height() * ratio), 1)

    @property
    def empty_text(self) -> str:
        """The text that stands in place of data, empty while there are some."""
        return "" if self._empty.isHidden() else str(self._empty.text())

    def set_empty(self, text: str) -> None:
        """Say why there is nothing to see; an empty text where there is."""
        if text != self.empty_text:
            self._empty.setText(text)
            self._empty.setVisible(bool(text))

    def set_span(self, span_s: float) -> None:
        """Show the last so many seconds."""
        if span_s != self._span_s:
            self._span_s = span_s
            self.plot.setXRange(-span_s, 0, padding=0)
            marks = [(-share * span_s, seconds(-share * span_s)) for share in (1, 0.75, 0.5, 0.25)]
            self.plot.getAxis("bottom").setTicks([[*marks, (0, "0 s")]])

    def set_y(self, low: float, high: float) -> None:
        """Show this range, if it is another one."""
        self._set_y(low, high, False)

    def set_rows(self, rows: int) -> None:
        """Show so many rows, the first at the top."""
        self._set_y(0, max(rows, 1), True)

    def _set_y(self, low: float, high: float, downwards: bool) -> None:
        wanted = (low, high, downwards)
        if wanted != self._y_range:
            self._y_range = wanted
            self.plot.getViewBox().invertY(downwards)
            self.plot.setYRange(low, high, padding=0)

    def set_marks(self, side: str, marks: list[tuple[float, str]]) -> None:
        """Write these texts at "left" or "right"; the same ones again cost nothing."""
        if marks != self._marks.get(side):
            self._marks[side] = marks
            self.plot.getAxis(side).setTicks([marks])

    def freeze(self, frozen: bool) -> None:
        """Let the mouse move and magnify while nothing moves; show the last seconds again after."""
        self.plot.setMouseEnabled(x=frozen, y=frozen)
        if not frozen:
            span_s, self._span_s, self._y_range = self._span_s, 0.0, None
            self.set_span(span_s)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        self.style_now = style
        theme = style.theme
        self.setBackground(qcolour(theme.plate))
        for side in ("left", "bottom", "right"):
            axis = self.plot.getAxis(side)
            axis.setPen(qcolour(theme.rule))
            axis.setTextPen(qcolour(theme.faint if side != "right" else theme.normal))
            axis.setStyle(
                tickFont=style.font("small"),
                tickLength=-style.px(3),
                tickTextOffset=style.px(4),
                # So far the marks at the ends may reach beyond the axis, pixels.
                hideOverlappingLabels=style.px(24),
            )
        self.plot.getAxis("left").setWidth(style.px(_WIDE if self._wide else _NARROW))
        self.plot.getAxis("right").setWidth(style.px(_WIDE))
        self.plot.getAxis("bottom").setHeight(style.px(20))
        # Room for half of the last mark.
        margin = 0 if self._wide else style.px(12)
        self.plot.layout.setContentsMargins(0, style.px(7), margin, 0)

    def resizeEvent(self, event: Any) -> None:
        """Qt gives another size."""
        super().resizeEvent(event)
        # pyqtgraph resizes once while it is built.
        if hasattr(self, "_empty"):
            self._empty.setGeometry(self.rect())


def seconds(value_s: float) -> str:
    """Return a time as a mark of an axis."""
    return f"{value_s:.3g}".replace("-", MINUS)
