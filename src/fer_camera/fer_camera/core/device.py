"""Where frames come from when they are seen now: a V4L2 device."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from fer_camera.core.parameters import Settings
from fer_camera.core.sources import natural_key
from fer_common.core.errors import FerError
from fer_common.core.images import Pixels

#: V4L2 counts exposure in steps of 100 us, and its automatic exposure is called 3, manual 1.
_EXPOSURE_STEPS_HZ = 10_000
_AUTO_EXPOSURE, _MANUAL_EXPOSURE = 3, 1
#: Above this size raw frames do not fit through USB 2 at 30 Hz.
_RAW_PIXELS = 640 * 480
#: A driver's time stamp older than this is of another clock.
_MAX_AGE_S = 1.0


class DeviceError(FerError):
    """A device that cannot be opened or has stopped giving frames; it may come back."""


class VideoCapture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: D102
    def read(self) -> tuple[bool, object]: ...  # noqa: D102
    def set(self, prop: int, value: float) -> bool: ...  # noqa: D102
    def get(self, prop: int) -> float: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


MakeCapture = Callable[[str, int], VideoCapture]


class _Control(NamedTuple):
    """A control as the driver knows it; nobody is told when an optional one is refused."""

    name: str
    prop: int
    value: float
    optional: bool = False


class Device:
    """One V4L2 device. Not for several threads: one opens, reads, controls and closes it.

    Parameters
    ----------
    path : /dev/videoN or a link to one.
    make_capture : opens it; `cv2.VideoCapture` but in tests.
    """

    def __init__(self, path: str, make_capture: MakeCapture = cv2.VideoCapture) -> None:
        self.name = path
        self._make_capture = make_capture
        self._capture: VideoCapture | None = None
        self._applied: tuple[_Control, ...] = ()
        #: Controls that the driver refused, for people.
        self.refused: tuple[str, ...] = ()

    def again(self) -> Device:
        """Return another handle of the device, not open yet: the first may be stuck in a read."""
        return Device(self.name, self._make_capture)

    def open(self, settings: Settings) -> None:
        """Open the device and ask it for size, rate and controls.

        Raises
        ------
        DeviceError
            if it is not there or cannot be opened.
        """
        if not os.path.exists(self.name):
            raise DeviceError(f"camera {self.name} is not there: plug it in (trying again)")
        if not os.access(self.name, os.R_OK | os.W_OK):
            raise DeviceError(
                f"camera {self.name} may not be opened: add this user to the group 'video'"
            )
        capture = self._make_capture(self.name, cv2.CAP_V4L2)
        if not capture.isOpened():
            capture.release()
            raise DeviceError(
                f"camera {self.name} cannot be opened: another program has it, or it is no camera "
                "(trying again)"
            )
        self._capture = capture
        for prop, value in _format(settings):
            capture.set(prop, value)
        self.control(settings)

    def read(self) -> tuple[Pixels, float]:
        """Wait for the next frame.

        Returns
        -------
        pixels : (height, width, 3) uint8 BGR.
        age_s : how long ago the driver captured it, seconds; 0 where the driver does not say.

        Raises
        ------
        DeviceError
            if the device gives no frame.
        """
        if self._capture is None:
            raise DeviceError(f"camera {self.name} is not open")
        try:
            received, pixels = self._capture.read()
        except cv2.error as error:
            raise DeviceError(
                f"camera {self.name} sent a frame that cannot be decoded (trying again)"
            ) from error
        if not received or pixels is None:
            raise DeviceError(
                f"camera {self.name} stopped giving frames: check its cable (trying again)"
            )
        age_s = time.monotonic() - self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
        return np.asarray(pixels, np.uint8), age_s if 0 <= age_s <= _MAX_AGE_S else 0.0

    def control(self, settings: Settings) -> None:
        """Set what differs from what was set last. What the driver refuses stands in `refused`."""
        wanted = _controls(settings)
        if self._capture is None or wanted == self._applied:
            return
        refused: dict[str, None] = {}
        for control in wanted:
            new = control not in self._applied
            if new and not self._capture.set(control.prop, control.value) and not control.optional:
                refused[control.name] = None
        self._applied = wanted
        self.refused = tuple(refused)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
        self._capture = None


def devices(folder: Path = Path("/dev")) -> list[str]:
    """Return the paths of all video devices, in order of their numbers."""
    return sorted((str(path) for path in folder.glob("video[0-9]*")), key=natural_key)


def _format(settings: Settings) -> Iterator[tuple[int, float]]:
    if settings.width * settings.height > _RAW_PIXELS:
        yield cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")
    # The driver takes a size only when it has both sides of it.
    if settings.width and settings.height:
        yield cv2.CAP_PROP_FRAME_WIDTH, settings.width
        yield cv2.CAP_PROP_FRAME_HEIGHT, settings.height
    if settings.rate:
        yield cv2.CAP_PROP_FPS, settings.rate


def _controls(settings: Settings) -> tuple[_Control, ...]:
    if settings.exposure:
        steps = max(1, round(settings.exposure * _EXPOSURE_STEPS_HZ))
        controls = [
            _Control("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE),
            _Control("exposure", cv2.CAP_PROP_EXPOSURE, steps),
        ]
    else:
        # Also undoes what another program left; a camera without the control is automatic anyway.
        controls = [_Control("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, _AUTO_EXPOSURE, optional=True)]
    if settings.gain >= 0:
        controls.append(_Control("gain", cv2.CAP_PROP_GAIN, settings.gain))
    if settings.brightness >= 0:
        controls.append(_Control("brightness", cv2.CAP_PROP_BRIGHTNESS, settings.brightness))
    return tuple(controls)
