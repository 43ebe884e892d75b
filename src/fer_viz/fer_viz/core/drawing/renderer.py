"""Combines the camera image and the panel into one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from fer_viz.core.drawing.canvas import Box, Picture, fill
from fer_viz.core.drawing.overlay import draw_faces, draw_hint
from fer_viz.core.drawing.panel import WIDTH, Panel
from fer_viz.core.drawing.style import DESIGN_HEIGHT, THEMES, Style
from fer_viz.core.scene import Scene


@dataclass(frozen=True)
class PictureOptions:
    """How pictures are drawn.

    Attributes
    ----------
    theme : "dark" or "light".
    with_panel : whether the panel stands beside the image.
    max_height_px : larger images are shrunk to this.
    """

    theme: str = "dark"
    with_panel: bool = True
    max_height_px: int = 720


class PictureLayout(NamedTuple):
    """Places of image and panel in the result, pixels.

    `panel` is empty where there is none. `scale` is pixels of the result for one pixel of the
    source image, `unit` for one unit of the design.
    """

    width: int
    height: int
    frame: Box
    panel: Box
    scale: float
    unit: float


def layout(image_width: int, image_height: int, options: PictureOptions) -> PictureLayout:
    """Lay out an image of any size.

    Beside the panel, an image lower than the panel's design is enlarged to its height, but to at
    most twice that width; an image that is still lower is centred.
    """
    largest = options.max_height_px
    scale = min(1.0, largest / image_height, 2.4 * largest / image_width)
    if options.with_panel and image_height * scale < DESIGN_HEIGHT:
        scale = max(scale, min(DESIGN_HEIGHT / image_height, 2 * DESIGN_HEIGHT / image_width))
    width, height = max(round(image_width * scale), 1), max(round(image_height * scale), 1)
    unit = min(max(height / DESIGN_HEIGHT, 0.6), 3.0)
    if not options.with_panel:
        frame, panel = Box(0, 0, width, height), Box(width, 0, 0, 0)
        return PictureLayout(width, height, frame, panel, scale, unit)
    total = max(height, DESIGN_HEIGHT)
    frame = Box(0, (total - height) // 2, width, height)
    panel = Box(width, 0, round(WIDTH * total / DESIGN_HEIGHT), total)
    return PictureLayout(panel.right, total, frame, panel, scale, unit)


class Renderer:
    """Draws scenes. Not thread-safe."""

    def __init__(self, options: PictureOptions) -> None:
        self.options = options
        self._theme = THEMES[options.theme]
        self._panel = Panel(self._theme)

    def with_options(self, options: PictureOptions) -> Renderer:
        """Return a renderer with these options: itself if it has them."""
        return self if options == self.options else Renderer(options)

    def shape(self, image: Picture) -> tuple[int, int, int]:
        """Return the shape of the picture that is made of an image."""
        place = layout(image.shape[1], image.shape[0], self.options)
        return place.height, place.width, 3

    def draw(self, image: Picture, scene: Scene, into: Picture | None = None) -> Picture:
        """Return a picture, (height, width, 3) BGR, of an image and what belongs to it.

        Parameters
        ----------
        image : (height, width, 3) BGR; not changed.
        into : overwritten and returned if given; it must have the right `shape`.
        """
        place = layout(image.shape[1], image.shape[0], self.options)
        result = np.empty(self.shape(image), np.uint8) if into is None else into
        if place.frame.height < place.height:
            fill(result, Box(0, 0, place.frame.width, place.height), self._theme.ground)
        frame = place.frame.of(result)
        if place.frame[2:] == image.shape[1::-1]:
            frame[...] = image
        else:
            kind = cv2.INTER_AREA if place.scale < 1 else cv2.INTER_LINEAR
            cv2.resize(image, place.frame[2:], dst=frame, interpolation=kind)
        if place.panel.width:
            # Before the boxes: the portrait is cut out of the plain image.
            self._panel.draw(result[:, place.panel.x :], scene, frame, place.scale)
        style = Style(self._theme, place.unit)
        draw_faces(frame, scene.faces, scene.focus, place.scale, style)
        if scene.status.hint:
            draw_hint(frame, scene.status.hint, style)
        return result
