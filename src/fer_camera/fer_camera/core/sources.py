"""Sources of frames by name; the video files and image folders among them.

A file source is opened, read until it returns None, and closed. Opening it again starts at its
first frame.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np

from fer_camera.core.device import Device, NetworkCamera
from fer_camera.core.parameters import AUTO, DEMO
from fer_common.core.errors import ConfigurationError
from fer_common.core.images import Pixels, read_image

#: Frame rate of a folder, and of a video without a usable rate.
DEFAULT_RATE_HZ = 10.0
_MAX_RATE_HZ = 1000.0
#: A frame further than this from its place at the nominal rate, in periods, shows that the frame
#: rate varies. Containers round time stamps to milliseconds, so some deviation is normal.
_RATE_TOLERANCE = 0.5
IMAGE_SUFFIXES = frozenset(
    {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_NO_RATE = f" at {DEFAULT_RATE_HZ:g} Hz: it states no usable frame rate; set the parameter 'rate'"
_CLIP = Path(__file__).resolve().parents[1] / "demo" / "demo.mp4"


class FileSource(ABC):
    """A source that ends, and whose frames can be read at any speed.

    Attributes
    ----------
    name : of what is played, as in `FrameInfo.source`.
    rate_hz : nominal frame rate, known once the source is open.
    frame_rate_hz : 1 / (time between the last two frames read); `rate_hz` where it is constant.
    unreadable : number of images that were skipped because they could not be decoded.
    note : what the user should know about the source, as the end of a sentence, or empty.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.name = name or str(path)
        self.rate_hz = self.frame_rate_hz = DEFAULT_RATE_HZ
        self.unreadable = 0
        self.note = ""
        self._path = path
        self._first: Pixels | None = None

    @abstractmethod
    def open(self) -> None:
        """Go to the first frame.

        Raises
        ------
        ConfigurationError
            if not one frame can be read.
        """

    def read(self) -> Pixels | None:
        """Return the next frame, (height, width, 3) uint8 BGR; None at the end."""
        # `open` has read the first one.
        first, self._first = self._first, None
        return self._next() if first is None else first

    @abstractmethod
    def close(self) -> None:
        """Release the file."""

    @abstractmethod
    def _next(self) -> Pixels | None:
        """Read the next frame from the file; None at the end."""


class VideoFile(FileSource):
    """A video file in any format that OpenCV can decode."""

    def __init__(self, path: Path, name: str = "") -> None:
        super().__init__(path, name)
        self._capture: cv2.VideoCapture | None = None
        self._variable = False

    def open(self) -> None:
        """See `FileSource.open`."""
        self.close()
        capture = cv2.VideoCapture(str(self._path))
        decoded, pixels = capture.read()
        if not decoded:
            capture.release()
            raise ConfigurationError(
                f"source '{self.name}' cannot be decoded as video: it is damaged, no video, or in "
                "a format that this OpenCV does not know; convert it to MP4 or name another"
            )
        rate_hz = capture.get(cv2.CAP_PROP_FPS)
        usable = 0 < rate_hz <= _MAX_RATE_HZ
        self.rate_hz = self.frame_rate_hz = rate_hz if usable else DEFAULT_RATE_HZ
        self.note = "" if usable else _NO_RATE
        self._capture, self._first = capture, np.asarray(pixels, np.uint8)
        self._start_s = self._last_s = capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
        self._index = 0

    def close(self) -> None:
        """See `FileSource.close`."""
        if self._capture is not None:
            self._capture.release()
        self._capture = self._first = None

    def _next(self) -> Pixels | None:
        if self._capture is None:
            return None
        decoded, pixels = self._capture.read()
        if not decoded:
            return None
        self._measure_rate(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3)
        return np.asarray(pixels, np.uint8)

    def _measure_rate(self, time_s: float) -> None:
        """Use the time stamps of the file once they differ from a constant rate."""
        interval_s, self._last_s = time_s - self._last_s, time_s
        self._index += 1
        deviation = (time_s - self._start_s) * self.rate_hz - self._index
        # Formats without time stamps report the same time for all frames.
        if interval_s > 0 and abs(deviation) > _RATE_TOLERANCE:
            self._variable = True
        if self._variable:
            self.frame_rate_hz = 1 / max(interval_s, 1 / _MAX_RATE_HZ)


class ImageFolder(FileSource):
    """The images of a folder in natural order of their names, or one image file.

    Images that cannot be decoded are skipped and counted.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left: list[Path] = []

    def open(self) -> None:
        """See `FileSource.open`."""
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

    def close(self) -> None:
        """See `FileSource.close`."""
        self._left, self._first = [], None

    def _next(self) -> Pixels | None:
        while self._left:
            pixels = read_image(self._left.pop())
            if pixels is not None:
                return pixels
            self.unreadable += 1
        return None


def open_source(text: str) -> FileSource | Device | None:
    """Return the source of that name; files are open and decodable, devices are not open yet.

    Parameters
    ----------
    text : device index or path, address of a network camera, video file, image, folder of images,
        "demo", or "auto".

    Returns
    -------
    The source, or None for "auto": see `device_discovery.find_device`.

    Raises
    ------
    ConfigurationError
        if there is no such source, or nothing in it can be decoded.
    """
    text = text.strip()
    if text == AUTO:
        return None
    if text.isdecimal():
        return Device(f"/dev/video{int(text)}")
    if text.startswith("/dev/"):
        return Device(text)
    if "://" in text:
        return NetworkCamera(text)
    source = VideoFile(demo_path(), DEMO) if text == DEMO else _file_source(text)
    source.open()
    return source


def demo_path() -> Path:
    """Return the path of the demo clip.

    Raises
    ------
    ConfigurationError
        if it is missing.
    """
    if not _CLIP.is_file():
        raise ConfigurationError(f"the demo clip {_CLIP} is missing: build fer_camera again")
    return _CLIP


def _file_source(text: str) -> FileSource:
    path = Path(text).expanduser()
    if not text or not path.exists():
        raise ConfigurationError(
            f"source '{text}' does not exist: name a device, a video file, a folder of images, "
            f"'{DEMO}' or '{AUTO}'"
        )
    if not path.is_dir() and not path.is_file():
        # A pipe may have no end, and cannot be opened again.
        raise ConfigurationError(f"source '{text}' is no file: name a video file or a folder")
    return ImageFolder(path) if path.is_dir() or is_image(path) else VideoFile(path)


def image_files(path: Path) -> list[Path]:
    """Return the image files of a folder in natural order, or the image file that `path` is.

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
    """Return whether the file name is that of an image that is not hidden."""
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key that compares runs of digits as numbers: 2 comes before 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts
    ], name
