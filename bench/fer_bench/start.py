"""Start-up: from the command to the first expression, beside the start of an empty node."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from fer_bench import graph
from fer_bench.context import Context
from fer_bench.graph import Camera
from fer_bench.measure import OWN, compared, interleaved
from fer_bench.results import Measurement, Target
from fer_common.core.errors import FerError

PART = "start"
EMPTY = "an empty node that imports NumPy and OpenCV"
#: A start takes seconds, and its times hardly vary.
MOST_ROUNDS = 3
LIMIT_S = 5.0
#: Long enough for the listener to be discovered; what it hears first is what counts.
_WATCH_S = 2.0
_EMPTY_NODE = "import cv2, numpy, rclpy; rclpy.init(); rclpy.create_node('empty')"


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Measure elapsed time, not CPU time: this is what a user waits for."""
    race = {OWN: lambda: _first_expression_s(context), EMPTY: _empty_node_s}
    rounds = interleaved(race, min(context.rounds, MOST_ROUNDS))
    value, peers = compared(rounds)
    yield Measurement(PART, "fer up, to the first expression", "s", value, peers)
    yield Target("fer up, to the first expression", value, LIMIT_S, "s")


def _first_expression_s(context: Context) -> float:
    run = graph.watch(context.root, Camera(), _WATCH_S, [graph.EXPRESSIONS])
    if graph.EXPRESSIONS not in run.first_s:
        raise FerError("no expression came: try `fer up --source demo`")
    return run.first_s[graph.EXPRESSIONS]


def _empty_node_s() -> float:
    begin_s = time.monotonic()
    subprocess.run([sys.executable, "-c", _EMPTY_NODE], env=graph.environment(), check=True)
    return time.monotonic() - begin_s
