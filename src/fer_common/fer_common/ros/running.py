"""Runs nodes until a signal ends their process."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType

import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.signals import SignalHandlerOptions

from fer_common.core.errors import FerError
from fer_common.core.parameters import AUTOSTART
from fer_common.core.process import STOP_SIGNALS, end_start, unblock_stop_signals
from fer_common.ros.distributions import heed_profile
from fer_common.ros.executor_thread import ExecutorThread
from fer_common.ros.node import FerNode

#: Exit codes: wrong configuration; unexpected error.
EXIT_CONFIGURATION = 2
EXIT_BROKEN = 1
#: A node that is still starting (compiling, for example) this long after a signal is ended.
_START_GRACE_S = 1.5
_POLL_S = 0.2


def run(*makers: Callable[[], FerNode], args: Sequence[str] | None = None) -> int:
    """Run nodes until SIGINT or SIGTERM, each with an executor in a thread of its own.

    Parameters
    ----------
    args : ROS arguments of the process; None: its command line.

    Returns
    -------
    Exit code: 0 after a signal, `EXIT_CONFIGURATION` with one line of error if a node cannot
    start, `EXIT_BROKEN` with a traceback after an unexpected error.
    """
    stop = threading.Event()
    started = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if not started.is_set() and not stop.is_set():
            cut = threading.Timer(_START_GRACE_S, os._exit, (0,))
            cut.daemon = True
            cut.start()
        stop.set()

    # Install our own handlers first: a signal during the start must end the process cleanly, too.
    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    unblock_stop_signals()
    heed_profile(os.environ)
    nodes: list[FerNode] = []
    try:
        rclpy.init(
            args=None if args is None else list(args),
            signal_handler_options=SignalHandlerOptions.NO,
        )
        for make_node in makers:
            nodes.append(make_node())
        # Who listens first: what a camera publishes before the others are up costs them time.
        wanted = [node for node in reversed(nodes) if node.values[AUTOSTART.name]]
        up = all(stop.is_set() or node.bring_up() for node in wanted)
        started.set()
        if up:
            _spin(nodes, stop)
    except (FerError, RCLError, UnknownROSArgsError) as error:
        print(f"error: {_without_locations(str(error))}", file=sys.stderr)
        return EXIT_CONFIGURATION
    finally:
        for node in nodes:
            node.close()
            node.destroy_node()
        rclpy.try_shutdown()
        # A Ctrl-C under `ros2 launch` reaches a node twice, from the terminal and from launch. The
        # second one must not interrupt the clean exit.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    failures = [node.failure for node in nodes if node.failure is not None]
    for failure in failures:
        traceback.print_exception(failure)
    if failures:
        return EXIT_BROKEN
    return 0 if up else EXIT_CONFIGURATION


def _spin(nodes: Sequence[FerNode], stop: threading.Event) -> None:
    executors = [ExecutorThread(node, node.fail) for node in nodes]
    end_start()
    try:
        while rclpy.ok() and all(node.failure is None for node in nodes):
            if stop.wait(_POLL_S):
                break
    finally:
        for executor in executors:
            executor.close()


def _without_locations(text: str) -> str:
    """Return an rcl error without the locations in its C code."""
    return " ".join(re.sub(r",?\s+at /\S+?:\d+", "", text).split())
