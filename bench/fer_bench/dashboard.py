"""The dashboard's window beside a graph of 8 labels and 300 neurons: CPU, and growth of memory.

This process plays the graph: a picture and everything that belongs to it, 30 times a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import psutil
import rclpy
from rclpy.context import Context as RosContext
from rclpy.node import Node

from fer_bench.measure import Context
from fer_bench.results import Measurement
from fer_common.core.errors import FerError
from fer_testing.networks import EIGHT
from fer_testing.ros import reserved_domain
from fer_testing.viz import PlayedGraph
from fer_viz.dashboard.binding import NoQtError, require_qt

PART = "dashboard"
NEURONS, RATE_HZ = 300, 30.0
#: Size of the window and the CPU that it may take, percent of a core.
CPU_LIMITS = {(1280, 800): 60.0, (3840, 2160): 100.0}
GROWTH_LIMIT_MB = 5.0
#: Memory grows while histories fill.
_SETTLE_S = 35.0
_SAMPLE_S = 1.0


def measure(context: Context) -> Iterator[Measurement]:
    """Watch the window while it shows the played graph."""
    try:
        require_qt(window=False)
    except NoQtError as error:
        print(f"bench: the dashboard is left out: {error}", file=sys.stderr)
        return
    duration_s = _SETTLE_S + max(context.run_s, 10.0)
    for size, limit in CPU_LIMITS.items():
        percent, megabytes = _watch(size, duration_s)
        what = f"{len(EIGHT)} labels, {NEURONS} expression neurons, {RATE_HZ:g} Hz"
        window = partial(Measurement, PART, f"window, {what}, {size[0]}x{size[1]}")
        yield window("% of a core", percent, figure="CPU", limit=limit)
        yield window("MB", megabytes[-1], figure="memory")
        grown = float(np.median(megabytes[-5:]) - np.median(megabytes[:5]))
        figure = f"memory grown in {len(megabytes) * _SAMPLE_S:g} s"
        yield window("MB", grown, figure=figure, limit=GROWTH_LIMIT_MB)


def _watch(size: tuple[int, int], duration_s: float) -> tuple[float, list[float]]:
    """Return the mean CPU in percent of a core, and the memory in MB after it has settled."""
    with reserved_domain() as domain, _window(size) as window:
        ros = RosContext()
        rclpy.init(context=ros, domain_id=domain)
        graph = PlayedGraph(Node("played", namespace="/fer", context=ros), EIGHT, NEURONS)
        picture = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
        graph.publish_network()
        megabytes: list[float] = []
        begin_s = due_s = sampled_s = time.monotonic()
        while due_s < begin_s + duration_s:
            graph.publish_frame(picture)
            due_s += 1 / RATE_HZ
            now_s = time.monotonic()
            if now_s - begin_s > _SETTLE_S and now_s - sampled_s >= _SAMPLE_S:
                sampled_s = now_s
                if not megabytes:
                    window.cpu_percent()  # The next call returns the mean since this one.
                megabytes.append(window.memory_info().rss / 1e6)
            time.sleep(max(due_s - time.monotonic(), 0.0))
        percent = window.cpu_percent()
        if not graph.subscribed():
            raise FerError("the window did not listen: run `fer dashboard` and see what it says")
        ros.try_shutdown()
        return percent, megabytes


@contextmanager
def _window(size: tuple[int, int]) -> Iterator[psutil.Process]:
    command = [sys.executable, "-m", "fer_viz.dashboard.window", "--theme", "dark"]
    command += ["--size", f"{size[0]}x{size[1]}"]
    # Settings of its own: neither the user's nor kept.
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": folder}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(10)
