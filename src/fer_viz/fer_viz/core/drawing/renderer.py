"""The pictures of the topics: the camera image with its faces, and the whole dashboard."""

from __future__ import annotations

import cv2
import numpy as np

from fer_viz.core.drawing.board import Board, unit_for
from fer_viz.core.drawing.canvas import Picture
from fer_viz.core.drawing.overlay import draw_faces, draw_hint
from fer_viz.core.drawing.panels import View
from fer_viz.core.drawing.style import DESIGN_HEIGHT, THEMES, Style
from fer_viz.core.parameters import PictureOptions
from fer_viz.core.scene import Scene

#: Width of the dashboard divided by its height, and its least height, pixels.
_ASPECT, _LEAST_HEIGHT = 16 / 9, 576
#: The overlay is at most this much wider than high, as the highest is.
_WIDEST = 2.4
_LEFT_OUT = ("feature_spikes",)


class Renderer:
    """Draws scenes. Not thread-safe."""

    def __init__(self, options: PictureOptions) -> None:
        self.options = options
        self._theme = THEMES[options.theme]
        self._board = Board(self._theme)
        self._own: Picture = np.empty((0, 0, 3), np.uint8)

    def shape(self, image: Picture) -> tuple[int, int, int]:
        """Return the shape of the picture that is made of an image."""
        largest, (height, width) = self.options.max_height_px, image.shape[:2]
        if self.options.whole:
            height = min(max(height, _LEAST_HEIGHT), max(largest, _LEAST_HEIGHT))
            return height, round(height * _ASPECT), 3
        scale = min(1.0, largest / height, _WIDEST * largest / width)
        return max(round(height * scale), 1), max(round(width * scale), 1), 3

    def draw(self, image: Picture, scene: Scene, into: Picture | None = None) -> Picture:
        """Return a picture, (height, width, 3) BGR, of an image and what belongs to it.

        The next call overwrites it.

        Parameters
        ----------
        image : (height, width, 3) BGR; not changed.
        into : overwritten and returned if given; it must have the right `shape`, and keep its
            pixels until the next call.
        """
        shape = self.shape(image)
        if into is None and self._own.shape != shape:
            self._own = np.empty(shape, np.uint8)
        picture = self._own if into is None else into
        if self.options.whole:
            style = Style(self._theme, unit_for(shape[1], shape[0]))
            self._board.draw(picture, View(scene, image, style), _LEFT_OUT, every_panel=False)
            return picture
        scale = shape[0] / image.shape[0]
        kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        cv2.resize(image, shape[1::-1], dst=picture, interpolation=kind)
        style = Style(self._theme, min(max(shape[0] / DESIGN_HEIGHT, 0.6), 3.0))
        draw_faces(picture, scene.faces, scene.focus, scale, style)
        if scene.status.hint:
            draw_hint(picture, scene.status.hint, style)
        return picture
