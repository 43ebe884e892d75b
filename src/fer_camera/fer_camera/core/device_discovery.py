"""Finds a camera where no source is named, at start and when one is plugged in later."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable

from fer_camera.core.device import Device, DeviceError
from fer_camera.core.parameters import CameraSettings

#: A device must send a frame within this time to be taken.
PROBE_S = 2.0
#: After this time, devices that sent no frame are probed again: another program may have used them.
RETRY_S = 10.0


def find_device(settings: CameraSettings, candidates: Iterable[Device]) -> Device | None:
    """Return the first device that sends a frame, closed again; None if there is none."""
    for device in candidates:
        answers: list[bool] = []
        probe = threading.Thread(
            target=lambda device=device, answers=answers: answers.append(_probe(device, settings)),
            name="probe",
            daemon=True,
        )
        probe.start()
        # A read may block for ever.
        probe.join(PROBE_S)
        if answers == [True]:
            return device.new_handle()
    return None


def _probe(device: Device, settings: CameraSettings) -> bool:
    try:
        device.open(settings)
        device.read()
    except DeviceError:
        return False
    finally:
        device.close()
    return True


class DeviceDiscovery:
    """Probes devices in a thread whenever one was added or removed.

    Parameters
    ----------
    list_devices : returns a new handle, not open, of every device of this machine.
    """

    def __init__(self, list_devices: Callable[[], list[Device]]) -> None:
        self._list_devices = list_devices
        self._thread: threading.Thread | None = None
        self._probed: dict[str, tuple[int, int]] | None = None
        self._probed_s = 0.0
        self._found: Device | None = None

    def poll(self, settings: CameraSettings, excluded: str = "") -> Device | None:
        """Return a camera that sends frames, closed; None if none was found yet. Never blocks.

        Parameters
        ----------
        excluded : name of a device that is not probed, because it is in use here.
        """
        if self._thread is not None and self._thread.is_alive():
            return None
        found, self._found = self._found, None
        if found is not None:
            return found
        devices = [device for device in self._list_devices() if device.name != excluded]
        present = {device.name: _identity(device.name) for device in devices}
        now_s = time.monotonic()
        if devices and (present != self._probed or now_s - self._probed_s > RETRY_S):
            self._probed, self._probed_s = present, now_s
            self._thread = threading.Thread(
                target=self._find, args=(settings, devices), name="device discovery", daemon=True
            )
            self._thread.start()
        elif not devices:
            self._probed = None
        return None

    def _find(self, settings: CameraSettings, devices: list[Device]) -> None:
        self._found = find_device(settings, devices)


def _identity(path: str) -> tuple[int, int]:
    """Return values that change when a device is plugged in again under the same name."""
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_ctime_ns
