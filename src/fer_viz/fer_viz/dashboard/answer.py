"""What the network says of the face that is followed."""

from __future__ import annotations

from typing import Any

from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_viz.core.palette import Colour, mix
from fer_viz.core.scene import Face, Scene
from fer_viz.dashboard.parts import Card, flags_value, paint_text
from fer_viz.dashboard.style import Style, qcolour

_ROW, _LEAST_ROW = 20, 15
_HEADLINE = 52
#: More labels than this stand in two columns.
_ONE_COLUMN = 7


class AnswerCard(Card):
    """Label and confidence, and for every label its score and its spike rate."""

    def __init__(self) -> None:
        super().__init__("Expression")
        self.view = AnswerView()
        self.body.addWidget(self.view, 1)

    def show_scene(self, scene: Scene) -> None:
        """Show what is said of the face that is followed."""
        face = scene.focus
        others = f", {len(scene.faces)} in view" if len(scene.faces) > 1 else ""
        self.note = "" if face is None else f"face {face.id}{others}"
        self.view.show_face(face, "no results" if scene.status.hint else "no face in view")

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.view.style_now = style
        self.view.update()


class AnswerView(QtWidgets.QWidget):
    """Paints the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.style_now = Style()
        self.face: Face | None = None
        self._why = ""
        self.setMinimumHeight(40)

    def show_face(self, face: Face | None, why: str) -> None:
        """Show a face, or why there is none."""
        if face is not self.face or why != self._why:
            self.face, self._why = face, why
            self.update()

    def paintEvent(self, event: Any) -> None:
        """Qt asks for the picture."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        if self.face is None:
            paint_text(painter, self.rect(), self._why, self.style_now)
        else:
            self._headline(painter, self.face)
            for index, box in enumerate(self._rows(len(self.face.labels))):
                self._row(painter, box, self.face, index)
        painter.end()

    def _headline(self, painter: Any, face: Face) -> None:
        style, theme = self.style_now, self.style_now.theme
        width, height = self.width(), style.px(36)
        colour = theme.label(face.label_index)
        percent = f"{100 * face.confidence:.0f} %" if face.label else ""
        line = QtCore.QRect(0, 0, width, height)
        painter.setFont(style.font("large"))
        taken = painter.fontMetrics().horizontalAdvance(percent) + style.px(10)
        _write(painter, line, percent, theme.strong if face.label_index >= 0 else theme.faint, True)
        painter.setFont(style.font("large", bold=True))
        room = width - taken
        elide = QtCore.Qt.TextElideMode.ElideRight
        name = painter.fontMetrics().elidedText(face.label or "no answer", elide, room)
        _write(painter, line, name, colour)
        track = QtCore.QRectF(0, height + style.px(2), width, style.px(5))
        self._bar(painter, track, face.confidence, colour, theme.rule)

    def _rows(self, labels: int) -> list[Any]:
        """Return a rectangle for each label, in as many columns as need be."""
        style = self.style_now
        top, columns = style.px(_HEADLINE), 1 if labels <= _ONE_COLUMN else 2
        rows = -(-labels // columns)
        pitch = min(style.px(_ROW), (self.height() - top) // max(rows, 1))
        # Names that lie on one another help nobody: the last ones are left out instead.
        pitch = max(pitch, style.px(_LEAST_ROW))
        gap = style.px(16) if columns > 1 else 0
        width = (self.width() - gap * (columns - 1)) // columns
        return [
            QtCore.QRect(k // rows * (width + gap), top + k % rows * pitch, width, pitch)
            for k in range(labels)
        ]

    def _row(self, painter: Any, box: Any, face: Face, index: int) -> None:
        style, theme = self.style_now, self.style_now.theme
        said = index == face.label_index
        painter.setFont(style.font(bold=said))
        metrics = painter.fontMetrics()
        rate_width = metrics.horizontalAdvance("000 Hz") + style.px(6)
        score_width = metrics.horizontalAdvance("0.00") + style.px(8)
        name_width = round(0.3 * box.width())
        elide = QtCore.Qt.TextElideMode.ElideRight
        name = metrics.elidedText(face.labels[index], elide, name_width - style.px(6))
        _write(painter, box, name, theme.strong if said else theme.normal)
        _write(painter, box, f"{face.rates_hz[index]:.0f} Hz", theme.faint, True)
        figures = box.adjusted(0, 0, -rate_width, 0)
        score = f"{face.scores[index]:.2f}"
        _write(painter, figures, score, theme.strong if said else theme.normal, True)
        height = style.px(8)
        left = box.left() + name_width
        length = max(box.width() - name_width - rate_width - score_width, 1)
        track = QtCore.QRectF(left, box.center().y() - height / 2 + 1, length, height)
        colour = theme.label(index)
        self._bar(painter, track, face.scores[index], colour, mix(theme.plate, colour, 0.14))

    def _bar(self, painter: Any, track: Any, share: float, colour: Colour, ground: Colour) -> None:
        radius = track.height() / 2
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(qcolour(ground))
        painter.drawRoundedRect(track, radius, radius)
        filled = QtCore.QRectF(track)
        filled.setWidth(track.width() * min(max(share, 0.0), 1.0))
        painter.setBrush(qcolour(colour))
        if filled.width() > 0:
            painter.drawRoundedRect(filled, min(radius, filled.width() / 2), radius)


def _write(painter: Any, box: Any, text: str, colour: Colour, right: bool = False) -> None:
    side = QtCore.Qt.AlignmentFlag.AlignRight if right else QtCore.Qt.AlignmentFlag.AlignLeft
    painter.setPen(qcolour(colour))
    painter.drawText(box, flags_value(side | QtCore.Qt.AlignmentFlag.AlignVCenter), text)
