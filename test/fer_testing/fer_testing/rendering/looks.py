"""What a head looks like: shape, colours, hair, light, and what it wears."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""


class Worn(Enum):
    """What covers a part of the face."""

    NOTHING = "nothing"
    GLASSES = "glasses"
    DARK_GLASSES = "dark_glasses"
    MASK = "mask"
    BLINDFOLD = "blindfold"


@dataclass(frozen=True)
class Person:
    """A person.

    Attributes
    ----------
    vertices : the shape without expression (vertices, 3), see `Mesh.identity`.
    age : 0 young to 1 old: wrinkles.
    hairline : height of the hair above the brow, decimetres.
    hair_thickness : decimetres; 0: no hair.
    beard : 0 to 1.
    brow : thickness of the brows, 1: usual.
    stone : colour of all of a statue; None for a living person.
    """

    vertices: FloatArray
    age: float
    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    shirt: Colour
    hairline: float = 0.55
    hair_thickness: float = 0.2
    long_hair: bool = False
    beard: float = 0.0
    brow: float = 1.0
    stone: Colour | None = None


@dataclass(frozen=True)
class Light:
    """A key light with a shadow, a weak fill light, and light from everywhere.

    Attributes
    ----------
    direction : towards the key light (x right in the picture, y up, z to the camera).
    key, fill, ambient : intensities.
    gamma : of the picture; above 1 is darker.
    """

    direction: tuple[float, float, float] = (-0.45, 0.55, 0.75)
    key: float = 0.85
    fill: float = 0.28
    ambient: float = 0.3
    gamma: float = 1.0


@dataclass(frozen=True)
class View:
    """How the head stands before the camera.

    Attributes
    ----------
    width, height : of the picture, px.
    face_px : width of the face, px.
    yaw, pitch, roll : radians. Positive yaw: to the right in the picture; roll: clockwise.
    x, y : centre of the face from the centre of the picture, px.
    gaze : of the eyes, right and up, -1 to 1.
    """

    width: int = 240
    height: int = 240
    face_px: float = 140.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Face:
    """What the face does: strength of action units by FACS number, and sides.

    Attributes
    ----------
    units : strength by FACS number (`12`), or number and side (`12L`, `12R`, its own left).
    worn : what covers it.
    worn_colour : colour of the frame of glasses, of the mask or of the blindfold.
    """

    units: dict[str, float] = field(default_factory=dict)
    worn: Worn = Worn.NOTHING
    worn_colour: Colour = (0.1, 0.1, 0.12)
