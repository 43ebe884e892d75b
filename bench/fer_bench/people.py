"""Several people in view: the cost of each, and whether the whole graph keeps the camera's rate.

The pictures are heads of the demo clip that move before a background, each with an expression that
changes. So every face is tracked, aligned, described and answered separately.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path

import cv2

from fer_bench import frame, graph, scenes
from fer_bench.graph import LOST, P99, Camera
from fer_bench.measure import Context, cpu_us
from fer_bench.results import Measurement
from fer_common.core.errors import FerError
from fer_features.core.pipeline import FaceObservation, FeaturePipeline
from fer_snn.core.synapses.learning import Learning
from fer_testing.heads import Head, Picture, Stage

PART = "people"
COUNTS = (1, 2, 4, 8)
RATE_HZ = 30.0
#: A clip is repeated after this number of frames, without a jump.
_FRAMES = 180
_WARM_UP = 30
_COLUMNS = 4
#: Limits with the most faces in view: CPU of a frame, and of the whole graph.
LIMIT_MS, LIMITS = 12.0, {LOST: 0, P99: 33.0}


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


def measure(context: Context) -> Iterator[Measurement]:
    """Measure the work of both nodes separately, and watch the graph, with ever more faces."""
    for count in COUNTS:
        yield from _nodes(context, count)
    with tempfile.TemporaryDirectory(prefix="fer-bench-") as folder:
        for count in COUNTS:
            clip = Path(folder, f"{count}.mp4")
            _write(clip, count)
            camera = Camera(640, 480, RATE_HZ, str(clip))
            most = count == max(COUNTS)
            duration_s = context.run_s if most else context.short_run_s
            run = graph.watch(context.root, camera, duration_s, [graph.OVERLAY])
            yield from run.figures(PART, _name(count), LIMITS if most else {})


def _nodes(context: Context, count: int) -> Iterator[Measurement]:
    frames, numbers = list(pictures(count)), itertools.cycle(range(_FRAMES))
    pipeline, stamps, snn = FeaturePipeline(), scenes.Stamps(), frame.Snn(Learning.OFF)

    def look() -> list[FaceObservation]:
        stamps.next()
        return pipeline.process(frames[next(numbers)], stamps.now_ns)

    for _ in range(_WARM_UP):
        faces = look()
    if len(faces) != count:
        raise FerError(f"features tracks {len(faces)} of {count} faces: run its tests")

    def answer() -> None:
        snn.work(frame.sent(stamps, frames[0], faces))

    answer()  # Compiles.
    features_ms, snn_ms = (cpu_us(work, 10 * context.least_s) / 1e3 for work in (look, answer))
    costs_ms = {"features": features_ms, "snn": snn_ms, "features and snn": features_ms + snn_ms}
    for nodes, value in costs_ms.items():
        yield Measurement(
            PART,
            _name(count),
            "ms",
            value,
            figure=nodes,
            curves={f"faces, {nodes}": count},
            limit=LIMIT_MS if count == max(COUNTS) and nodes == "features and snn" else None,
        )


def _name(count: int) -> str:
    return f"{count} face{'s' if count > 1 else ''}"


def _write(path: Path, count: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE_HZ, scenes.VGA)
    if not writer.isOpened():
        raise FerError(f"{path} cannot be written: OpenCV has no MPEG-4 encoder here")
    for picture in pictures(count):
        writer.write(picture)
    writer.release()
