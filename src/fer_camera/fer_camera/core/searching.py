"""Finds a camera that was plugged in after the start, where no source was named."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from fer_camera.core.device import Device
from fer_camera.core.factory import find_device
from fer_camera.core.parameters import Settings

#: Devices that gave no frame are tried again after this time, though none came or went: another
#: program may have had them.
RETRY_S = 10.0


class CameraSearch:
    """Tries devices in a thread of its own whenever one came or went: a device may block.

    Parameters
    ----------
    list_devices : returns a new handle, not open, of every device that there is.
    """

    def __init__(self, list_devices: Callable[[], list[Device]]) -> None:
        self._list_devices = list_devices
        self._thread: threading.Thread | None = None
        self._tried: dict[str, tuple[int, int]] | None = None
        self._tried_s = 0.0
        self._found: Device | None = None

    def look(self, settings: Settings, without: str = "") -> Device | None:
        """Return a camera that gives frames, closed; None as long as there is none.

        To be called again and again; it never blocks.

        Parameters
        ----------
        settings : what the device is asked for.
        without : name of a device that is not to be tried: it is looked after already.
        """
        if self._thread is not None and self._thread.is_alive():
            return None
        found, self._found = self._found, None
        if found is not None:
            return found
        devices = [device for device in self._list_devices() if device.name != without]
        present = {device.name: _identity(device.name) for device in devices}
        now_s = time.monotonic()
        if devices and (present != self._tried or now_s - self._tried_s > RETRY_S):
            self._tried, self._tried_s = present, now_s
            self._thread = threading.Thread(
                target=self._try, args=(settings, devices), name="camera search", daemon=True
            )
            self._thread.start()
        elif not devices:
            self._tried = None
        return None

    def _try(self, settings: Settings, devices: list[Device]) -> None:
        self._found = find_device(settings, devices)


def _identity(path: str) -> tuple[int, int]:
    """Return what differs when a device is plugged in again under the same name."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_ctime_ns
