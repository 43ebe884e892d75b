"""Cameras that deliver frames in real time: V4L2 devices and network cameras."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np

from fer_camera.core.parameters import CameraSettings
from fer_common.core.errors import ConfigurationError, FerError
from fer_common.core.images import Pixels

#: V4L2 counts exposure in steps of 100 us, and numbers automatic exposure 3, manual exposure 1.
_EXPOSURE_STEPS_HZ = 10_000
_AUTO_EXPOSURE, _MANUAL_EXPOSURE = 3, 1
#: Raw frames above this size do not fit through USB 2 at 30 Hz.
_RAW_PIXELS = 640 * 480
#: An older time stamp of a driver comes from another clock.
_MAX_AGE_S = 1.0
#: Schemes of network cameras.
SCHEMES = ("rtsp", "rtsps", "http", "https")
_NETWORK_TIMEOUT_MS = 4000


class DeviceError(FerError):
    """A camera cannot be opened or has stopped sending frames; it may come back."""


#: Opens a `cv2.VideoCapture`.
MakeCapture: TypeAlias = Callable[[str, int], Any]


class _Control(NamedTuple):
    """A control of the driver. The refusal of an optional one is not reported."""

    name: str
    prop: int
    value: float
    optional: bool = False


class Device:
    """A V4L2 device. One thread opens, reads, controls and closes it.

    Parameters
    ----------
    path : /dev/videoN or a link to one.
    make_capture : opens it; tests replace `cv2.VideoCapture`.
    """

    #: What the user can do when no frames arrive.
    remedy = "check its cable"

    def __init__(self, path: str, make_capture: MakeCapture = cv2.VideoCapture) -> None:
        self.name = path
        self._make_capture = make_capture
        self._capture: Any = None
        self._applied: tuple[_Control, ...] = ()
        #: Names of the controls that the driver refused.
        self.refused: tuple[str, ...] = ()

    def new_handle(self) -> Device:
        """Return another handle, not open: a read of this one may be blocked."""
        return Device(self.name, self._make_capture)

    def open(self, settings: CameraSettings) -> None:
        """Open the device, and request size, rate and controls.

        Raises
        ------
        DeviceError
            if it is missing or cannot be opened.
        """
        if not os.path.exists(self.name):
            raise DeviceError(f"camera {self.name} is not there: plug it in (trying again)")
        if not os.access(self.name, os.R_OK | os.W_OK):
            raise DeviceError(
                f"camera {self.name} may not be opened: add this user to the group 'video'"
            )
        self._open(self.name, cv2.CAP_V4L2, "another program has it, or it is no camera")
        for prop, value in _format(settings):
            self._capture.set(prop, value)
        self.control(settings)

    def _open(self, name: str, backend: int, reasons: str) -> None:
        capture = self._make_capture(name, backend)
        if not capture.isOpened():
            capture.release()
            raise DeviceError(f"camera {self.name} cannot be opened: {reasons} (trying again)")
        self._capture = capture

    def read(self) -> tuple[Pixels, float]:
        """Wait for the next frame.

        Returns
        -------
        pixels : (height, width, 3) uint8 BGR.
        age_s : time since the driver captured it, seconds; 0 if the driver does not tell.

        Raises
        ------
        DeviceError
            if the device sends no frame.
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
                f"camera {self.name} stopped sending frames: {self.remedy} (trying again)"
            )
        return np.asarray(pixels, np.uint8), self._age_s()

    def _age_s(self) -> float:
        age_s = time.monotonic() - self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3
        return age_s if 0 <= age_s <= _MAX_AGE_S else 0.0

    def control(self, settings: CameraSettings) -> None:
        """Set the controls that changed. `refused` names those that the driver refuses."""
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


class NetworkCamera(Device):
    """A camera that streams by RTSP or HTTP, read by the FFmpeg of OpenCV.

    Its name is the address without the password.

    Raises
    ------
    ConfigurationError
        if the scheme is unknown, or this OpenCV opens no addresses.
    """

    remedy = "check the network"

    def __init__(self, address: str, make_capture: MakeCapture | None = None) -> None:
        name = re.sub(r"//[^/@]*@", "//", address)
        super().__init__(name, make_capture or _open_address)
        self._address = address
        scheme = address.partition("://")[0].lower()
        if scheme not in SCHEMES:
            raise ConfigurationError(
                f"source '{name}': addresses that begin with {scheme}:// are not supported: use "
                f"one of {', '.join(SCHEMES)}, or a path"
            )
        if cv2.CAP_FFMPEG not in cv2.videoio_registry.getStreamBackends():
            raise ConfigurationError(
                f"source '{name}' is an address, and this OpenCV has no FFmpeg to open it: "
                "install one that has, or let a ROS camera driver publish image_raw"
            )

    def new_handle(self) -> Device:
        """See `Device.new_handle`."""
        return NetworkCamera(self._address, self._make_capture)

    def open(self, settings: CameraSettings) -> None:
        """Connect. A network camera keeps its own size, rate and controls.

        Raises
        ------
        DeviceError
            if it cannot be reached, or the address is that of a file.
        """
        self._open(self._address, cv2.CAP_FFMPEG, "check address, user, password and network")
        if self._capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            self.close()
            raise DeviceError(
                f"camera {self.name} is a file, not a live stream: download it, and name the file"
            )

    def control(self, settings: CameraSettings) -> None:
        """Do nothing: a network camera has no controls here."""

    def _age_s(self) -> float:
        return 0.0


def _open_address(address: str, backend: int) -> cv2.VideoCapture:
    timeouts = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
    parameters = [value for timeout in timeouts for value in (timeout, _NETWORK_TIMEOUT_MS)]
    return cv2.VideoCapture(address, backend, parameters)


def devices(folder: Path = Path("/dev")) -> list[str]:
    """Return the paths of all video devices, in order of their numbers."""
    paths = [str(path) for path in folder.glob("video[0-9]*")]
    return sorted(paths, key=lambda path: (len(path), path))


def connected_devices() -> list[Device]:
    """Return every video device of this machine, not open."""
    return [Device(path) for path in devices()]


def _format(settings: CameraSettings) -> Iterator[tuple[int, float]]:
    if settings.width * settings.height > _RAW_PIXELS:
        yield cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")
    # The driver accepts a size only with both sides given.
    if settings.width and settings.height:
        width, height = settings.source_size
        yield cv2.CAP_PROP_FRAME_WIDTH, width
        yield cv2.CAP_PROP_FRAME_HEIGHT, height
    if settings.rate:
        yield cv2.CAP_PROP_FPS, settings.rate


def _controls(settings: CameraSettings) -> tuple[_Control, ...]:
    if settings.exposure:
        steps = max(1, round(settings.exposure * _EXPOSURE_STEPS_HZ))
        controls = [
            _Control("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE),
            _Control("exposure", cv2.CAP_PROP_EXPOSURE, steps),
        ]
    else:
        # Another program may have left it manual. A camera without the control is automatic anyway.
        controls = [_Control("exposure", cv2.CAP_PROP_AUTO_EXPOSURE, _AUTO_EXPOSURE, optional=True)]
    if settings.gain >= 0:
        controls.append(_Control("gain", cv2.CAP_PROP_GAIN, settings.gain))
    if settings.brightness >= 0:
        controls.append(_Control("brightness", cv2.CAP_PROP_BRIGHTNESS, settings.brightness))
    return tuple(controls)
