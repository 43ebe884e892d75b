"""Renders a head: mesh, painted colours, light with shadow, and what is worn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_testing.rendering import facs, glasses, paint
from fer_testing.rendering.lighting import lit
from fer_testing.rendering.looks import Face, Light, Person, View, Worn
from fer_testing.rendering.mesh import Mesh, Part, mesh, unit
from fer_testing.rendering.paint import smooth
from fer_testing.rendering.raster import interpolate, rasterise

FloatArray = NDArray[np.float32]
Picture = NDArray[np.uint8]

FACE_WIDTH = 1.6
"""Width of the face, decimetres, to which `View.face_px` refers."""
_DISTANCE = 9.0
_CENTRE_Y = 0.72
_HAIR_GAP = 0.12
_TEETH = np.array([0.82, 1.0, 0.96], np.float32)
"""How much smaller the teeth are than in the mesh."""
_FINE_PX = 220
"""Width of a face above which it is not drawn larger than shown."""
_FINER = 1.6
"""How much larger a face is drawn than shown."""


def render(person: Person, face: Face, view: View, light: Light, background: FloatArray) -> Picture:
    """Return a picture (height, width, 3) BGR.

    Parameters
    ----------
    background : (height, width, 3) RGB, 0 to 1.
    """
    scale = float(np.clip(_FINE_PX / view.face_px, 1.0, _FINER))
    scene = _Scene(mesh(), person, face, view)
    colour, alpha = scene.draw(round(view.width * scale), round(view.height * scale), light)
    size = (view.width, view.height)
    colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., None]
    mixed = colour + (1 - alpha) * background
    mixed = cv2.GaussianBlur(np.clip(mixed, 0, 1), (3, 3), 0.5) ** light.gamma
    return np.asarray(np.rint(255 * mixed[..., ::-1]), np.uint8)


class _Scene:
    """A head in position. Coordinates as in `Mesh`, turned to the camera."""

    def __init__(self, head: Mesh, person: Person, face: Face, view: View) -> None:
        self._mesh, self._person, self._face, self._view = head, person, face, view
        shown = np.ones(len(head.parts), bool) if person.long_hair else head.parts != Part.HAIR
        self._triangles, self._parts = head.triangles[shown], head.parts[shown]
        self._hair = paint.hair_cover(head, person)
        moved = head.expression(facs.shapes(face.units))
        if face.worn is Worn.MASK:
            moved = moved * smooth(6.9, 7.1, head.base[:, 1])[:, None]
        still = person.vertices + moved
        still = still + head.normals(still) * (self._hair * person.hair_thickness)[:, None]
        # A narrow jaw moves the teeth less than the lips: keep them behind the lips.
        still[np.isin(head.part, (Part.TEETH, Part.TONGUE))] *= _TEETH
        self._pivot = np.array([0, person.vertices[head.base[:, 1].argmax(), 1] - 2.2, 0.3])
        self._rotation = _rotation(view.yaw, view.pitch, view.roll)
        # The shoulders do not turn with the head.
        y = head.base[:, 1]
        neck = np.where(head.part == Part.HAIR, smooth(5.2, 4.2, y), smooth(6.5, 5.7, y))
        free, held = self._turned(still), still - self._pivot
        self._vertices = (free + (held - free) * neck[:, None]).astype(np.float32)
        self._normals = head.normals(self._vertices)
        self._concavity = head.concavity(self._vertices, self._normals)

    def draw(self, width: int, height: int, light: Light) -> tuple[FloatArray, FloatArray]:
        """Return the head (height, width, 3) RGB on black, and its opacity (height, width)."""
        scale = width / self._view.width
        points, depth = self._project(self._vertices, scale)
        nearest, inside, _ = rasterise(points, depth, self._triangles, width, height)
        seen = np.flatnonzero(nearest.reshape(-1) >= 0)
        triangle = nearest.reshape(-1)[seen]
        surface, place = self._surface(triangle, inside.reshape(-1, 3)[seen])
        person, face = self._person, self._face
        material = paint.material(surface, self._mesh, person, face, self._view.gaze)
        bright = lit(surface, material, place, light, (self._vertices, self._triangles))
        pixels = np.zeros((height * width, 3), np.float32)
        pixels[seen] = np.sqrt(np.clip(bright, 0, 1))
        colour, alpha = pixels.reshape(height, width, 3), (nearest >= 0).astype(np.float32)
        if person.long_hair:
            alpha = self._close_hair(colour, alpha, scale)
        if face.worn in (Worn.GLASSES, Worn.DARK_GLASSES):
            self._draw_glasses(colour, scale)
        return colour, alpha

    def _surface(
        self, triangle: NDArray[np.int32], inside: FloatArray
    ) -> tuple[paint.Surface, FloatArray]:
        """Return the surface at some pixels, and where it stands before the camera (pixels, 3)."""
        head = self._mesh
        of_vertices = (
            *(head.base, self._normals, self._vertices),
            *(head.lip, head.ear, head.mouth_cavity, head.eye_socket),
            *(self._hair, self._concavity),
        )
        table = np.column_stack(of_vertices).astype(np.float32)
        values = interpolate(table, self._triangles, triangle, inside)
        base, normal, place = values[:, :3], unit(values[:, 3:6]), values[:, 6:9]
        shares = values[:, 9:].T.copy()
        return paint.Surface(base, normal, self._parts[triangle], *shares), place

    def _close_hair(self, colour: FloatArray, alpha: FloatArray, scale: float) -> FloatArray:
        """Fill the gaps that the mesh has between the strands at the front and at the back."""
        gap = round(_HAIR_GAP * self._view.face_px * scale / FACE_WIDTH)
        kernel = np.ones((1, gap), np.uint8)
        edge = cv2.BORDER_REPLICATE
        closed = cv2.morphologyEx(alpha, cv2.MORPH_CLOSE, kernel, borderType=edge)
        colour[closed > alpha] = 0.5 * np.array(self._person.hair, np.float32)
        return np.asarray(closed, np.float32)

    def _draw_glasses(self, colour: FloatArray, scale: float) -> None:
        view, face = self._view, self._face
        left, right = (
            self._person.vertices[self._near(eye)].mean(axis=0) for eye in self._mesh.eyes
        )
        # Pixels in sixteenths, as OpenCV draws with a shift of 4.
        lines = [
            np.rint(16 * self._project(self._turned(line), scale)[0]).astype(np.int32)
            for line in glasses.frame(left, right)
        ]
        if face.worn is Worn.DARK_GLASSES:
            for rim in lines[:2]:
                cv2.fillPoly(colour, [rim], glasses.LENS, cv2.LINE_AA, 4)
        thick = max(round(glasses.THICKNESS * view.face_px * scale / FACE_WIDTH), 1)
        for line in lines:
            cv2.polylines(colour, [line], False, face.worn_colour, thick, cv2.LINE_AA, 4)

    def _near(self, eye: FloatArray) -> NDArray[np.int64]:
        near = np.linalg.norm(self._mesh.base - eye, axis=1) < 0.2
        return np.flatnonzero(near & (self._mesh.part == Part.EYE))

    def _turned(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray((points - self._pivot) @ self._rotation.T)

    def _project(self, points: NDArray[np.floating], scale: float) -> tuple[FloatArray, FloatArray]:
        """Return places in the picture, px (points, 2), and distances (points)."""
        view = self._view
        depth = _DISTANCE - (points[:, 2] - 0.9)
        focal = view.face_px * scale / FACE_WIDTH * _DISTANCE
        x = points[:, 0] / depth * focal + scale * (view.width / 2 + view.x)
        y = (_CENTRE_Y - points[:, 1]) / depth * focal + scale * (view.height / 2 + view.y)
        return np.stack([x, y], axis=1).astype(np.float32), depth.astype(np.float32)


def _rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(-roll), np.sin(-roll)
    return np.asarray(
        np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    )
