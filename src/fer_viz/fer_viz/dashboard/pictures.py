"""The camera picture, the face as the network sees it, and what it has learnt to see."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from pyqtgraph.Qt import QtWidgets

from fer_viz.core.canvas import Box, Picture
from fer_viz.core.fields import draw_fields, scale_of
from fer_viz.core.look import DESIGN_HEIGHT, Look
from fer_viz.core.maps import ALL, FeatureMap, WeightMaps
from fer_viz.core.overlay import draw_faces, draw_hint
from fer_viz.core.palette import mapped, mix
from fer_viz.core.portrait import upright
from fer_viz.core.scene import Face, ReceptiveFields, Scene
from fer_viz.core.text import MINUS
from fer_viz.dashboard.parts import Card, Choice, PictureWidget
from fer_viz.dashboard.style import Style

#: Side of the face that the network gets, pixels.
CROP_PX = 48
#: An old picture is darkened to this share.
_STALE_SHARE = 0.45
#: Cells of the feature map with less than this share of the strongest get no stroke.
_FAINTEST = 0.15
#: How much of its colour the strongest cell has: strokes must stand out on it.
_MAP_STRENGTH = 0.7


class CameraCard(Card):
    """The camera picture with faces, labels and confidence, or what is missing."""

    def __init__(self) -> None:
        super().__init__("Camera")
        self.view = PictureWidget()
        self.body.addWidget(self.view, 1)

    def show_image(self, image: Picture | None, scene: Scene) -> None:
        """Draw a picture, (height, width, 3) BGR, and its faces; darker while it is an old one."""
        hint = scene.status.hint
        if image is None:
            self.note = ""
            self.view.show_text(hint or "waiting for the first picture")
            return
        height, width = image.shape[:2]
        room = self.view.size_px
        scale = min(room[0] / width, room[1] / height)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        # Averaging is dear, and hardly better while no pixel is left out.
        kind = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR  # noqa: PLR2004
        picture = np.asarray(cv2.resize(image, size, interpolation=kind), np.uint8)
        if hint.startswith("no image"):
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=_STALE_SHARE), np.uint8)
        look = Look(self.style_now.theme, min(max(size[1] / DESIGN_HEIGHT, 0.75), 4.0))
        draw_faces(picture, scene.faces, scene.focus, scale, look)
        if hint:
            draw_hint(picture, hint, look)
        self.note = f"{width} x {height} px"
        self.view.show_picture(picture)

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.view.restyle(style)


class FaceCard(Card):
    """The aligned face, and its feature map with the dominant orientation of each cell."""

    def __init__(self) -> None:
        super().__init__("Face and features")
        row = QtWidgets.QHBoxLayout()
        self.crop, self.features = PictureWidget(), PictureWidget()
        row.addWidget(self.crop, 1)
        row.addWidget(self.features, 1)
        self._row = row
        self.body.addLayout(row, 1)

    def show_face(
        self, image: Picture | None, face: Face | None, features: FeatureMap | None
    ) -> None:
        """Draw the face that is followed; empty plates without one."""
        if face is None or face.area_px == 0:
            self.crop.show_text("no face in view")
        elif image is None:
            self.crop.show_text("no image")
        else:
            self.crop.show_picture(self._crop(image, face))
        if features is None or face is None:
            self.features.show_text("no features")
            self.note = ""
        else:
            self.features.show_picture(self._map(features))
            count, rows, cols = features.energy.shape
            self.note = f"{CROP_PX} x {CROP_PX} px, {count} orientations x {rows} x {cols}"

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self._row.setSpacing(style.px(8))
        self.crop.restyle(style)
        self.features.restyle(style)

    def _crop(self, image: Picture, face: Face) -> Picture:
        size, matrix = (CROP_PX, CROP_PX), upright(face, 1.0, CROP_PX)
        border = cv2.BORDER_REPLICATE
        # Averaged first where the face is large, as the network's own crop is.
        side = max(face.box_px[2:])
        factor = max(side // (2 * CROP_PX), 1)
        if factor > 1:
            matrix = upright(face, 1.0, CROP_PX * factor)
            size = (CROP_PX * factor, CROP_PX * factor)
        turned = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
        grey = cv2.cvtColor(turned, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
        shown = _side(self.crop)
        large = cv2.resize(small, (shown, shown), interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)

    def _map(self, features: FeatureMap) -> Picture:
        theme, energy = self.style_now.theme, features.energy.max(axis=0)
        rows, cols = energy.shape
        ground = (theme.plate, mix(theme.plate, theme.labels[0], _MAP_STRENGTH))
        colours = mapped(energy, float(energy.min()), float(energy.max()), ground)
        cell = max(_side(self.features) // max(rows, cols), 1)
        picture = np.repeat(np.repeat(colours, cell, axis=0), cell, axis=1)
        angle, strength = features.strokes
        # An edge runs across the direction in which its grating changes.
        reach = 0.45 * cell * strength
        y, x = (np.mgrid[0:rows, 0:cols] + 0.5) * cell
        step_x, step_y = -np.sin(angle) * reach, np.cos(angle) * reach
        ends = np.stack([x - step_x, y - step_y, x + step_x, y + step_y], axis=-1)
        lines = (ends[strength > _FAINTEST] * 16).round().astype(np.int32).reshape(-1, 2, 2)
        thick = max(round(cell / 9), 1)
        cv2.polylines(picture, list(lines), False, theme.strong, thick, cv2.LINE_AA, 4)
        return picture


class WeightCard(Card):
    """The receptive field of every label, summed or of one orientation."""

    def __init__(self) -> None:
        super().__init__("Receptive fields")
        self.view = PictureWidget()
        self.body.addWidget(self.view, 1)
        self.choice = Choice()
        self.choice.setToolTip("Which orientations of the edges are shown")
        self.choice.addItem(ALL)
        self.choice.activated.connect(self._choose)
        #: The choice that is shown wherever the weights have it.
        self.wanted = ALL
        self.add_to_head(self.choice)
        self._weights: WeightMaps | None = None
        self.view.resized = self._draw

    def show_weights(self, weights: WeightMaps | None) -> None:
        """Draw weights."""
        self._weights = weights
        choices = [ALL] if weights is None else list(weights.choices)
        if choices != [self.choice.itemText(k) for k in range(self.choice.count())]:
            self.choice.clear()
            self.choice.addItems(choices)
        self.choice.setCurrentIndex(choices.index(self.wanted) if self.wanted in choices else 0)
        self._draw()

    def restyle(self, style: Style) -> None:
        """Take colours and sizes."""
        super().restyle(style)
        self.view.restyle(style)
        self._draw()

    def _choose(self, index: int) -> None:
        self.wanted = str(self.choice.itemText(index))
        self._draw()

    def _draw(self) -> None:
        weights = self._weights
        if weights is None or not weights.maps.size:
            self.note = ""
            self.view.show_text("no weights yet: is the snn node up?")
            return
        maps = weights.maps[max(self.choice.currentIndex(), 0)]
        width, height = self.view.size_px
        picture = np.empty((height, width, 3), np.uint8)
        picture[...] = self.style_now.theme.plate
        fields = ReceptiveFields(0, weights.labels, maps, np.empty(0, np.int64))
        unit = 1.2 * self.style_now.unit * self.view.devicePixelRatioF()
        draw_fields(picture, Box(0, 0, width, height), fields, Look(self.style_now.theme, unit))
        self.view.show_picture(picture)
        self.note = f"ON {MINUS} OFF, ±{scale_of(maps):.2g}"


def _side(widget: Any) -> int:
    """Return the side of the largest square in a widget, pixels."""
    return int(min(widget.size_px))
