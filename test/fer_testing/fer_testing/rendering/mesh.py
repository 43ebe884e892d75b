"""The geometry of a head: its parts, identities (shapes of people) and facial action units."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

PACK = Path(__file__).with_name("head.npz")


class Part(IntEnum):
    """Part of the head that a triangle belongs to."""

    SKIN = 0
    EYE = 1
    TEETH = 2
    TONGUE = 3
    LASHES = 4
    HAIR = 5


class Mesh:
    """The head of MakeHuman. Lengths are in decimetres; x to its left, y up, z to the front.

    Attributes
    ----------
    base : the base vertices (vertices, 3). Colours are painted in these coordinates.
    triangles, parts : vertex numbers (triangles, 3) and part (triangles) of the triangles.
    part : the part of each vertex (vertices).
    lip, ear, mouth_cavity, eye_socket : how far each vertex belongs to it, 0 to 1 (vertices).
    eyes : centres of the left and the right eye (2, 3).
    """

    def __init__(self, path: Path = PACK) -> None:
        with np.load(path) as file:
            data = dict(file)
        self.base: FloatArray = data["vertices"]
        self.triangles = data["triangles"].astype(np.int64)
        self.parts = data["parts"]
        names = ("lip", "ear", "mouth_cavity", "eye_socket")
        self.lip, self.ear, self.mouth_cavity, self.eye_socket = (
            data[name].astype(np.float32) for name in names
        )
        self.eyes: FloatArray = data["eyes"]
        self.detail_names: list[str] = data["detail_names"].tolist()
        self._people = data["people"].astype(np.float32).reshape(3, 2, 2, -1)
        self._details = data["details"].astype(np.float32)
        self._units = dict(
            zip(data["unit_names"].tolist(), data["units"].astype(np.float32), strict=True)
        )
        self.part = np.zeros(len(self.base), np.uint8)
        self.part[self.triangles.reshape(-1)] = np.repeat(self.parts, 3)
        corners = self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        self._edges = np.unique(np.sort(corners, axis=1), axis=0)
        self._degree = np.bincount(self._edges.reshape(-1), minlength=len(self.base))

    def identity(
        self, race: FloatArray, gender: float, age: float, details: Mapping[str, float]
    ) -> FloatArray:
        """Return the vertices of a person.

        Parameters
        ----------
        race : weights of African, Asian and Caucasian, sum 1.
        gender : 0 female to 1 male.
        age : 0 young to 1 old.
        details : weights of some of `detail_names`, about -1 to 1.
        """
        shape = np.tensordot(race, self._people, 1)
        for share in (gender, age):
            shape = np.tensordot(np.array([1 - share, share], np.float32), shape, 1)
        weights = np.zeros(len(self.detail_names), np.float32)
        for name, weight in details.items():
            weights[self.detail_names.index(name)] = weight
        moved = np.tensordot(weights, self._details, 1)
        return np.asarray(self.base + shape.reshape(-1, 3) + moved, np.float32)

    def expression(self, units: Mapping[str, float]) -> FloatArray:
        """Return how action units of these strengths move the vertices (vertices, 3)."""
        moved = np.zeros_like(self.base)
        for name, strength in units.items():
            moved += np.float32(strength) * self._units[name]
        return moved

    def normals(self, vertices: FloatArray) -> FloatArray:
        """Return the unit normals of the vertices."""
        a, b, c = (vertices[self.triangles[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        normals = np.stack(
            [
                sum(
                    np.bincount(self.triangles[:, k], across[:, axis], len(vertices))
                    for k in range(3)
                )
                for axis in range(3)
            ],
            axis=1,
        )
        return unit(normals)

    def concavity(self, vertices: FloatArray, normals: FloatArray) -> FloatArray:
        """Return how concave the surface is around each vertex; below 0 where it is convex."""
        i, j = self._edges.T
        count = len(vertices)

        def mean_of_neighbours(values: FloatArray) -> NDArray[np.float64]:
            total = np.bincount(i, values[j], count) + np.bincount(j, values[i], count)
            return np.asarray(total / self._degree)

        middle = np.stack([mean_of_neighbours(vertices[:, axis]) for axis in range(3)], axis=1)
        lengths = np.linalg.norm(vertices[i] - vertices[j], axis=1)
        length = (np.bincount(i, lengths, count) + np.bincount(j, lengths, count)) / self._degree
        concave = ((middle - vertices) * normals).sum(axis=1) / (length + 1e-6)
        for _ in range(2):
            concave = 0.5 * concave + 0.5 * mean_of_neighbours(concave.astype(np.float32))
        return np.asarray(concave, np.float32)


@cache
def mesh() -> Mesh:
    """Return the head of the package."""
    return Mesh()


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    """Return vectors of length 1 (vectors, 3)."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / (length + 1e-9), np.float32)
