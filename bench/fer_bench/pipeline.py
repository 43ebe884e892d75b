"""The whole graph: latency from the stamp of the image, frames lost, CPU and memory; start-up.

This process listens to the overlay, so that it is drawn and sent. The peer is one plain process:
the detector of the same reach on whole frames, Gabor by filter2D, the network in NumPy; it draws
nothing and sends nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from fer_bench import graph
from fer_bench.frame import PLAIN, plain_work
from fer_bench.graph import Camera, Run
from fer_bench.measure import OWN, Context, compared, cpu_us, interleaved
from fer_bench.results import Measurement, Peer, Target
from fer_common.core.errors import FerError

PART, START = "pipeline", "start"
VGA, HD = Camera(640, 480, 30.0), Camera(1280, 720, 30.0)
RATES_HZ = (10.0, 20.0, 60.0)
OTHER_SIZES = ((320, 240), (1920, 1080))
LIMITS = {VGA: {"p50": 15.0, "p99": 33.0}, HD: {"p99": 66.0}}
MOST_MB, MOST_MB_COMPOSED = 500.0, 350.0
#: Of a core, all nodes, at `VGA`: with the overlay heard or not, in one process or not.
MOST_PERCENT = {(True, False): 70.0, (False, False): 40.0, (True, True): 50.0, (False, True): 30.0}
START_LIMIT_S = 2.0
#: A start takes seconds, and its times hardly vary.
_MOST_STARTS = 3
#: The graph needs to run only until the first expression arrives.
_START_RUN_S = 2.0
_EMPTY_NODE = "import cv2, numpy, rclpy; rclpy.init(); rclpy.create_node('empty')"


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Watch the graph at its usual size and rate and at others."""
    plain_ms = cpu_us(plain_work(detect=True), 4 * context.least_s) / 1e3
    vga = _watch(context, VGA, context.run_s)
    plain_ms = (plain_ms + cpu_us(plain_work(detect=True), 4 * context.least_s) / 1e3) / 2
    yield from _report(VGA, vga)
    own_ms = vga.cpu_ms_per_frame
    peers = {PLAIN: Peer(plain_ms, plain_ms / own_ms)}
    yield Measurement(PART, f"{_name(VGA)}: CPU of a frame, all nodes", "ms", own_ms, peers)
    yield from _costs(vga, overlay=True, composed=False)
    silent = graph.watch(context.root, VGA, context.run_s, [])
    yield from _costs(silent, overlay=False, composed=False)
    for overlay in (True, False):
        yield from _one_process(context, overlay)
    hd = _watch(context, HD, context.run_s)
    yield from _report(HD, hd)
    runs = {VGA: vga, HD: hd}
    others = [Camera(640, 480, rate_hz) for rate_hz in RATES_HZ]
    others += [Camera(width, height, 30.0) for width, height in OTHER_SIZES]
    runs |= {camera: _watch(context, camera, context.short_run_s) for camera in others}
    for camera in sorted((c for c in runs if c.width == VGA.width), key=lambda c: c.rate_hz):
        yield from _point(camera, runs[camera], "frame rate", camera.rate_hz)
    for camera in sorted((c for c in runs if c.rate_hz == VGA.rate_hz), key=lambda c: c.width):
        megapixels = camera.width * camera.height / 1e6
        yield from _point(camera, runs[camera], "image size", megapixels)


def _variant(overlay: bool, composed: bool) -> str:
    processes = "one process" if composed else "single processes"
    return f"{_name(VGA)}, {processes}, overlay {'heard' if overlay else 'not heard'}"


def _costs(run: Run, overlay: bool, composed: bool) -> Iterator[Measurement | Target]:
    name, limit = _variant(overlay, composed), MOST_PERCENT[overlay, composed]
    most_mb = MOST_MB_COMPOSED if composed else MOST_MB
    yield Target(f"{name}: CPU", sum(run.cpu_percent.values()), limit, "% of a core")
    yield Target(f"{name}: memory, resident", sum(run.rss_mb.values()), most_mb, "MB")
    yield Measurement(PART, f"{name}: CPU of a frame", "ms", run.cpu_ms_per_frame)


def _one_process(context: Context, overlay: bool) -> Iterator[Measurement | Target]:
    topics = [graph.OVERLAY] if overlay else []
    run = graph.watch(context.root, VGA, context.run_s, topics, "--compose")
    name = _variant(overlay, composed=True)
    yield Target(f"{name}: latency, p50", run.summary["latency_ms"]["p50"], 9.0, "ms")
    yield Target(f"{name}: latency, p99", run.summary["latency_ms"]["p99"], 20.0, "ms")
    yield Target(f"{name}: frames lost", run.summary["frames"]["skipped"], 0, "")
    yield from _costs(run, overlay, composed=True)


def measure_start(context: Context) -> Iterator[Measurement | Target]:
    """Measure elapsed time, not CPU time, from the command to the first expression."""

    def first_expression_s() -> float:
        run = graph.watch(context.root, Camera(), _START_RUN_S, [graph.EXPRESSIONS])
        if not run.heard_s[graph.EXPRESSIONS]:
            raise FerError("no expression came: try `fer up --source demo`")
        return run.heard_s[graph.EXPRESSIONS][0]

    def empty_node_s() -> float:
        begin_s = time.monotonic()
        subprocess.run([sys.executable, "-c", _EMPTY_NODE], check=True)
        return time.monotonic() - begin_s

    race = {OWN: first_expression_s, "an empty node that imports NumPy and OpenCV": empty_node_s}
    value, peers = compared(interleaved(race, min(context.rounds, _MOST_STARTS)))
    yield Measurement(START, "fer up, to the first expression", "s", value, peers)
    yield Target("fer up, to the first expression", value, START_LIMIT_S, "s")


def _watch(context: Context, camera: Camera, duration_s: float) -> Run:
    run = graph.watch(context.root, camera, duration_s, [graph.OVERLAY])
    if not run.heard_s[graph.OVERLAY]:
        raise FerError("no overlay came, so that the node viz did nothing: see its log")
    return run


def _name(camera: Camera) -> str:
    return f"{camera.width}x{camera.height}, {camera.rate_hz:g} Hz"


def _report(camera: Camera, run: Run) -> Iterator[Measurement | Target]:
    name = _name(camera)
    for quantile, value in run.summary["latency_ms"].items():
        yield Measurement(PART, f"{name}: latency, {quantile}", "ms", value)
        limit = LIMITS[camera].get(quantile)
        if limit is not None:
            yield Target(f"{name}: latency, {quantile}", value, limit, "ms")
    frames = run.summary["frames"]
    yield Measurement(PART, f"{name}: frames", "", frames["published"])
    yield Target(f"{name}: frames lost", frames["skipped"], 0, "")
    for node, percent in run.cpu_percent.items():
        yield Measurement(PART, f"{name}: CPU of {node}", "% of a core", percent)
    for node, rss_mb in run.rss_mb.items():
        yield Measurement(PART, f"{name}: memory of {node}", "MB", rss_mb)


def _point(camera: Camera, run: Run, curve: str, x: float) -> Iterator[Measurement]:
    name, series = _name(camera), f"{curve}, whole graph"
    total = sum(run.cpu_percent.values())
    yield Measurement(PART, f"{name}: CPU of all nodes", "% of a core", total, {}, series, x)
    yield Measurement(PART, f"{name}: frames lost", "", run.summary["frames"]["skipped"])
