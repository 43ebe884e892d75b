"""Colours of the head, painted in the coordinates of the base mesh, so that they move with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_testing.rendering.facs import side_strengths
from fer_testing.rendering.looks import Face, Person, Worn
from fer_testing.rendering.mesh import Mesh, Part

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Surface:
    """The visible surface, a value for each pixel.

    Attributes
    ----------
    place : in the base mesh (pixels, 3).
    normal : unit normals (pixels, 3).
    part : see `Part`.
    lip, ear, cavity, socket, hair : how far it belongs to it, 0 to 1.
    concavity : see `Mesh.concavity`.
    """

    place: FloatArray
    normal: FloatArray
    part: NDArray[np.uint8]
    lip: FloatArray
    ear: FloatArray
    cavity: FloatArray
    socket: FloatArray
    hair: FloatArray
    concavity: FloatArray

    def at(self, pixels: NDArray[np.bool_]) -> Surface:
        """Return some of the pixels."""
        return Surface(*(getattr(self, field.name)[pixels] for field in fields(self)))


@dataclass(frozen=True)
class Material:
    """Colour (pixels, 3) RGB, strength and sharpness of the gloss (pixels)."""

    colour: FloatArray
    gloss: FloatArray
    sharpness: FloatArray


def smooth(low: float, high: float, x: FloatArray) -> FloatArray:
    """Return a smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def hair_cover(mesh: Mesh, person: Person) -> FloatArray:
    """Return how far each vertex is covered with short hair, 0 to 1 (vertices)."""
    if not person.hair_thickness:
        return np.zeros(len(mesh.base), np.float32)
    x, y, z = np.abs(mesh.base[:, 0]), mesh.base[:, 1], mesh.base[:, 2]
    front = 7.285 + person.hairline + 0.10 * smooth(0, 0.35, x) - 0.50 * smooth(0.50, 0.85, x)
    side = 7.45 - smooth(0.55, -0.25, z)
    share = smooth(0.45, 0.8, z)
    line = front * share + side * (1 - share)
    on_skull = (mesh.part == Part.SKIN) & (y > 6.3) & (x < 1)
    return np.asarray(smooth(0, 0.14, y - line) * (1 - mesh.ear) * on_skull, np.float32)


def material(
    surface: Surface, mesh: Mesh, person: Person, face: Face, gaze: tuple[float, float]
) -> Material:
    """Return the material of each pixel."""
    x, y, z = surface.place.T
    if person.stone:
        grain = 1 + 0.08 * _noise(x, y + z, 1) + 0.08 * _noise(2 * x, 2 * (y + z), 3)
        gloss = np.full_like(x, 0.06)
        return Material(_rgb(person.stone) * grain[:, None], gloss, np.full_like(x, 12))
    hair = np.where(surface.part == Part.HAIR, 1, surface.hair)
    strands = 1 + 0.55 * _noise(2 * x + z, 0.12 * (y + z), 3) + 0.35 * _noise(x, 0.2 * z, 2)
    hair_colour = _rgb(person.hair) * strands[:, None]
    cloth = smooth(
        5.62, 5.50, y - 0.25 * smooth(0.6, 1.8, np.abs(x)) + 0.3 * _bump(x, 0.35) * (z > 0)
    )
    bare = cloth < 1
    colour = np.zeros_like(surface.place)
    colour[bare] = _skin(surface.at(bare), person, face)
    colour = _mix(colour, hair_colour, surface.hair)
    weave = 1 + 0.12 * _noise(2 * x, 2 * y, 3)
    colour = _mix(colour, _rgb(person.shirt) * weave[:, None], cloth)
    dark = np.clip(surface.cavity, 0, 1) * smooth(1.5, 1.35, z)
    deep = _rgb([0.16, 0.045, 0.045]) * (0.4 + 0.6 * smooth(0.6, 1.3, z))[:, None]
    colour = _mix(colour, deep, dark)
    colour = _mix(colour, _rgb([0.55, 0.30, 0.27]), surface.socket)
    eye, teeth, tongue = (surface.part == part for part in (Part.EYE, Part.TEETH, Part.TONGUE))
    colour[eye] = _eye(surface.place[eye], mesh, person, gaze)
    colour[teeth] = _teeth(surface.place[teeth])
    colour[tongue] = _rgb([0.60, 0.25, 0.26]) * (0.5 + 0.5 * smooth(0.9, 1.35, z[tongue]))[:, None]
    colour[surface.part == Part.LASHES] = (0.06, 0.045, 0.04)
    colour[surface.part == Part.HAIR] = hair_colour[surface.part == Part.HAIR]
    gloss = (
        np.select([eye, teeth, hair > 0.5], [0.55, 0.35, 0.12], 0.08 + 0.12 * surface.lip)
        * (1 - cloth)
        * (1 - dark)
    )
    sharpness = np.select([eye, hair > 0.5], [90, 14], 18).astype(np.float32)
    cover = _cover(surface, face.worn)
    colour = _mix(colour, _rgb(face.worn_colour) * weave[:, None], cover)
    return Material(
        np.asarray(np.clip(colour, 0, 1), np.float32),
        np.asarray(gloss * (1 - cover), np.float32),
        sharpness,
    )


def _skin(surface: Surface, person: Person, face: Face) -> FloatArray:
    x, y, z = surface.place.T
    ax, lip = np.abs(x), surface.lip
    skin = np.tile(_rgb(person.skin), (len(x), 1))
    spots = 0.10 * _noise(0.4 * x, 0.4 * (y + z), 0) + 0.06 * _noise(0.6 * x, 0.6 * y, 1)
    skin = skin * (1 + spots + 0.05 * _noise(x, y, 2))[:, None]
    cheeks = 0.55 * _bump(ax - 0.42, 0.17) * _bump(y - 6.98, 0.2)
    red = cheeks + 0.35 * _bump(x, 0.14) * _bump(y - 7.0, 0.14) + 0.5 * surface.ear
    skin = skin * (1 - red[:, None] * _rgb([0.02, 0.13, 0.13]))
    under_eye = (1 + person.age) * _bump(ax - 0.3, 0.14) * _bump(y - 7.12, 0.063)
    skin = skin * (1 - under_eye[:, None] * _rgb([0.10, 0.12, 0.08]))
    skin = skin * (1 - np.clip(_creases(x, y, z, person.age, face), 0, 0.6))[:, None]
    hair = _rgb(person.hair)
    if person.beard:
        cheek = (
            smooth(6.95, 6.6, y + 0.25 * smooth(0.3, 0.65, ax)) * smooth(5.85, 6.15, y) * (z > 0.25)
        )
        cheek = cheek * (1 - 0.9 * _bump(ax, 0.2) * _bump(y - 6.62, 0.09))
        moustache = 0.9 * _bump(ax, 0.245) * _bump(y - 6.79, 0.059)
        beard = np.maximum(cheek, moustache) * (1 - lip) * person.beard
        beard = np.clip(beard * (0.75 + 0.9 * _noise(2.5 * x, 2.5 * y, 3)), 0, 0.95)
        skin = _mix(skin, hair, beard)
    lips = (0.35 * skin + 0.65 * _rgb(person.lips)) * _rgb([1, 0.92, 0.92])
    skin = _mix(skin, lips, lip)
    seam = _bump(y - 6.605, 0.011) * (ax < 0.27) * (z < 1.56) * lip
    skin = skin * (1 - 0.55 * seam)[:, None]
    return _mix(skin, 0.55 * hair, _brows(ax, x, y, z, person.brow))


def _brows(ax: FloatArray, x: FloatArray, y: FloatArray, z: FloatArray, thick: float) -> FloatArray:
    along = (ax - 0.10) / 0.44
    inside = np.clip(along, 0, 1)
    centre = 7.512 + 0.040 * np.sin(2.2 * inside) - 0.045 * along
    half = 0.040 * (1 - 0.5 * inside) * thick
    brow = smooth(1.25, 0.55, np.abs(y - centre) / half) * (z > 0.9)
    brow = brow * smooth(0, 0.1, along) * smooth(1.02, 0.85, along)
    return np.clip(brow * (0.8 + 0.6 * _noise(4 * x, 1.5 * y, 3)), 0, 0.93)


def _creases(x: FloatArray, y: FloatArray, z: FloatArray, age: float, face: Face) -> FloatArray:
    """Return how dark the folds of the skin are that action units and age make."""
    ax, total = np.abs(x), np.zeros_like(x)

    def unit(number: int) -> FloatArray:
        left, right = side_strengths(face.units, number)
        share = smooth(-0.06, 0.06, x)
        return np.clip(right + (left - right) * share, 0, 1)

    brow = np.maximum(unit(1) * _bump(ax, 0.22), unit(2) * smooth(0.1, 0.25, ax))
    for height, share in ((7.70, 0.7), (7.80, 1.0), (7.90, 0.8)):
        wave = height - 0.05 * _bump(ax, 0.12) + 0.02 * _noise(0.5 * x, 0.5 * y, 1)
        strength = share * np.maximum(0.3 * brow, 0.12 * age)
        total += 0.8 * strength * _bump(y - wave, 0.02) * smooth(0.55, 0.4, ax)
    total += (
        0.45 * np.maximum(unit(4), 0.15 * age) * _bump(ax - 0.065, 0.016) * _bump(y - 7.55, 0.09)
    )
    for height in (7.22, 7.30, 7.38):
        lines = _bump(y - height - 0.25 * ax, 0.016) * smooth(0.20, 0.12, ax)
        total += 0.4 * unit(9) * lines * (z > 1.2)
    # From the wing of the nose to beside the corner of the mouth.
    fold = np.clip(
        np.maximum.reduce([unit(9), 0.9 * unit(10), 0.75 * unit(12), 0.4 * age + 0 * x]), 0, 1
    )
    down = np.clip((7.02 - y) / 0.42, 0, 1)
    side = 0.20 + 0.22 * np.sqrt(down)
    total += 0.26 * fold * _bump(ax - side, 0.035) * smooth(6.55, 6.66, y) * smooth(7.06, 6.96, y)
    crow = np.maximum(unit(6), 0.35 * age)
    for slope in (-0.5, 0.0, 0.5):
        ray = _bump(y - 7.29 - slope * (ax - 0.5), 0.011)
        total += 0.3 * crow * ray * smooth(0.52, 0.56, ax) * smooth(0.70, 0.62, ax)
    bag = _bump(y - 7.16 + 0.12 * (1 - smooth(0.2, 0.34, ax)) * 0.3, 0.018) * _bump(ax - 0.33, 0.13)
    total += 0.14 * np.maximum(unit(7), unit(6)) * bag
    total += 0.5 * unit(14) * _bump(ax - 0.36, 0.022) * _bump(y - 6.62, 0.06)
    total += 0.2 * unit(15) * _bump(ax - 0.33 - 0.3 * (6.6 - y), 0.03) * _bump(y - 6.53, 0.06)
    chin = np.clip(_noise(x, y, 1) * 2, 0, 1)
    total += 0.2 * unit(17) * chin * _bump(x, 0.18) * _bump(y - 6.22, 0.1)
    return np.asarray(total, np.float32)


def _eye(place: FloatArray, mesh: Mesh, person: Person, gaze: tuple[float, float]) -> FloatArray:
    centre = np.where(place[:, :1] > 0, mesh.eyes[0], mesh.eyes[1])
    off = place - centre
    x, y = off[:, 0] - 0.14 * gaze[0], off[:, 1] - 0.14 * gaze[1]
    radius, front = np.hypot(x, y), off[:, 2] > 0
    iris = smooth(0.075, 0.068, radius) * front
    pupil = smooth(0.032, 0.027, radius) * front
    white = _rgb([0.93, 0.91, 0.89]) * (1 - 0.25 * smooth(0.06, 0.14, radius))[:, None]
    ring = 0.7 + 0.9 * smooth(0.03, 0.07, radius) - 0.55 * smooth(0.062, 0.074, radius)
    ring = ring * (1 + 0.5 * _noise(np.arctan2(y, x), radius, 2))
    eye = _mix(white, _rgb(person.iris) * ring[:, None], iris)
    eye = _mix(eye, _rgb([0.02, 0.02, 0.02]), pupil)
    return eye * (0.55 + 0.45 * smooth(7.40, 7.30, place[:, 1]))[:, None]


def _teeth(place: FloatArray) -> FloatArray:
    x, y, _ = place.T
    gum = (y > 6.775) | (y < 6.49)
    tooth = _rgb([0.92, 0.89, 0.82]) * (1 - 0.25 * smooth(0.12, 0.3, np.abs(x)))[:, None]
    return np.where(gum[:, None], _rgb([0.62, 0.30, 0.29]), tooth)


def _cover(surface: Surface, worn: Worn) -> FloatArray:
    """Return how far mask or blindfold cover each pixel."""
    x, y, z = surface.place.T
    ax = np.abs(x)
    if worn is Worn.MASK:
        top = 7.12 - 0.28 * smooth(0.1, 0.75, ax)
        bottom = 5.95 + 0.35 * smooth(1.1, 0.5, z)
        inside = smooth(0, 0.02, top - y) * smooth(0, 0.03, y - bottom) * (z > 0.42)
        strap = (np.abs(y - 6.9) < 0.03) & (z <= 0.45) & (z > -0.1) & (ax > 0.5)
        return np.asarray(np.maximum(inside, strap) * (surface.part != Part.HAIR), np.float32)
    if worn is Worn.BLINDFOLD:
        return np.asarray(smooth(0.27, 0.25, np.abs(y - 7.32)), np.float32)
    return np.zeros_like(x)


def _mix(one: FloatArray, other: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(one + share[:, None] * (other - one), np.float32)


def _rgb(channels: Sequence[float]) -> FloatArray:
    return np.array(channels, np.float32)


def _bump(x: NDArray[np.floating], width: float) -> FloatArray:
    return np.asarray(np.exp(-((x / width) ** 2)), np.float32)


@cache
def _textures() -> list[FloatArray]:
    rng = np.random.default_rng(7)
    sizes = (16, 64, 256, 1024)
    tables = [rng.random((size, size)).astype(np.float32) for size in sizes]
    return [cv2.resize(table, (1024, 1024), interpolation=cv2.INTER_CUBIC) for table in tables]


def _noise(u: FloatArray, v: FloatArray, octave: int) -> FloatArray:
    """Return noise from -0.5 to 0.5; a higher octave is finer."""
    rows, columns = (np.abs(256 * part).astype(np.int32) & 1023 for part in (v, u))
    return _textures()[octave].take(rows * 1024 + columns) - np.float32(0.5)
