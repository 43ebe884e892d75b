"""The dashboard in a window of its own: `fer dashboard`, `ros2 run fer_viz dashboard`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fer_common.core.errors import FerError
from fer_common.core.graph_names import NAMESPACE
from fer_common.core.process import pin_to_one_thread
from fer_viz.dashboard.binding import require_qt

HELP = "show the running graph in a window"
EXIT_USER_ERROR = 2
#: Share of the screen that the window first takes, and its size without a screen.
SCREEN_SHARE, OFFSCREEN_SIZE = 0.85, (1280, 800)
#: What a title bar takes; smaller screens than this are filled.
_TITLE_BAR_PX, _SMALL_SCREEN_PX = 36, 1400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of the graph (default: %(default)s)"
    )
    parser.add_argument(
        "--compressed", action="store_true", help="use compressed images, for slow networks"
    )
    parser.add_argument(
        "--theme", choices=("dark", "light"), default="", help="(default: as last time)"
    )
    parser.add_argument(
        "--snapshot",
        type=Path,
        metavar="FILE.png",
        help="save a picture after --after seconds and end; no display is needed",
    )
    parser.add_argument(
        "--after", type=float, default=5.0, metavar="SECONDS", help="(default: %(default)g)"
    )
    parser.add_argument(
        "--size", type=_pixels, metavar="WxH", help="of the window, pixels, such as 1280x800"
    )
    parser.add_argument(
        "--ros-args",
        nargs=argparse.REMAINDER,
        default=[],
        metavar="ARGUMENT",
        help="for ROS, such as -r image_raw:=/camera/image_raw",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the window until it is closed.

    Raises
    ------
    FerError
        if Qt does not work or there is no display.
    """
    # Before anything imports NumPy, which reads the number of threads once.
    pin_to_one_thread()
    if arguments.snapshot:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    require_qt(window=True)
    from pyqtgraph.Qt import QtCore, QtWidgets

    from fer_common.ros.image_reader import bgr_reader
    from fer_viz.dashboard.widget import Dashboard
    from fer_viz.ros.dashboard_client import DashboardClient

    application = QtWidgets.QApplication(["fer"])
    application.setDesktopFileName("fer")
    ros_arguments = ("--ros-args", *arguments.ros_args)
    client = DashboardClient(arguments.namespace, arguments.compressed, ros_arguments)
    store = QtCore.QSettings("fer", "dashboard")
    kept = {key: str(store.value(key)) for key in store.allKeys()}
    dashboard = Dashboard(client.state, client, bgr_reader(), arguments.theme)
    dashboard.setWindowTitle(f"fer {client.namespace}")
    dashboard.resize(*_size(arguments.size, kept.get("window", ""), application))
    dashboard.apply_settings(kept)
    dashboard.show()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: application.quit())
    if arguments.snapshot:
        QtCore.QTimer.singleShot(
            round(1000 * arguments.after),
            lambda: application.exit(0 if dashboard.snapshot(arguments.snapshot) else 1),
        )
    code = int(application.exec() if hasattr(application, "exec") else application.exec_())
    if arguments.snapshot is None:
        for key, value in dashboard.settings().items():
            store.setValue(key, value)
        store.setValue("window", f"{dashboard.width()}x{dashboard.height()}")
    dashboard.close_down()
    client.close()
    if arguments.snapshot and code:
        raise FerError(f"{arguments.snapshot} cannot be written")
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ros2 run fer_viz dashboard`; return the exit code."""
    parser = argparse.ArgumentParser(prog="dashboard", description=f"{HELP.capitalize()}.")
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_USER_ERROR


def _pixels(text: str) -> tuple[int, int]:
    """Return width and height of a text such as 1280x800."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 1280x800")
    return int(width), int(height)


def _size(given: tuple[int, int] | None, kept: str, application: Any) -> tuple[int, int]:
    """Return the given or last size, else most of the screen; never more than fits with a title."""
    wanted = given
    if wanted is None:
        with contextlib.suppress(argparse.ArgumentTypeError):
            wanted = _pixels(kept)
    if application.platformName() == "offscreen":
        return wanted or OFFSCREEN_SIZE
    room = application.primaryScreen().availableGeometry()
    most = room.width(), room.height() - _TITLE_BAR_PX
    first = round(SCREEN_SHARE * room.width()), round(SCREEN_SHARE * room.height())
    chosen = wanted or (first if room.width() > _SMALL_SCREEN_PX else most)
    return min(chosen[0], most[0]), min(chosen[1], most[1])


if __name__ == "__main__":
    sys.exit(main())
