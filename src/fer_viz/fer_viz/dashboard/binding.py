"""Checks whether Qt works, before anything of Qt is imported."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import re
from pathlib import Path

from fer_common.core.errors import FerError

INSTALL_QT = (
    "sudo apt install python3-pyqtgraph python3-pyqt5 (with ROS), "
    "or ./fer setup --window (in a clone without ROS)"
)
INSTALL_LIBRARIES = (
    "sudo apt install libegl1 libgl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-randr0 libxcb-shape0 libxcb-xinerama0"
)
_LIBRARY = re.compile(r"lib[\w.+-]+\.so[.\d]*")


class NoQtError(FerError):
    """Qt does not work here."""


def has_display() -> bool:
    """Return whether a window could be opened here."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def require_qt(window: bool) -> None:
    """Make sure that the widget can be shown.

    Parameters
    ----------
    window : on a display; otherwise Qt may draw off screen.

    Raises
    ------
    NoQtError
        if Qt, one of its libraries or the display is missing.
    """
    if window and not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        raise NoQtError(
            "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): run the window on a "
            "machine with one, or look at the topic dashboard"
        )
    try:
        binding = importlib.import_module("pyqtgraph.Qt")
    except ImportError as error:
        raise _explained(error) from error
    except Exception as error:
        # pyqtgraph raises a plain Exception where there is no Qt at all.
        raise NoQtError(f"Qt is not installed: {INSTALL_QT}") from error
    if window and os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        _require_x11(binding.QT_LIB)


def _require_x11(binding: str) -> None:
    """Load what Qt loads to open a window: Qt aborts the process if that fails."""
    package = importlib.util.find_spec(binding)
    if package is None or package.origin is None or os.environ.get("QT_QPA_PLATFORM"):
        return
    for plugin in Path(package.origin).parent.glob("*/plugins/platforms/libqxcb.so"):
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            raise _explained(error) from error


def _explained(error: Exception) -> NoQtError:
    if missing := _LIBRARY.search(str(error)):
        return NoQtError(f"Qt needs {missing[0]}, which is missing: {INSTALL_LIBRARIES}")
    return NoQtError(f"Qt is not installed: {INSTALL_QT}")
