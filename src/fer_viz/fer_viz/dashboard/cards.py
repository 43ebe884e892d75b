"""Building blocks of the dashboard: cards with a title, pictures, and plots over time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_viz.core.drawing.canvas import Picture
from fer_viz.core.drawing.style import DARK, Style
from fer_viz.core.drawing.text import MINUS
from fer_viz.dashboard.style import font, qcolour

#: Room for marks beside a plot, units of the design.
_WIDE, _NARROW = 62, 34


class Card(QtWidgets.QFrame):
    """A plate with a title, a note to its right, and content below.

    Parameters
    ----------
    content : widgets side by side, each with a method `restyle`.
    """

    def __init__(self, title: str, *content: Any) -> None:
        super().__init__()
        self.setObjectName("card")
        self.style_now = Style(DARK)
        self._content = content
        self._note = named_label("", "note")
        self._head, self._row = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        self._head.addWidget(named_label(title, "title"))
        self._head.addStretch(1)
        self._head.addWidget(self._note)
        self._body = QtWidgets.QVBoxLayout(self)
        self._body.addLayout(self._head)
        self._body.addLayout(self._row, 1)
        for widget in content:
            self._row.addWidget(widget, 1)
        self.setMinimumSize(60, 40)

    @property
    def note(self) -> str:
        """The text to the right of the title."""
        return str(self._note.text())

    @note.setter
    def note(self, text: str) -> None:
        if text != self._note.text():
            self._note.setText(text)

    def add_to_head(self, widget: Any) -> None:
        """Put a widget to the right of the note."""
        self._head.addWidget(widget)

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self.style_now = style
        pad = style.px(8)
        self._body.setContentsMargins(pad, style.px(6), pad, pad)
        self._body.setSpacing(style.px(4))
        for row in (self._head, self._row):
            row.setSpacing(pad)
        for widget in self._content:
            widget.restyle(style)


def named_label(text: str, name: str) -> Any:
    """Return a label that the style sheet knows by a name."""
    label = QtWidgets.QLabel(text)
    label.setObjectName(name)
    return label


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


class PictureWidget(QtWidgets.QWidget):
    """Shows pixels one to one, or a text where there is no picture."""

    def __init__(self) -> None:
        super().__init__()
        policy = QtWidgets.QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        self.setMinimumSize(24, 24)
        #: What is shown, (height, width, 3) BGR; None while the text is.
        self.picture: Picture | None = None
        self.text = ""
        self.style_now = Style(DARK)
        #: Called when the size has changed.
        self.resized: Callable[[], None] = lambda: None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    @property
    def canvas(self) -> tuple[Picture, Style]:
        """A picture as large as the widget, in the colour of its plate, and the style to draw."""
        width, height = self.size_px
        picture = np.empty((height, width, 3), np.uint8)
        picture[...] = self.style_now.theme.plate
        unit = 1.2 * self.style_now.unit * self.devicePixelRatioF()
        return picture, Style(self.style_now.theme, unit)

    def show_picture(self, picture: Picture) -> None:
        """Show pixels, (height, width, 3) BGR, in the middle."""
        self.picture, self.text = np.ascontiguousarray(picture), ""
        self.update()

    def show_text(self, text: str) -> None:
        """Show a text instead of a picture."""
        if self.picture is not None or text != self.text:
            self.picture, self.text = None, text
            self.update()

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        self.style_now = style
        self.update()

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size."""
        super().resizeEvent(event)
        self.resized()

    def paintEvent(self, event: Any) -> None:
        """Qt requests the picture."""
        painter = QtGui.QPainter(self)
        if self.picture is None:
            self._paint_text(painter)
        else:
            height, width = self.picture.shape[:2]
            kind = QtGui.QImage.Format.Format_BGR888
            image = QtGui.QImage(self.picture.data, width, height, 3 * width, kind)
            ratio = self.devicePixelRatioF()
            image.setDevicePixelRatio(ratio)
            left, top = ((a - b) // 2 for a, b in zip(self.size_px, (width, height), strict=True))
            painter.drawImage(QtCore.QPointF(left / ratio, top / ratio), image)
        painter.end()

    def _paint_text(self, painter: Any) -> None:
        painter.setFont(font(self.style_now))
        painter.setPen(qcolour(self.style_now.theme.faint))
        flags = QtCore.Qt.AlignmentFlag.AlignCenter | QtCore.Qt.TextFlag.TextWordWrap
        pad = self.style_now.px(10)
        room = self.rect().adjusted(pad, pad, -pad, -pad)
        # PyQt5 has numbers for flags, PySide6 enumerations.
        painter.drawText(room, int(getattr(flags, "value", flags)), self.text)


class TimePlot(pg.PlotWidget):
    """A plot of the last seconds, with a text in its middle while it is empty.

    Parameters
    ----------
    wide : leave room for words at both sides, so that such plots are aligned with each other.
    """

    def __init__(self, wide: bool = False) -> None:
        super().__init__()
        self._wide = wide
        self._span_s = 0.0
        self._marks: dict[str, list[tuple[float, str]]] = {}
        self._y_range: tuple[float, float, bool] | None = None
        plot = self.plot
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=False, y=False)
        plot.getViewBox().setDefaultPadding(0)
        plot.getViewBox().disableAutoRange()
        if wide:
            plot.showAxis("right")
            self.set_marks("right", [])
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
        """The text that replaces data, empty while there are data."""
        return "" if self._empty.isHidden() else str(self._empty.text())

    def set_empty(self, text: str) -> None:
        """Say why there are no data; an empty text if there are."""
        if text != self.empty_text:
            self._empty.setText(text)
            self._empty.setVisible(bool(text))

    def set_span(self, span_s: float) -> None:
        """Show the last `span_s` seconds."""
        if span_s != self._span_s:
            self._span_s = span_s
            self.plot.setXRange(-span_s, 0, padding=0)
            times_s = (-share * span_s for share in (1, 0.75, 0.5, 0.25))
            marks = [(time_s, f"{time_s:.3g}".replace("-", MINUS)) for time_s in times_s]
            self.plot.getAxis("bottom").setTicks([[*marks, (0, "0 s")]])

    def set_y(self, low: float, high: float, downwards: bool = False) -> None:
        """Show this range of y."""
        wanted = (low, high, downwards)
        if wanted != self._y_range:
            self._y_range = wanted
            self.plot.getViewBox().invertY(downwards)
            self.plot.setYRange(low, high, padding=0)

    def set_rows(self, rows: int) -> None:
        """Show this number of rows, the first at the top."""
        self.set_y(0, max(rows, 1), downwards=True)

    def set_marks(self, side: str, marks: list[tuple[float, str]]) -> None:
        """Write these texts at "left" or "right"; unchanged ones cost nothing."""
        if marks != self._marks.get(side):
            self._marks[side] = marks
            self.plot.getAxis(side).setTicks([marks])

    def set_items(self, items: list[Any], count: int, make: Callable[[], Any]) -> None:
        """Add or remove items until there are `count`."""
        while len(items) > count:
            self.plot.removeItem(items.pop())
        while len(items) < count:
            items.append(make())
            self.plot.addItem(items[-1])

    def freeze(self, frozen: bool) -> None:
        """Let the mouse pan and zoom while frozen; show the last seconds again afterwards."""
        self.plot.setMouseEnabled(x=frozen, y=frozen)
        if not frozen:
            span_s, self._span_s, self._y_range = self._span_s, 0.0, None
            self.set_span(span_s)

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        theme = style.theme
        self.setBackground(qcolour(theme.plate))
        for side in ("left", "bottom", "right"):
            axis = self.plot.getAxis(side)
            axis.setPen(qcolour(theme.rule))
            axis.setTextPen(qcolour(theme.faint if side != "right" else theme.normal))
            axis.setStyle(
                tickFont=font(style, small=True),
                tickLength=-style.px(3),
                tickTextOffset=style.px(4),
                # How far the marks at the ends may extend beyond the axis, pixels.
                hideOverlappingLabels=style.px(24),
            )
        self.plot.getAxis("left").setWidth(style.px(_WIDE if self._wide else _NARROW))
        self.plot.getAxis("right").setWidth(style.px(_WIDE))
        self.plot.getAxis("bottom").setHeight(style.px(20))
        # Room for half of the last mark.
        margin = 0 if self._wide else style.px(12)
        self.plot.layout.setContentsMargins(0, style.px(7), margin, 0)

    def resizeEvent(self, event: Any) -> None:
        """Qt has changed the size."""
        super().resizeEvent(event)
        # pyqtgraph resizes once in its constructor.
        if hasattr(self, "_empty"):
            self._empty.setGeometry(self.rect())


class PlotCard(Card):
    """A card with a plot over time, which can show a picture behind its lines."""

    def __init__(self, title: str, wide: bool = True) -> None:
        plot = TimePlot(wide)
        super().__init__(title, plot)
        self.plot = plot
        # Pixels: the marks of thousands of spikes are too slow as lines.
        self.map = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.map)

    def prepare(self, data: object | None, span_s: float, why: str) -> bool:
        """Show the last `span_s` seconds, or why there are no data; return whether there are."""
        self.plot.set_empty("" if data is not None else why)
        self.plot.set_span(span_s)
        if data is None:
            self.note = ""
            self.map.hide()
        return data is not None

    def show_map(self, picture: Picture, span_s: float, rows: int) -> None:
        """Show a picture, (height, width, 3) BGR, over the last seconds and this many rows."""
        self.map.show()
        pixels = np.ascontiguousarray(picture[..., ::-1])
        self.map.setImage(pixels, autoLevels=False, levels=None)
        self.map.setRect(QtCore.QRectF(-span_s, 0, span_s, max(rows, 1)))
        self.plot.set_rows(rows)
