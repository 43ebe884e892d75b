"""Video clips in which one face changes its expression, for learning without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_train.faces import ALONE, crop_of
from fer_train.jobs import Jobs
from fer_train.progress import Progress, no_progress
from fer_train.tables import DatasetError

VIDEOS = {".avi", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}
MAX_FRAMES = 60
"""Number of frames of a clip that are read, evenly spaced, because neighbours look the same."""
MIN_FRAMES = 2

Crops = NDArray[np.uint8]


@dataclass(frozen=True)
class ClipFaces:
    """Faces in clips.

    Attributes
    ----------
    crops : crops of all frames with a face (frames, side, side), grey.
    clip : number of the clip of each frame (frames).
    """

    crops: Crops
    clip: NDArray[np.int64]


def default_folder() -> Path:
    """Return the folder of the clips in the package."""
    return Path(__file__).resolve().parent / "rendered_heads"


def find(folder: Path) -> list[Path]:
    """Return the videos in a folder, sorted by name.

    Raises
    ------
    DatasetError
        if there are none.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder: name a folder with one video of each face")
    files = (path for path in folder.iterdir() if not path.name.startswith("."))
    found = sorted(path for path in files if path.suffix.lower() in VIDEOS)
    if not found:
        raise DatasetError(
            f"{folder} holds no videos ({', '.join(sorted(VIDEOS))}): add one of each face"
        )
    return found


def load(videos: Sequence[Path], jobs: Jobs = ALONE, progress: Progress = no_progress) -> ClipFaces:
    """Read videos and crop the largest face of each frame. The result does not depend on `jobs`.

    Frames without a face are left out.

    Raises
    ------
    DatasetError
        if a video cannot be read, or shows a face in fewer than two frames.
    """
    cropped = list(jobs.in_chunks(_crop, videos, progress, chunk=1))
    for video, crops in zip(videos, cropped, strict=True):
        if len(crops) < MIN_FRAMES:
            raise DatasetError(
                f"{video} shows a face in {len(crops)} frames, at least {MIN_FRAMES} are needed: "
                "remove it, or film a face from the front"
            )
    clip = np.repeat(np.arange(len(cropped)), [len(crops) for crops in cropped])
    return ClipFaces(np.concatenate(cropped), clip)


def _crop(videos: Sequence[Path]) -> list[Crops]:
    found = ([crop_of(picture) for _, picture in frames(video, MAX_FRAMES)] for video in videos)
    crops = [[crop for crop in some if crop is not None] for some in found]
    return [np.stack(some) if some else np.zeros((0, 0, 0), np.uint8) for some in crops]


def frames(video: Path, most: int | None = None) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield stamp (nanoseconds) and picture of the frames of a video.

    Parameters
    ----------
    most : leave out so many between two that about this many are left; None: leave out none.
    """
    capture = cv2.VideoCapture(str(video))
    rate_hz = capture.get(cv2.CAP_PROP_FPS) or 30.0
    try:
        # The header only has an estimate. Some containers have none: then read every frame.
        every = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // most, 1) if most else 1
        for number, _ in enumerate(iter(partial(capture.grab), False)):
            if number % every == 0:
                decoded, picture = capture.retrieve()
                if decoded:
                    yield round(number * NANOSECONDS / rate_hz), np.asarray(picture, np.uint8)
    finally:
        capture.release()
