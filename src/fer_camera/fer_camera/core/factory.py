"""From the text of the parameter `source` to a source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from fer_camera.core.device import Device, DeviceError, devices
from fer_camera.core.parameters import AUTO, DEMO, Settings
from fer_camera.core.sources import FolderSource, Source, VideoSource, is_image
from fer_common.core.errors import ConfigurationError

#: A device that gives no frame for so long is none that `auto` would take.
PROBE_S = 2.0
_CLIP = Path(__file__).resolve().parents[1] / "demo" / "demo.mp4"


def open_source(text: str) -> Source | Device | None:
    """Return what `source` names; files are open and known to be good, devices not open yet.

    Parameters
    ----------
    text : device index or path, video file, image or folder of images, "demo", or "auto".

    Returns
    -------
    The source, or None for "auto": see `find_device`.

    Raises
    ------
    ConfigurationError
        if there is nothing of that name, or nothing in it that can be shown.
    """
    text = text.strip()
    if text == AUTO:
        return None
    if text.isdecimal():
        return Device(f"/dev/video{int(text)}")
    if text.startswith("/dev/"):
        return Device(text)
    if text == DEMO:
        return demo_source()
    source = _file_source(text)
    source.open()
    return source


def candidates() -> list[Device]:
    """Return every video device of this machine, not open."""
    return [Device(path) for path in devices()]


def find_device(settings: Settings, among: Iterable[Device]) -> Device | None:
    """Return the first device that gives a frame, closed again; None where there is none."""
    for device in among:
        if _within(PROBE_S, lambda device=device: _probe(device, settings)):  # type: ignore[misc]
            return device.again()
    return None


def demo_path() -> Path:
    """Return the path of the demo clip.

    Raises
    ------
    ConfigurationError
        if it is missing.
    """
    if not _CLIP.is_file():
        raise ConfigurationError(
            f"the demo clip {_CLIP} is missing: build the package fer_camera again"
        )
    return _CLIP


def demo_source() -> Source:
    """Return the demo clip, open.

    Raises
    ------
    ConfigurationError
        if it is missing or this OpenCV cannot decode it.
    """
    source = VideoSource(demo_path(), DEMO)
    source.open()
    return source


def _file_source(text: str) -> Source:
    path = Path(text).expanduser()
    if not text or not path.exists():
        raise ConfigurationError(
            f"source '{text}' does not exist: name a device, a video file, a folder of images, "
            f"'{DEMO}' or '{AUTO}'"
        )
    if not path.is_dir() and not path.is_file():
        # A pipe may have no end, and no beginning.
        raise ConfigurationError(f"source '{text}' is no file: name a video file or a folder")
    return FolderSource(path) if path.is_dir() or is_image(path) else VideoSource(path)


def _probe(device: Device, settings: Settings) -> bool:
    try:
        device.open(settings)
        device.read()
    except DeviceError:
        return False
    finally:
        device.close()
    return True


def _within(limit_s: float, question: Callable[[], bool]) -> bool:
    """Answer a question that may block for ever; no answer in time is a no."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(question()), name="probe", daemon=True)
    thread.start()
    thread.join(limit_s)
    return answers == [True]
