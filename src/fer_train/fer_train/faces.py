"""Faces of labelled pictures: read, cropped and described.

Pictures go through the same path as live images: detection, alignment by the eyes, Gabor features.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_common.core.images import read_image
from fer_features.core.alignment import TIGHT_EYES, align_face, on_grid, to_grey, widened_eyes
from fer_features.core.gabor import features_from_crops
from fer_features.core.pipeline import FeatureParameters, FeaturePipeline, largest
from fer_features.core.search import SearchParameters
from fer_features.core.tracker import EYES
from fer_snn.core.neurons.lif import Float32s
from fer_train.augment import Variation, variant
from fer_train.dataset import LabelledPicture
from fer_train.disturbances import Disturbance
from fer_train.jobs import Jobs
from fer_train.progress import Progress, no_progress
from fer_train.tables import DatasetError

ALONE = Jobs(1)
MIN_CONTRAST = 4
"""Difference of grey values in a crop below which it shows nothing."""


class Crop(str, Enum):
    """Whether to find the face in a picture, or to take the picture as a tight face crop."""

    AUTO = "auto"
    GIVEN = "given"


@dataclass(frozen=True)
class Faces:
    """Crops of labelled faces, in the order of the pictures.

    Attributes
    ----------
    crops : (faces, 1 + variants, side, side), grey; the unchanged face, then its variants.
    pictures : picture of each face.
    whole : pictures that were taken whole, because no face was found or looked for.
    blank : pictures that have almost the same grey value everywhere.
    unreadable : files that are left out.
    """

    crops: NDArray[np.uint8]
    pictures: tuple[LabelledPicture, ...]
    whole: tuple[Path, ...]
    blank: tuple[Path, ...]
    unreadable: tuple[Path, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each face."""
        return tuple(picture.label for picture in self.pictures)


@dataclass(frozen=True)
class CropParameters:
    """How faces are cropped.

    Attributes
    ----------
    crop : whether to find the face.
    variants : number of random variants of each face, besides the unchanged one.
    seed : seed of the variants and of the disturbance.
    disturbance : change that is applied to every picture first; None for no change.
    looks_again : whether to detect each face several times, see `mean_detection`.
    """

    crop: Crop = Crop.AUTO
    variants: int = 0
    seed: int = 0
    disturbance: Disturbance | None = None
    looks_again: bool = True


_ONE_LOOK = CropParameters(looks_again=False)


def load(
    pictures: Sequence[LabelledPicture],
    parameters: CropParameters,
    jobs: Jobs = ALONE,
    progress: Progress = no_progress,
) -> Faces:
    """Read pictures and crop the faces. The result does not depend on `jobs`.

    Raises
    ------
    DatasetError
        if all pictures of a label are unreadable or blank.
    """
    numbered = [(number, picture.path) for number, picture in enumerate(pictures)]
    cropped = list(jobs.in_chunks(partial(_crop_chunk, parameters=parameters), numbered, progress))
    both = list(zip(pictures, cropped, strict=True))
    readable = [(picture, face) for picture, face in both if face is not None]
    faces = Faces(
        crops=np.stack([face.crops for _, face in readable]) if readable else np.empty(0, np.uint8),
        pictures=tuple(picture for picture, _ in readable),
        whole=tuple(picture.path for picture, face in readable if not face.found),
        blank=tuple(picture.path for picture, face in readable if face.blank),
        unreadable=tuple(picture.path for picture, face in both if face is None),
    )
    usable = {picture.label for picture, face in readable if not face.blank}
    for label in dict.fromkeys(picture.label for picture in pictures):
        if label not in usable:
            paths = [picture.path for picture in pictures if picture.label == label]
            raise DatasetError(
                f"none of the {len(paths)} pictures of '{label}' can be used ({paths[0]} is "
                f"{_fault(paths[0], faces)}): give JPEG or PNG files "
                "of faces, or remove the label"
            )
    return faces


def _fault(path: Path, faces: Faces) -> str:
    if path in faces.blank:
        return "blank"
    return "unreadable" if path.exists() else "missing"


def features_of(
    crops: NDArray[np.uint8],
    jobs: Jobs = ALONE,
    progress: Progress = no_progress,
    kept_as: Callable[[Float32s], NDArray[Any]] = lambda features: features,
) -> NDArray[Any]:
    """Return the features of crops (n, side, side): (n, channels, rows, cols).

    Parameters
    ----------
    kept_as : conversion of the features of some faces, for sets that would not fit into memory.
    """
    chunks = jobs.in_chunks(_describe_chunk, list(crops), progress)
    return np.stack([kept_as(features) for features in chunks])


class _CroppedFace(NamedTuple):
    """The crops of one picture, whether a face was found, and whether the crop shows nothing."""

    crops: NDArray[np.uint8]
    found: bool
    blank: bool


@lru_cache(maxsize=2)
def _pipeline(looks_again: bool) -> FeaturePipeline:
    cv2.setNumThreads(1)
    search = SearchParameters() if looks_again else SearchParameters(still_turns_deg=())
    return FeaturePipeline(FeatureParameters(search=search))


def _crop_chunk(
    items: Sequence[tuple[int, Path]], parameters: CropParameters
) -> list[_CroppedFace | None]:
    return [_cropped(number, path, parameters) for number, path in items]


def _cropped(number: int, path: Path, parameters: CropParameters) -> _CroppedFace | None:
    """Return the crops of a picture; None for a file that cannot be read."""
    picture = read_image(path)
    if picture is None or _is_truncated(path):
        return None
    rng = np.random.default_rng((parameters.seed, number))
    if parameters.disturbance is not None:
        picture = _disturbed(picture, parameters, parameters.disturbance, rng)
    found_px = _eyes(picture, parameters)
    eyes_px = _expected_eyes(picture) if found_px is None else found_px
    if parameters.disturbance is not None:
        eyes_px = parameters.disturbance.moved(eyes_px, rng)
    geometry = _pipeline(parameters.looks_again).parameters.geometry
    aligned = align_face(picture, eyes_px, geometry)
    if aligned is None:
        return None
    crops = [aligned.crop]
    for _ in range(parameters.variants):
        drawn = variant(to_grey(picture), eyes_px, geometry, Variation(), rng)
        crops.append(aligned.crop if drawn is None else drawn)
    blank = bool(np.ptp(aligned.crop) < MIN_CONTRAST)
    return _CroppedFace(np.stack(crops), found_px is not None, blank)


def _is_truncated(path: Path) -> bool:
    """Return whether a JPEG file ends early. OpenCV fills the rest with grey and does not tell."""
    data = path.read_bytes()
    if not data.startswith(b"\xff\xd8"):
        return False
    try:
        with Image.open(io.BytesIO(data)) as image:
            # Decode at the lowest resolution.
            image.draft("L", (1, 1))
            image.load()
    except (OSError, SyntaxError, Image.DecompressionBombError):
        return True
    return False


def _disturbed(
    picture: NDArray[np.uint8],
    parameters: CropParameters,
    disturbance: Disturbance,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    found_px = _eyes(picture, parameters) if disturbance.width_px else None
    eyes_px = _expected_eyes(picture) if found_px is None else found_px
    scale = disturbance.scale(eyes_px)
    if scale < 1:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
    return disturbance.change(picture, rng)


def _eyes(picture: NDArray[np.uint8], parameters: CropParameters) -> NDArray[np.float64] | None:
    """Return the eyes (2, 2) of the largest face; None if there is none, or for `Crop.GIVEN`."""
    if parameters.crop is Crop.GIVEN:
        return None
    seen = _pipeline(parameters.looks_again).find_still(picture)
    face = largest([face for face in seen if face.crop is not None])
    if face is None:
        return None
    size_px = (face.roi.width + face.roi.height) / 2
    return on_grid(widened_eyes(face.landmarks_px[EYES], size_px))


def crop_of(picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the largest face in a picture, aligned (side, side); None if there is none."""
    eyes_px = _eyes(picture, _ONE_LOOK)
    if eyes_px is None:
        return None
    aligned = align_face(picture, eyes_px, _pipeline(_ONE_LOOK.looks_again).parameters.geometry)
    return None if aligned is None else aligned.crop


def _expected_eyes(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the eyes (2, 2) in a tight face crop: in the central square of the picture."""
    height, width = picture.shape[:2]
    side = min(height, width)
    corner = np.array([(width - side) // 2, (height - side) // 2])
    return np.asarray(TIGHT_EYES * side + corner)


def _describe_chunk(crops: Sequence[NDArray[np.uint8]]) -> list[Float32s]:
    return list(features_from_crops(np.stack(crops)))
