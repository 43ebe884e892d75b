"""Labelled faces from folders and tables: found, read, and cropped.

A folder of classes has one folder of pictures per label; a table is a CSV file of lines
`picture,label`, with pictures named relative to the table. Pictures go through the same path as
live ones: detection, alignment by the eyes, Gabor features.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.errors import FerError
from fer_features.core.alignment import TIGHT_EYES, align_face, to_grey, widened_eyes
from fer_features.core.gabor import features_from_crops
from fer_features.core.pipeline import FeatureParameters, FeaturePipeline, largest
from fer_features.core.search import SearchParameters
from fer_features.core.tracker import EYES
from fer_snn.core.labels import canonical
from fer_snn.core.neurons.lif import Float32s
from fer_train.augment import Variation, variant
from fer_train.disturbances import Disturbance
from fer_train.jobs import Jobs, Progress

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".webp"}
ALONE = Jobs(1)

Scalar = TypeVar("Scalar", bound=np.generic)


class FacesError(FerError):
    """Pictures or a table that cannot be used."""


class Crop(str, Enum):
    """Where the face is in a picture: to be found, or the picture is a tight face crop already."""

    AUTO = "auto"
    GIVEN = "given"


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and the label it stands under."""

    path: Path
    label: str


@dataclass(frozen=True)
class Faces:
    """Crops of labelled faces, in the order of the pictures.

    Attributes
    ----------
    crops : (faces, 1 + variants, side, side), grey; the first as it is, then its variants.
    labels : of each face.
    whole : how many pictures were taken whole because no face was found in them, or looked for.
    unreadable : files that are no picture; they are left out.
    """

    crops: NDArray[np.uint8]
    labels: tuple[str, ...]
    whole: int
    unreadable: tuple[Path, ...]


@dataclass(frozen=True)
class Cutting:
    """How faces are cut out of pictures.

    Attributes
    ----------
    crop : whether to look for the face.
    variants : how many to draw of each face besides the face as it is.
    seed : of the variants and of the disturbance.
    disturbance : what happens to every picture first, None for nothing.
    looks_again : whether every face is looked at several times, see `mean_detection`.
    """

    crop: Crop = Crop.AUTO
    variants: int = 0
    seed: int = 0
    disturbance: Disturbance | None = None
    looks_again: bool = True


_ONE_LOOK = Cutting(looks_again=False)


def find(source: Path) -> list[LabelledPicture]:
    """Return the labelled pictures of a folder of classes or of a table, sorted by label and name.

    Raises
    ------
    FacesError
        if there is no such source, or no labelled picture in it.
    """
    if source.is_dir():
        found = list(_of_folder(source))
        hint = "it needs one folder of pictures for each expression"
    elif source.is_file():
        found = list(_of_table(source))
        hint = "it needs lines 'picture,label'"
    else:
        raise FacesError(f"{source} does not exist: name a folder of classes or a CSV file")
    if not found:
        raise FacesError(f"{source} holds no labelled pictures: {hint}")
    return sorted(found, key=lambda picture: (picture.label, picture.path.as_posix()))


def _of_folder(folder: Path) -> Iterator[LabelledPicture]:
    for class_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        pictures = [p for p in class_folder.rglob("*") if p.suffix.lower() in PICTURES]
        if not pictures:
            raise FacesError(f"{class_folder} holds no pictures: fill it or take it away")
        yield from (LabelledPicture(p, canonical(class_folder.name)) for p in pictures)


def _of_table(table: Path) -> Iterator[LabelledPicture]:
    try:
        rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FacesError(
            f"{table} cannot be read as CSV ({error}): it needs lines 'picture,label'"
        ) from error
    for number, row in enumerate(rows, 1):
        if len(row) < 2 or not row[1].strip():  # noqa: PLR2004 (picture and label)
            raise FacesError(f"{table}, line {number}: it needs 'picture,label'")
        path = table.parent / row[0].strip()
        if path.suffix.lower() in PICTURES:
            yield LabelledPicture(path, canonical(row[1]))
        elif number > 1:
            raise FacesError(f"{table}, line {number}: '{row[0]}' does not name a picture")


def load(
    pictures: Sequence[LabelledPicture],
    cutting: Cutting,
    jobs: Jobs = ALONE,
    progress: Progress = lambda done, total: None,
) -> Faces:
    """Read pictures and cut the faces out; the result does not depend on `jobs`.

    Raises
    ------
    FacesError
        if not one picture can be read.
    """
    numbered = [(number, picture.path) for number, picture in enumerate(pictures)]
    cut = list(jobs.in_chunks(partial(_cut_chunk, cutting=cutting), numbered, progress))
    both = list(zip(pictures, cut, strict=True))
    readable = [(picture, face) for picture, face in both if face is not None]
    if not readable:
        raise FacesError("none of the pictures can be read: give JPEG or PNG files")
    return Faces(
        crops=np.stack([face.crops for _, face in readable]),
        labels=tuple(picture.label for picture, _ in readable),
        whole=sum(not face.found for _, face in readable),
        unreadable=tuple(picture.path for picture, face in both if face is None),
    )


def features_of(
    crops: NDArray[np.uint8],
    jobs: Jobs = ALONE,
    progress: Progress = lambda done, total: None,
    kept_as: Callable[[Float32s], NDArray[Any]] = lambda features: features,
) -> NDArray[Any]:
    """Return the features of crops (n, side, side): (n, channels, rows, cols).

    Parameters
    ----------
    kept_as:
        What to keep of the features of some faces, for sets that would not fit into memory.
    """
    chunks = jobs.in_chunks(_describe_chunk, list(crops), progress)
    return np.stack([kept_as(features) for features in chunks])


class _Cut(NamedTuple):
    """The crops of one picture, and whether a face was found in it."""

    crops: NDArray[np.uint8]
    found: bool


@lru_cache(maxsize=2)
def _pipeline(looks_again: bool) -> FeaturePipeline:
    cv2.setNumThreads(1)
    search = SearchParameters() if looks_again else SearchParameters(still_turns_deg=())
    return FeaturePipeline(FeatureParameters(search=search))


def _cut_chunk(items: Sequence[tuple[int, Path]], cutting: Cutting) -> list[_Cut | None]:
    return [_cut(number, path, cutting) for number, path in items]


def _cut(number: int, path: Path, cutting: Cutting) -> _Cut | None:
    """Return the face in a picture and its variants; None for a file that is no picture."""
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        return None
    picture = np.asarray(image, dtype=np.uint8)
    rng = np.random.default_rng((cutting.seed, number))
    if cutting.disturbance is not None:
        picture = _disturbed(picture, cutting, rng)
    found_px = _eyes(picture, cutting)
    eyes_px = _expected_eyes(picture) if found_px is None else found_px
    if cutting.disturbance is not None:
        eyes_px = cutting.disturbance.moved(eyes_px, rng)
    geometry = _pipeline(cutting.looks_again).parameters.geometry
    aligned = align_face(picture, eyes_px, geometry)
    if aligned is None:
        return None
    crops = [aligned.crop]
    for _ in range(cutting.variants):
        drawn = variant(to_grey(picture), eyes_px, geometry, Variation(), rng)
        crops.append(aligned.crop if drawn is None else drawn)
    return _Cut(np.stack(crops), found_px is not None)


def _disturbed(
    picture: NDArray[np.uint8], cutting: Cutting, rng: np.random.Generator
) -> NDArray[np.uint8]:
    assert cutting.disturbance is not None
    found_px = _eyes(picture, cutting) if cutting.disturbance.width_px else None
    eyes_px = _expected_eyes(picture) if found_px is None else found_px
    scale = cutting.disturbance.scale(eyes_px)
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
    return cutting.disturbance.change(picture, rng)


def _eyes(picture: NDArray[np.uint8], cutting: Cutting) -> NDArray[np.float64] | None:
    """Return the eyes (2, 2) of the largest face in a picture.

    None where there is no face, or where none is to be looked for.
    """
    if cutting.crop is Crop.GIVEN:
        return None
    seen = _pipeline(cutting.looks_again).find_still(picture)
    face = largest([face for face in seen if face.crop is not None])
    if face is None:
        return None
    return widened_eyes(face.landmarks_px[EYES], (face.roi.width + face.roi.height) / 2)


def crop_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the largest face in a picture, aligned (side, side), None where there is none."""
    eyes_px = _eyes(picture, _ONE_LOOK)
    if eyes_px is None:
        return None
    aligned = align_face(picture, eyes_px, _pipeline(_ONE_LOOK.looks_again).parameters.geometry)
    return None if aligned is None else aligned.crop


def _expected_eyes(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return where the eyes (2, 2) are in a tight face crop; of a long picture, in its middle."""
    height, width = picture.shape[:2]
    side = min(height, width)
    corner = np.array([(width - side) // 2, (height - side) // 2])
    return np.asarray(TIGHT_EYES * side + corner)


def _describe_chunk(crops: Sequence[NDArray[np.uint8]]) -> list[Float32s]:
    return list(features_from_crops(np.stack(crops)))


def mirrored(features: NDArray[Scalar], orientations: int) -> NDArray[Scalar]:
    """Return the features that the mirrored faces would have.

    Mirroring turns column c into the last but c, and orientation theta into pi - theta.

    Parameters
    ----------
    features:
        (..., channels, rows, cols), channel = scale * orientations + orientation.
    """
    *faces, channels, rows, cols = features.shape
    by_scale = features.reshape(*faces, channels // orientations, orientations, rows, cols)
    turned = by_scale[..., -np.arange(orientations) % orientations, :, ::-1]
    return np.ascontiguousarray(turned).reshape(features.shape)


def indices(labels: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the index in `names` of each label.

    Raises
    ------
    FacesError
        for labels that are not among them.
    """
    unknown = sorted(set(labels) - set(names))
    if unknown:
        raise FacesError(
            f"the network does not know {', '.join(unknown)} (it knows {', '.join(names)}): "
            "take the folder away or rename it"
        )
    position = {name: k for k, name in enumerate(names)}
    return np.array([position[label] for label in labels], dtype=np.int64)
