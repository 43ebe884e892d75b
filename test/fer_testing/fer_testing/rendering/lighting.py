"""How bright the surface is: a key light with a shadow, a fill light, and light from everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_testing.rendering.looks import Light
from fer_testing.rendering.mesh import unit
from fer_testing.rendering.paint import Material, Surface
from fer_testing.rendering.raster import rasterise, reached

FloatArray = NDArray[np.float32]

_SHADOW_PX, _SHADOW_DM = 300, 6.4
"""Size of the picture in which the key light sees the head."""
_TO_CAMERA = np.array([0, 0, 1], np.float32)


def lit(
    surface: Surface,
    material: Material,
    place: FloatArray,
    light: Light,
    casting: tuple[FloatArray, NDArray[np.int64]],
) -> FloatArray:
    """Return the linear brightness of each pixel (pixels, 3).

    Parameters
    ----------
    place : where the surface stands before the camera (pixels, 3).
    casting : vertices and triangles that cast the shadow.
    """
    key = unit(np.array([light.direction], np.float32))[0]
    side = -np.sign(key[0] or -1)
    fill = unit(np.array([[0.7 * side, 0.25, 0.6]], np.float32))[0]
    normal, concave = surface.normal, surface.concavity
    shade = _shadow(place, key, *casting)
    dark = 1.6 * np.clip(concave, 0, 0.35)
    occlusion = np.clip(1 - dark + 0.25 * np.clip(-concave, 0, 0.3), 0.45, 1.15)
    ambient = light.ambient + 0.1 * normal[:, 1:2]
    bright = ambient + light.key * _diffuse(normal, key) * (0.35 + 0.65 * shade)[:, None]
    bright = bright + light.fill * _diffuse(normal, fill)
    gloss = light.key * _gloss(normal, key, material)
    gloss = gloss + light.fill * _gloss(normal, fill, material)
    reflected = material.colour**2 * bright * occlusion[:, None] + gloss[:, None]
    return np.asarray(reflected, np.float32)


def _diffuse(normal: FloatArray, towards: FloatArray) -> FloatArray:
    """Return Lambert's law, softened most in red, since light scatters in skin."""
    cosine = normal @ towards
    return np.stack([np.clip((cosine + k) / (1 + k), 0, 1) for k in (0.35, 0.18, 0.12)], axis=1)


def _gloss(normal: FloatArray, towards: FloatArray, material: Material) -> FloatArray:
    """Return the highlight of Blinn and Phong."""
    half = unit((towards + _TO_CAMERA)[None])[0]
    return np.asarray(material.gloss * np.clip(normal @ half, 0, 1) ** material.sharpness)


def _shadow(
    place: FloatArray, key: FloatArray, vertices: FloatArray, triangles: NDArray[np.int64]
) -> FloatArray:
    """Return how much of the key light reaches each place, 0 to 1."""
    across = unit(np.cross([[0, 1, 0]], key[None]))[0]
    along = np.cross(key, across)
    scale, middle = _SHADOW_PX / _SHADOW_DM, _SHADOW_PX / 2

    def seen_from_light(points: FloatArray) -> tuple[FloatArray, FloatArray]:
        flat = np.stack([points @ across, points @ along], axis=1) * scale + middle
        return flat.astype(np.float32), np.asarray(-(points @ key), np.float32)

    _, _, buffer = rasterise(*seen_from_light(vertices), triangles, _SHADOW_PX, _SHADOW_PX)
    points, depth = seen_from_light(place)
    return np.asarray(reached(points, depth - np.float32(0.06), buffer))
