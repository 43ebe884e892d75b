"""Clips in which one face each changes its expression: what is to be learnt without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_train.faces import ALONE, FacesError, crop_of
from fer_train.jobs import Jobs, Progress

VIDEOS = {".avi", ".mkv", ".mov", ".mp4", ".mpg", ".webm"}
MOST_FRAMES = 60
"""Of a clip so many frames are looked at, spread over it: neighbours show the same."""
FEWEST_FRAMES = 2

Crops = NDArray[np.uint8]


@dataclass(frozen=True)
class Clips:
    """Faces of clips.

    Attributes
    ----------
    crops : of all frames with a face (frames, side, side), grey.
    clip : number of the clip that each is of (frames).
    """

    crops: Crops
    clip: NDArray[np.int64]


def default_folder() -> Path:
    """Return where the clips in the package are."""
    return Path(__file__).resolve().parent / "rendered_heads"


def find(folder: Path) -> list[Path]:
    """Return the videos of a folder in the order of their names.

    Raises
    ------
    FacesError
        if there are none.
    """
    if not folder.is_dir():
        raise FacesError(f"{folder} is no folder: name one with a video of each face")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS)
    if not found:
        raise FacesError(
            f"{folder} holds no videos ({', '.join(sorted(VIDEOS))}): it needs one of each face"
        )
    return found


def load(
    videos: Sequence[Path],
    jobs: Jobs = ALONE,
    progress: Progress = lambda done, total: None,
) -> Clips:
    """Read videos and cut the largest face out of each frame; the result does not depend on `jobs`.

    Frames without a face are left out.

    Raises
    ------
    FacesError
        for a video that cannot be read, or that shows a face in fewer than two frames.
    """
    cut = list(jobs.in_chunks(_cut, videos, progress, chunk=1))
    for video, crops in zip(videos, cut, strict=True):
        if len(crops) < FEWEST_FRAMES:
            raise FacesError(
                f"{video} shows a face in {len(crops)} frames, so none that changes: "
                "take it away, or film a face from the front"
            )
    clip = np.repeat(np.arange(len(cut)), [len(crops) for crops in cut])
    return Clips(np.concatenate(cut), clip)


def _cut(videos: Sequence[Path]) -> list[Crops]:
    crops = [
        [crop for crop in map(crop_of, _frames(video)) if crop is not None] for video in videos
    ]
    return [np.stack(some) if some else np.zeros((0, 0, 0), np.uint8) for some in crops]


def _frames(video: Path) -> Iterator[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(video))
    try:
        # An estimate from the header; for some containers there is none, and every frame counts.
        every = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) // MOST_FRAMES, 1)
        for number, _ in enumerate(iter(partial(capture.grab), False)):
            if number % every == 0:
                whole, picture = capture.retrieve()
                if whole:
                    yield np.asarray(picture, np.uint8)
    finally:
        capture.release()
