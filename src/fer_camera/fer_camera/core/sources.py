"""Where frames come from when they lie on disk: a video file, a folder of images.

A source is opened, read until it returns None, and closed. Opening it again begins at its first
frame.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from fer_common.core.errors import ConfigurationError
from fer_common.core.images import Pixels

#: Frame rate of a folder, and of a video that does not state its own.
DEFAULT_RATE_HZ = 10.0
_MAX_RATE_HZ = 1000.0
IMAGE_SUFFIXES = frozenset(
    {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)


class Source(Protocol):
    """A source that has an end and gives its frames as fast as they are read.

    Attributes
    ----------
    name : what is played, for people and for `FrameInfo.source`.
    rate_hz : the source's own frame rate, known once it is open.
    unreadable : how many images were passed over because they could not be decoded.
    """

    name: str
    rate_hz: float
    unreadable: int

    def open(self) -> None:
        """Go to the first frame.

        Raises
        ------
        ConfigurationError
            if there is not a single frame to be had.
        """

    def read(self) -> Pixels | None:
        """Return the next frame, (height, width, 3) uint8 BGR; None at the end."""

    def close(self) -> None:
        """Release the file."""


class VideoSource:
    """A video file, whatever OpenCV can decode."""

    def __init__(self, path: Path, name: str = "") -> None:
        self.name = name or str(path)
        self.rate_hz = DEFAULT_RATE_HZ
        self.unreadable = 0
        self._path = path
        self._capture: cv2.VideoCapture | None = None
        self._first: Pixels | None = None

    def open(self) -> None:
        """See `Source.open`."""
        self.close()
        capture = cv2.VideoCapture(str(self._path))
        decoded, pixels = capture.read()
        if not decoded:
            capture.release()
            raise ConfigurationError(
                f"source '{self.name}' cannot be decoded as video: it is damaged, no video, or of "
                "a format that this OpenCV does not know; convert it to MP4 or name another"
            )
        rate_hz = capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = rate_hz if 0 < rate_hz <= _MAX_RATE_HZ else DEFAULT_RATE_HZ
        self._capture, self._first = capture, np.asarray(pixels, np.uint8)

    def read(self) -> Pixels | None:
        """See `Source.read`."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._capture is None:
            return None
        decoded, pixels = self._capture.read()
        return np.asarray(pixels, np.uint8) if decoded else None

    def close(self) -> None:
        """See `Source.close`."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._first = None


class FolderSource:
    """The images of a folder, in natural order of their names; or one image file."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.rate_hz = DEFAULT_RATE_HZ
        self.unreadable = 0
        self._path = path
        self._left: list[Path] = []
        self._first: Pixels | None = None

    def open(self) -> None:
        """See `Source.open`."""
        self.unreadable = 0
        files = image_files(self._path)
        if not files:
            suffixes = " ".join(sorted(IMAGE_SUFFIXES))
            raise ConfigurationError(
                f"source '{self.name}' holds no images: put some there ({suffixes})"
            )
        self._left = files[::-1]
        self._first = self._next()
        if self._first is None:
            raise ConfigurationError(
                f"source '{self.name}': none of its {len(files)} images can be decoded; "
                "replace them"
            )

    def read(self) -> Pixels | None:
        """See `Source.read`. Images that cannot be decoded are passed over and counted."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._next()

    def close(self) -> None:
        """See `Source.close`."""
        self._left, self._first = [], None

    def _next(self) -> Pixels | None:
        while self._left:
            pixels = read_image(self._left.pop())
            if pixels is not None:
                return pixels
            self.unreadable += 1
        return None


def image_files(path: Path) -> list[Path]:
    """Return the image files of a folder in natural order, or the one image file that `path` is.

    Raises
    ------
    ConfigurationError
        if the folder cannot be listed.
    """
    if path.is_file():
        return [path]
    try:
        names = [entry.name for entry in path.iterdir() if is_image(entry)]
    except OSError as error:
        raise ConfigurationError(f"source '{path}' cannot be read: {error.strerror}") from error
    return [path / name for name in sorted(names, key=natural_key)]


def is_image(path: Path) -> bool:
    """Whether the name is that of an image, and not a hidden one."""
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts runs of digits as numbers, so that 2 comes before 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts
    ], name


def read_image(path: Path) -> Pixels | None:
    """Return an image as BGR, (height, width, 3) uint8, None if it cannot be decoded."""
    try:
        data = np.fromfile(path, np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)
