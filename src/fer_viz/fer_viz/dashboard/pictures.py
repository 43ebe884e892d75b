"""Cards with pictures: camera image, face and features, result, receptive fields."""

from __future__ import annotations

import math

import cv2
import numpy as np

from fer_viz.core.drawing.canvas import SHIFT, SUBPIXEL, Box, Picture
from fer_viz.core.drawing.face_crop import upright_face
from fer_viz.core.drawing.overlay import draw_faces, draw_hint
from fer_viz.core.drawing.receptive_fields import draw_fields, scale_note
from fer_viz.core.drawing.result import (
    HEADLINE,
    SCORE_ROW,
    draw_headline,
    draw_score_names,
    draw_scores,
)
from fer_viz.core.drawing.style import DESIGN_HEIGHT, Style, colour_mapped, mix
from fer_viz.core.scene import ALL_ORIENTATIONS, Face, FeatureMap, ReceptiveFields, Scene
from fer_viz.dashboard.cards import Card, Choice, PictureWidget

#: Side of the face that the network gets, pixels.
CROP_PX = 48
#: An outdated image is darkened to this share.
_STALE_SHARE = 0.45
#: Cells of the feature map with less than this share of the strongest one have no stroke.
_FAINTEST = 0.15
#: How much of its colour the strongest cell has: strokes must stand out on it.
_MAP_STRENGTH = 0.7
#: Rows of scores shrink to at least this share before they form two columns.
_SMALLEST_ROWS = 0.75


class CameraCard(Card):
    """The camera image with faces, labels and confidence, or what is missing."""

    def __init__(self) -> None:
        view = PictureWidget()
        super().__init__("Camera", view)
        self.view = view

    def show_image(self, image: Picture | None, scene: Scene) -> None:
        """Draw an image, (height, width, 3) BGR, and its faces; darker if it is outdated."""
        hint = scene.status.hint
        if image is None:
            self.note = ""
            self.view.show_text(hint or "waiting for the first image")
            return
        height, width = image.shape[:2]
        room = self.view.size_px
        scale = min(room[0] / width, room[1] / height)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        # INTER_AREA is slow, and hardly better as long as no pixel is left out.
        kind = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR  # noqa: PLR2004
        picture = np.asarray(cv2.resize(image, size, interpolation=kind), np.uint8)
        if hint.startswith("no image"):
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=_STALE_SHARE), np.uint8)
        style = Style(self.style_now.theme, min(max(size[1] / DESIGN_HEIGHT, 0.75), 4.0))
        draw_faces(picture, scene.faces, scene.focus, scale, style)
        if hint:
            draw_hint(picture, hint, style)
        self.note = f"{width} x {height} px"
        self.view.show_picture(picture)


class FaceCard(Card):
    """The aligned face, and its feature map with the dominant orientation of each cell."""

    def __init__(self) -> None:
        crop, features = PictureWidget(), PictureWidget()
        super().__init__("Face and features", crop, features)
        self.crop, self.features = crop, features

    def show_face(self, image: Picture | None, scene: Scene) -> None:
        """Draw the face in focus; empty plates without one."""
        face, features = scene.focus, scene.features
        if face is None or face.area_px == 0:
            self.crop.show_text("no face in view")
        elif image is None:
            self.crop.show_text("no image")
        else:
            self.crop.show_picture(self._draw_crop(image, face))
        if features is None or face is None:
            self.features.show_text("no features")
            self.note = ""
        else:
            self.features.show_picture(self._draw_features(features))
            count, rows, cols = features.energy.shape
            self.note = f"{CROP_PX} x {CROP_PX} px, {count} orientations x {rows} x {cols}"

    def _draw_crop(self, image: Picture, face: Face) -> Picture:
        # A large face is averaged, like the crop of the network.
        factor = max(max(face.box_px[2:]) // (2 * CROP_PX), 1)
        grey = cv2.cvtColor(upright_face(image, face, 1.0, CROP_PX * factor), cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
        side = min(self.crop.size_px)
        large = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)

    def _draw_features(self, features: FeatureMap) -> Picture:
        theme, energy = self.style_now.theme, features.energy.max(axis=0)
        rows, cols = energy.shape
        scale = (theme.plate, mix(theme.plate, theme.labels[0], _MAP_STRENGTH))
        colours = colour_mapped(energy, float(energy.min()), float(energy.max()), scale)
        cell = max(min(self.features.size_px) // max(rows, cols), 1)
        picture = np.repeat(np.repeat(colours, cell, axis=0), cell, axis=1)
        angle, strength = features.strokes
        # An edge is perpendicular to the direction in which its grating changes.
        length = 0.45 * cell * strength
        y, x = (np.mgrid[0:rows, 0:cols] + 0.5) * cell
        step_x, step_y = -np.sin(angle) * length, np.cos(angle) * length
        ends = np.stack([x - step_x, y - step_y, x + step_x, y + step_y], axis=-1)
        lines = (ends[strength > _FAINTEST] * SUBPIXEL).round().astype(np.int32).reshape(-1, 2, 2)
        thick = max(round(cell / 9), 1)
        cv2.polylines(picture, list(lines), False, theme.strong, thick, cv2.LINE_AA, SHIFT)
        return picture


class ResultCard(Card):
    """Label and confidence, and score and spike rate of every label."""

    def __init__(self) -> None:
        view = PictureWidget()
        super().__init__("Expression", view)
        self.view = view
        self.face: Face | None = None

    def show_scene(self, scene: Scene) -> None:
        """Draw the result of the face in focus."""
        self.note, self.face = scene.caption, scene.focus
        if self.face is None:
            self.view.show_text(scene.missing("result"))
            return
        picture, style = self.view.canvas
        height, width = picture.shape[:2]
        labels, top = self.face.labels, style.px(HEADLINE + 4)
        # However small the window, such as rqt's, two columns have room for all labels.
        smallest = Style(style.theme, _SMALLEST_ROWS * style.unit)
        least_px = top + smallest.px(SCORE_ROW) * math.ceil(len(labels) / 2)
        self.view.setMinimumHeight(math.ceil(least_px / self.view.devicePixelRatioF()))
        draw_headline(picture, Box(0, 0, width, top), scene, style)
        scores = Box(0, top, width, max(height - top, 1))
        # Smaller rows in one column, which has room for rates, rather than two columns.
        needed_px = style.px(SCORE_ROW) * max(len(labels), 1)
        share = min(max(scores.height / needed_px, _SMALLEST_ROWS), 1.0)
        style = Style(style.theme, share * style.unit)
        draw_score_names(picture, scores, labels, style)
        draw_scores(picture, scores, self.face, style)
        self.view.show_picture(picture)


class WeightCard(Card):
    """The receptive field of every label, summed or of one orientation."""

    def __init__(self) -> None:
        view = PictureWidget()
        super().__init__("Receptive fields", view)
        self.view = view
        self.choice = Choice()
        self.choice.setToolTip("Which orientations of the edges are shown")
        self.choice.addItem(ALL_ORIENTATIONS)
        self.choice.activated.connect(self._choose)
        #: The choice that is shown whenever the weights have it.
        self.wanted = ALL_ORIENTATIONS
        self.add_to_head(self.choice)
        self._fields: ReceptiveFields | None = None
        self.view.resized = self._draw

    def show_fields(self, fields: ReceptiveFields | None) -> None:
        """Draw receptive fields."""
        self._fields = fields
        choices = [ALL_ORIENTATIONS] if fields is None else list(fields.choices)
        if choices != [self.choice.itemText(k) for k in range(self.choice.count())]:
            self.choice.clear()
            self.choice.addItems(choices)
        self.choice.setCurrentIndex(choices.index(self.wanted) if self.wanted in choices else 0)
        self._draw()

    def restyle(self, style: Style) -> None:
        """Apply colours and sizes."""
        super().restyle(style)
        self._draw()

    def _choose(self, index: int) -> None:
        self.wanted = str(self.choice.itemText(index))
        self._draw()

    def _draw(self) -> None:
        fields = self._fields
        if fields is None or not fields.maps.size:
            self.note = ""
            self.view.show_text("no weights yet: is the snn node up?")
            return
        maps = fields.maps[max(self.choice.currentIndex(), 0)]
        picture, style = self.view.canvas
        height, width = picture.shape[:2]
        draw_fields(picture, Box(0, 0, width, height), fields.labels, maps, style)
        self.view.show_picture(picture)
        self.note = scale_note(maps)
