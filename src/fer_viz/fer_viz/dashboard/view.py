"""Shows the board, and tells what is clicked in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from pyqtgraph.Qt import QtCore, QtGui, QtWidgets

from fer_viz.core.drawing.board import Board, unit_for
from fer_viz.core.drawing.canvas import Box, Picture
from fer_viz.core.drawing.panels import PANELS, View
from fer_viz.core.drawing.style import Style, Theme
from fer_viz.core.scene import Scene

_LEAST_SIZE = (320, 180)


class BoardView(QtWidgets.QWidget):
    """Pixels of the board, one to one.

    Parameters
    ----------
    theme : the colours.
    on_click : called with the panel and the place in the picture, pixels.
    on_zoom : called with how many steps the wheel was turned, and how far the mouse was dragged to
        the right as a share of the plots' width.
    """

    def __init__(
        self,
        theme: Theme,
        on_click: Callable[[str, int, int], None],
        on_zoom: Callable[[float, float], None],
    ) -> None:
        super().__init__()
        self.setMinimumSize(*_LEAST_SIZE)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._on_click, self._on_zoom = on_click, on_zoom
        self._pressed_x = 0
        self.left_out: Collection[str] = ()
        self.picture: Picture = np.empty((0, 0, 3), np.uint8)
        self.set_theme(theme)

    @property
    def style_now(self) -> Style:
        """Theme and scale of the picture, in pixels of the screen."""
        width, height = self.size_px
        return Style(self._theme, unit_for(width, height))

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height, pixels of the screen."""
        ratio = self.devicePixelRatioF()
        return max(round(self.width() * ratio), 1), max(round(self.height() * ratio), 1)

    def set_theme(self, theme: Theme) -> None:
        """Use other colours from the next picture on."""
        self._theme = theme
        self.board = Board(theme)

    def show_scene(
        self, scene: Scene, image: Picture | None, orientation: str, every_panel: bool
    ) -> None:
        """Draw what is due."""
        width, height = self.size_px
        if self.picture.shape[:2] != (height, width):
            self.picture = np.empty((height, width, 3), np.uint8)
            kind = QtGui.QImage.Format.Format_BGR888
            self._image = QtGui.QImage(self.picture.data, width, height, 3 * width, kind)
        view = View(scene, image, self.style_now, orientation)
        ratio, before = self.devicePixelRatioF(), self.board.places
        for box in self.board.draw(self.picture, view, self.left_out, every_panel):
            x, y = int(box.x / ratio), int(box.y / ratio)
            self.update(x, y, int(box.width / ratio) + 2, int(box.height / ratio) + 2)
        if self.board.places is not before:
            self.update()

    def paintEvent(self, event: Any) -> None:
        """Qt requests the pixels of a part."""
        painter, ratio = QtGui.QPainter(self), self.devicePixelRatioF()
        if self.picture.size:
            part = event.rect()
            x, y, width, height = (
                round(value * ratio) for value in (part.x(), part.y(), part.width(), part.height())
            )
            inside = Box(x, y, width, height).clipped(*self.picture.shape[1::-1])
            target = QtCore.QRectF(*(value / ratio for value in inside))
            painter.drawImage(target, self._image, QtCore.QRectF(*inside))
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """Qt has seen a click."""
        self._pressed_x = self._place(event)[0]
        panel = self.board.panel_at(*self._place(event))
        if panel and event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._on_click(panel, *self._place(event))

    def mouseMoveEvent(self, event: Any) -> None:
        """Qt has seen the mouse move with a button held."""
        x = self._place(event)[0]
        box = self.board.places.get("potentials") or self.board.places.get("spikes")
        if box is not None and x != self._pressed_x:
            self._on_zoom(0.0, (x - self._pressed_x) / box.width)
            self._pressed_x = x

    def wheelEvent(self, event: Any) -> None:
        """Qt has seen the wheel turn."""
        self._on_zoom(event.angleDelta().y() / 120, 0.0)

    def event(self, event: Any) -> bool:
        """Qt asks for a tooltip, among others."""
        if event.type() == QtCore.QEvent.Type.ToolTip:
            panel = self.board.panel_at(*self._place(event))
            text = PANELS[panel].explanation if panel in PANELS else ""
            QtWidgets.QToolTip.showText(event.globalPos(), text, self)
            return True
        return bool(super().event(event))

    def _place(self, event: Any) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        # Qt 5 has no `position`, and events of tooltips have none anywhere.
        at = getattr(event, "position", event.pos)()
        return round(at.x() * ratio), round(at.y() * ratio)
