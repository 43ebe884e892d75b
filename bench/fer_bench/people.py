"""Several people in view: what each costs, and whether the whole graph holds the camera's rate.

The pictures are heads of the demo clip that move before a background, each with an expression that
changes; so every face is followed, aligned, described and answered apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path

import cv2

from fer_bench import frame, graph, scenes
from fer_bench.context import Context
from fer_bench.graph import Camera, Run
from fer_bench.measure import cpu_us
from fer_bench.results import Measurement, Target
from fer_common.core.errors import FerError
from fer_features.core.pipeline import FaceObservation, FeaturePipeline
from fer_snn.core.synapses.learning import Learning
from fer_testing.heads import Head, Picture, Stage

PART = "people"
COUNTS = (1, 2, 4, 8)
RATE_HZ = 30.0
#: Frames after which a clip begins again, without a jump.
_FRAMES = 180
_WARM_UP = 30
_COLUMNS = 4


def act(count: int, k: int) -> list[Head]:
    """Return `count` heads in frame k, one in the middle or up to eight in two rows of four."""
    phase = 2 * pi * k / _FRAMES
    across, down = min(count, _COLUMNS), -(-count // _COLUMNS)
    size = {1: 160, 2: 120, 3: 100}.get(across, 78)
    return [
        Head(
            person,
            640 / across * (person % _COLUMNS + 0.5) + 0.2 * size * sin(2 * phase + person),
            480 / down * (person // _COLUMNS + 0.5) + 0.1 * size * cos(3 * phase + person),
            size,
            # There and back, so that the last frame is like the first.
            min(k, _FRAMES - k),
        )
        for person in range(count)
    ]


def pictures(count: int) -> Iterator[Picture]:
    """Yield the frames of a clip of several people."""
    stage = Stage()
    return (stage.picture(act(count, k)) for k in range(_FRAMES))


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Measure the work of both nodes apart, and watch the graph, with ever more faces."""
    for count in COUNTS:
        yield from _nodes(context, count)
    with tempfile.TemporaryDirectory(prefix="fer-bench-") as folder:
        for count in COUNTS:
            clip = Path(folder, f"{count}.mp4")
            _write(clip, count)
            camera = Camera(640, 480, RATE_HZ, str(clip))
            run = graph.watch(context.root, camera, context.short_run_s, [graph.OVERLAY])
            yield from _graph(count, run)


def _nodes(context: Context, count: int) -> Iterator[Measurement]:
    frames = list(pictures(count))
    pipeline, stamps = FeaturePipeline(), scenes.Stamps()
    k = 0

    def look() -> list[FaceObservation]:
        nonlocal k
        stamps.next()
        k += 1
        return pipeline.process(frames[k % _FRAMES], stamps.now_ns)

    for _ in range(_WARM_UP):
        faces = look()
    if len(faces) != count:
        raise FerError(f"features follows {len(faces)} of {count} faces: run its tests")
    features_ms = cpu_us(look, 10 * context.least_s) / 1e3
    yield _point(f"features, faces: {count}", "ms", features_ms, "faces, features", count)
    snn, stamps = frame.Snn(Learning.OFF), scenes.Stamps()

    def answer() -> None:
        snn.work(frame.sent(stamps, frames[0], faces))

    answer()  # compiles
    snn_ms = cpu_us(answer, 10 * context.least_s) / 1e3
    yield _point(f"snn, faces: {count}", "ms", snn_ms, "faces, snn", count)


def _graph(count: int, run: Run) -> Iterator[Measurement | Target]:
    frames, latency_ms = run.summary["frames"], run.summary["latency_ms"]
    name = f"whole graph, faces: {count}"
    held_hz = frames["processed"] / frames["published"] * RATE_HZ
    yield _point(f"{name}: frames answered", "Hz", held_hz)
    yield _point(f"{name}: latency, p99", "ms", latency_ms["p99"])
    for node, percent in run.cpu_percent.items():
        yield _point(f"{name}: CPU of {node}", "% of a core", percent)
    if count == max(COUNTS):
        yield Target(f"{count} faces: frames lost", frames["skipped"], 0, "")


def _point(name: str, unit: str, value: float, series: str = "", x: float = 0.0) -> Measurement:
    return Measurement(PART, name, unit, value, {}, series, x)


def _write(path: Path, count: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE_HZ, scenes.VGA)
    if not writer.isOpened():
        raise FerError(f"{path} cannot be written: OpenCV has no MPEG-4 encoder here")
    for picture in pictures(count):
        writer.write(picture)
    writer.release()
