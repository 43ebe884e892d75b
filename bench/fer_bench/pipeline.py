"""The whole graph: latency from the stamp of the image, frames lost, CPU and memory; start-up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fer_bench import graph
from fer_bench.graph import CPU, LOST, MEMORY, P50, P99, Camera
from fer_bench.measure import OWN, Context, compared, interleaved
from fer_bench.results import Measurement

PART, START = "pipeline", "start"
START_LIMIT_S = 2.0
#: A start takes seconds, and its times hardly vary.
_MOST_STARTS = 3
#: The graph needs to run only until the first expression arrives.
_START_RUN_S = 2.0
_EMPTY_NODE = "import cv2, numpy, rclpy; rclpy.init(); rclpy.create_node('empty')"


@dataclass(frozen=True)
class Case:
    """How the graph is run.

    Attributes
    ----------
    heard : whether this process listens to the overlay, so that it is drawn and sent.
    composed : whether all nodes run in one process.
    limits : by the name of the figure. A case without limits is a point of a curve, and is watched
        for a shorter time.
    """

    camera: Camera
    heard: bool = True
    composed: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For tables."""
        camera = self.camera
        processes = ", one process" if self.composed else ""
        overlay = "" if self.heard else ", overlay not heard"
        return f"{camera.width}x{camera.height}, {camera.rate_hz:g} Hz{processes}{overlay}"

    @property
    def curves(self) -> dict[str, float]:
        """Its place on the curves of the usual graph."""
        curves: dict[str, float] = {}
        if self.heard and not self.composed:
            if self.camera.width == VGA.width:
                curves["frame rate"] = self.camera.rate_hz
            if self.camera.rate_hz == VGA.rate_hz:
                curves["image size"] = self.camera.width * self.camera.height / 1e6
        return curves


VGA, HD = Camera(640, 480, 30.0), Camera(1280, 720, 30.0)
_COMPOSED = {P50: 9.0, P99: 20.0, LOST: 0, MEMORY: 350.0}
CASES = (
    Case(VGA, limits={P50: 15.0, P99: 33.0, LOST: 0, CPU: 70.0, MEMORY: 500.0}),
    Case(VGA, heard=False, limits={CPU: 40.0, MEMORY: 500.0}),
    Case(VGA, composed=True, limits=_COMPOSED | {CPU: 50.0}),
    Case(VGA, heard=False, composed=True, limits=_COMPOSED | {CPU: 30.0}),
    Case(HD, limits={P99: 66.0, LOST: 0}),
    *(Case(replace(VGA, rate_hz=rate_hz)) for rate_hz in (10.0, 20.0, 60.0)),
    *(Case(Camera(width, height, 30.0)) for width, height in ((320, 240), (1920, 1080))),
)


def measure(context: Context) -> Iterator[Measurement]:
    """Watch the graph in each case."""
    for case in CASES:
        duration_s = context.run_s if case.limits else context.short_run_s
        topics = [graph.OVERLAY] if case.heard else []
        options = ["--compose"] if case.composed else []
        run = graph.watch(context.root, case.camera, duration_s, topics, *options)
        yield from run.figures(PART, case.name, case.limits, case.curves)


def measure_start(context: Context) -> Iterator[Measurement]:
    """Measure elapsed time, not CPU time, from the command to the first expression."""

    def first_expression_s() -> float:
        run = graph.watch(context.root, Camera(), _START_RUN_S, [graph.EXPRESSIONS])
        return run.first_s[graph.EXPRESSIONS]

    def empty_node_s() -> float:
        begin_s = time.monotonic()
        subprocess.run([sys.executable, "-c", _EMPTY_NODE], check=True)
        return time.monotonic() - begin_s

    race = {OWN: first_expression_s, "an empty node that imports NumPy and OpenCV": empty_node_s}
    value, peers = compared(interleaved(race, min(context.rounds, _MOST_STARTS)))
    name = "fer up, to the first expression"
    yield Measurement(START, name, "s", value, peers, limit=START_LIMIT_S)
