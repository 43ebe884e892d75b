"""The whole graph: latency from the stamp of the image, frames lost, CPU and memory of each node.

Somebody listens to the overlay, so that it is drawn and sent. The peer is one plain process: the
detector of the same reach on whole frames, Gabor by filter2D, the network in NumPy; it draws
nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from fer_bench import graph
from fer_bench.context import Context
from fer_bench.frame import PLAIN, plain_work
from fer_bench.graph import Camera, Run
from fer_bench.measure import Peer, cpu_us
from fer_bench.results import Measurement, Target
from fer_common.core.errors import FerError

PART = "pipeline"
VGA, HD = Camera(640, 480, 30.0), Camera(1280, 720, 30.0)
RATES_HZ = (10.0, 20.0, 60.0)
OTHER_SIZES = ((320, 240), (1920, 1080))
LIMITS = {VGA: {"p50": 15.0, "p99": 33.0}, HD: {"p99": 66.0}}


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Watch the graph at its usual size and rate and at others."""
    plain_ms = cpu_us(plain_work(detect=True), 4 * context.least_s) / 1e3
    vga = _watch(context, VGA, context.run_s)
    plain_ms = (plain_ms + cpu_us(plain_work(detect=True), 4 * context.least_s) / 1e3) / 2
    yield from _report(VGA, vga)
    own_ms = vga.cpu_ms_per_frame
    peers = {PLAIN: Peer(plain_ms, plain_ms / own_ms)}
    yield Measurement(PART, f"{_name(VGA)}: CPU of a frame, all nodes", "ms", own_ms, peers)
    total = sum(vga.cpu_percent.values())
    yield Target(f"{_name(VGA)}: CPU of all nodes", total, 100.0, "% of a core")
    for name, rss_mb in vga.rss_mb.items():
        yield Target(f"memory of {name}, resident", rss_mb, 250.0, "MB")
    hd = _watch(context, HD, context.run_s)
    yield from _report(HD, hd)
    by_rate = {VGA.rate_hz: vga}
    for rate_hz in RATES_HZ:
        by_rate[rate_hz] = _watch(context, Camera(640, 480, rate_hz), context.short_run_s)
    by_size = {(640, 480): vga, (1280, 720): hd}
    for width, height in OTHER_SIZES:
        by_size[width, height] = _watch(context, Camera(width, height, 30.0), context.short_run_s)
    for rate_hz, run in sorted(by_rate.items()):
        yield from _point(f"640x480, {rate_hz:g} Hz", run, "frame rate", rate_hz)
    for (width, height), run in sorted(by_size.items()):
        pixels = width * height / 1e6
        yield from _point(f"{width}x{height}, 30 Hz", run, "image size", pixels)


def _watch(context: Context, camera: Camera, duration_s: float) -> Run:
    run = graph.watch(context.root, camera, duration_s, [graph.OVERLAY])
    if not run.heard[graph.OVERLAY]:
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


def _point(name: str, run: Run, curve: str, x: float) -> Iterator[Measurement]:
    total = sum(run.cpu_percent.values())
    yield Measurement(
        PART, f"{name}: CPU of all nodes", "% of a core", total, {}, f"{curve}, whole graph", x
    )
    lost = run.summary["frames"]["skipped"]
    yield Measurement(PART, f"{name}: frames lost", "", lost)
