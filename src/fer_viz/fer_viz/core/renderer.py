"""Puts the camera picture and the panel together into one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from fer_viz.core.canvas import Box, Picture, fill
from fer_viz.core.look import DESIGN_HEIGHT, Look
from fer_viz.core.overlay import draw_faces, draw_hint
from fer_viz.core.palette import THEMES
from fer_viz.core.panel import Panel
from fer_viz.core.panel_layout import WIDTH
from fer_viz.core.scene import Scene


@dataclass(frozen=True)
class Style:
    """How pictures are drawn.

    Attributes
    ----------
    theme : "dark" or "light".
    with_panel : whether the panel stands beside the frame.
    max_height_px : larger frames are shrunk to this.
    """

    theme: str = "dark"
    with_panel: bool = True
    max_height_px: int = 720


class Layout(NamedTuple):
    """Where frame and panel stand, in pixels of the result.

    `panel` is empty where there is none. `scale` is pixels of the result for one of the source
    image, `unit` for one of the design.
    """

    width: int
    height: int
    frame: Box
    panel: Box
    scale: float
    unit: float


def layout(image_width: int, image_height: int, style: Style) -> Layout:
    """Lay out an image of any size.

    Beside the panel, a frame lower than the panel's design is enlarged to it as far as twice that
    width allows; a frame that is still lower stands in the middle.
    """
    scale = min(1.0, style.max_height_px / image_height, 2.4 * style.max_height_px / image_width)
    if style.with_panel and image_height * scale < DESIGN_HEIGHT:
        scale = max(scale, min(DESIGN_HEIGHT / image_height, 2 * DESIGN_HEIGHT / image_width))
    width, height = max(round(image_width * scale), 1), max(round(image_height * scale), 1)
    if not style.with_panel:
        return Layout(
            width, height, Box(0, 0, width, height), Box(width, 0, 0, 0), scale, _unit(height)
        )
    total = max(height, DESIGN_HEIGHT)
    panel_width = round(WIDTH * total / DESIGN_HEIGHT)
    frame = Box(0, (total - height) // 2, width, height)
    return Layout(
        width + panel_width, total, frame, Box(width, 0, panel_width, total), scale, _unit(height)
    )


def _unit(height: int) -> float:
    return min(max(height / DESIGN_HEIGHT, 0.6), 3.0)


class Renderer:
    """Draws scenes in one style. Not safe between threads."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self._theme = THEMES[style.theme]
        self._panel = Panel(self._theme)

    def shape(self, image: Picture) -> tuple[int, int, int]:
        """Return the shape of the picture of an image."""
        place = layout(image.shape[1], image.shape[0], self.style)
        return place.height, place.width, 3

    def draw(self, image: Picture, scene: Scene, into: Picture | None = None) -> Picture:
        """Return a picture, (height, width, 3) BGR, of an image and what goes with it.

        Parameters
        ----------
        image : (height, width, 3) BGR; not changed.
        scene : what goes with it.
        into : overwritten and returned if given; of the right `shape`.
        """
        place = layout(image.shape[1], image.shape[0], self.style)
        result = np.empty(self.shape(image), np.uint8) if into is None else into
        if place.frame.height < place.height:
            fill(result, Box(0, 0, place.frame.width, place.height), self._theme.ground)
        frame = result[place.frame.y : place.frame.bottom, : place.frame.width]
        if place.frame[2:] == image.shape[1::-1]:
            frame[...] = image
        else:
            shrink = place.scale < 1
            cv2.resize(
                image,
                place.frame[2:],
                dst=frame,
                interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR,
            )
        if place.panel.width:
            # Before the boxes: the portrait is cut out of the plain frame.
            self._panel.draw(result[:, place.panel.x :], scene, frame, place.scale)
        look = Look(self._theme, place.unit)
        draw_faces(frame, scene.faces, scene.focus, place.scale, look)
        if scene.status.hint:
            draw_hint(frame, scene.status.hint, look)
        return result
