"""The camera node as a process, with cameras that a test plugs in, pulls out and blocks.

A camera is a file in the folder $FER_FAULTS_CAMERAS; while its text is `block`, reads do not
return, and while it is `slow`, they take half a second. Every frame shows its number.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from fer_camera.core import sources
from fer_camera.core.device import Device
from fer_camera.ros import node

CAMERAS = Path(os.environ["FER_FAULTS_CAMERAS"])
PERIOD_S = 1 / 30
SLOW_S = 0.5


class FileCapture:
    """As much of `cv2.VideoCapture` as a device uses."""

    def __init__(self, path: str, backend: int) -> None:
        self._path = Path(path)
        self._numbers = itertools.count(1)

    def _state(self) -> str | None:
        try:
            return self._path.read_text()
        except OSError:
            return None

    def isOpened(self) -> bool:
        return self._state() is not None

    def read(self) -> tuple[bool, object]:
        while (state := self._state()) == "block":
            time.sleep(0.01)
        time.sleep(SLOW_S if state == "slow" else PERIOD_S)
        if self._state() is None:
            return False, None
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:, :, 0], picture[:, :, 1] = divmod(next(self._numbers), 256)
        return True, picture

    def set(self, prop: int, value: float) -> bool:
        return True

    def get(self, prop: int) -> float:
        return 0.0

    def release(self) -> None:
        pass


def _cameras() -> list[Device]:
    return [Device(str(path), FileCapture) for path in sorted(CAMERAS.glob("video*"))]


def main() -> int:
    ours = partial(Device, make_capture=FileCapture)
    with patch.object(sources, "Device", ours), patch.object(node, "connected_devices", _cameras):
        return node.main()


if __name__ == "__main__":
    sys.exit(main())
