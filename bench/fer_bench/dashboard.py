"""The dashboard's window beside a graph of 300 expression neurons: CPU, and whether memory grows.

The graph is played by this process: a picture and everything that goes with it, 30 times a second.
"""

from __future__ import annotations

import array
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import rclpy
from rclpy.context import Context as RosContext
from rclpy.node import Node
from sensor_msgs.msg import Image, RegionOfInterest

from fer_bench.context import Context
from fer_bench.results import Measurement, Target
from fer_common import images, qos
from fer_common.errors import FerError
from fer_common.testing import reserved_domain
from fer_interfaces.msg import (
    Expression,
    ExpressionArray,
    FaceFeatures,
    FaceFeaturesArray,
    MembraneTrace,
    NetworkInfo,
    Potentials,
    Projection,
    Spikes,
    SpikeTrain,
    Weights,
)
from fer_viz.dashboard.binding import NoQtError, require_qt

PART = "dashboard"
NEURONS, RATE_HZ, STEPS = 300, 30.0, 33
LABELS = ("neutral", "smile", "surprised")
CPU_LIMIT_PERCENT, GROWTH_LIMIT_MB = 60.0, 5.0
#: Memory settles while histories fill.
_SETTLE_S = 35.0
_SAMPLE_S = 1.0
_SPIKE_RATE_HZ = 20.0
_KINDS = {
    "image_raw": (Image, qos.STREAM),
    "features": (FaceFeaturesArray, qos.STREAM),
    "spikes": (Spikes, qos.RESULT),
    "potentials": (Potentials, qos.RESULT),
    "expressions": (ExpressionArray, qos.RESULT),
    "weights": (Weights, qos.LATCHED),
    "network": (NetworkInfo, qos.LATCHED),
}


class PlayedGraph:
    """Publishes what a graph would."""

    def __init__(self, context: RosContext) -> None:
        self._node = Node("played", namespace="/fer", context=context)
        self._publishers = {
            topic: self._node.create_publisher(kind, topic, profile)
            for topic, (kind, profile) in _KINDS.items()
        }
        self._random = np.random.default_rng(1)
        self._picture = self._random.integers(0, 255, (480, 640, 3), np.uint8)
        self._frame = 0
        channels = 48
        fields = Projection(
            size=len(LABELS),
            channels=channels,
            rows=12,
            cols=12,
            channel_names=[
                f"{side} {wl}px {22.5 * k:g}deg"
                for side in ("ON", "OFF")
                for wl in (4, 6, 9)
                for k in range(8)
            ],
            weights=array.array("f", self._random.random(len(LABELS) * channels * 144)),
        )
        self._publishers["weights"].publish(
            Weights(
                version=1,
                labels=LABELS,
                neuron_label=[k * len(LABELS) // NEURONS for k in range(NEURONS)],
                receptive_fields=fields,
            )
        )
        self._publishers["network"].publish(
            NetworkInfo(model="played", labels=LABELS, learning="off")
        )

    def heard(self) -> bool:
        """Whether somebody listens to everything."""
        return all(publisher.get_subscription_count() for publisher in self._publishers.values())

    def publish_frame(self) -> None:
        """Publish one picture and what the graph makes of it."""
        self._frame += 1
        image = Image()
        stamp_ns = time.time_ns()
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        images.fill(image, self._picture, "bgr8")
        header, send = image.header, self._publishers
        roi = RegionOfInterest(x_offset=200, y_offset=100, width=200, height=200)
        features = array.array("f", self._random.random(24 * 144, np.float32))
        face = FaceFeatures(id=1, roi=roi, features=features)
        send["image_raw"].publish(image)
        send["features"].publish(
            FaceFeaturesArray(
                header=header,
                feature_spec="gabor-2;o=8",
                channels=24,
                rows=12,
                cols=12,
                faces=[face],
            )
        )
        neuron, step = self._spikes()
        train = SpikeTrain(face_id=1, layer="expression", size=NEURONS, neuron=neuron, step=step)
        send["spikes"].publish(Spikes(header=header, dt=1e-3, steps=STEPS, trains=[train]))
        send["potentials"].publish(self._potentials(header))
        scores = self._random.dirichlet(np.ones(len(LABELS)))
        said = int(scores.argmax())
        expression = Expression(
            face_id=1,
            roi=roi,
            label=LABELS[said],
            confidence=float(scores[said]),
            labels=LABELS,
            scores=scores.tolist(),
            rates_hz=(60 * scores).tolist(),
        )
        send["expressions"].publish(ExpressionArray(header=header, expressions=[expression]))

    def _spikes(self) -> tuple[list[int], list[int]]:
        fired = self._random.random((STEPS, NEURONS)) < _SPIKE_RATE_HZ * 1e-3
        step, neuron = np.nonzero(fired)
        return neuron.tolist(), step.tolist()

    def _potentials(self, header: object) -> Potentials:
        values = self._random.random(STEPS * NEURONS, np.float32) * 0.025 - 0.075
        trace = MembraneTrace(
            face_id=1,
            layer="expression",
            size=NEURONS,
            potential=array.array("f", values),
            threshold=array.array("f", [-0.05] * NEURONS),
        )
        return Potentials(
            header=header, dt=1e-3, steps=STEPS, v_rest=-0.07, v_reset=-0.075, traces=[trace]
        )


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Watch the window while it shows the played graph."""
    try:
        require_qt(window=False)
    except NoQtError as error:
        raise FerError(f"the dashboard cannot be measured: {error}") from error
    duration_s = _SETTLE_S + max(context.run_s, 10.0)
    percent, megabytes = _watch(duration_s)
    name = f"{NEURONS} expression neurons, {RATE_HZ:g} Hz, 1280x800"
    yield Target(f"{name}: CPU of the window", percent, CPU_LIMIT_PERCENT, "% of a core")
    slope = np.polyfit(np.arange(len(megabytes)) * _SAMPLE_S / 60, megabytes, 1)[0]
    yield Measurement(PART, f"{name}: memory of the window", "MB", megabytes[-1])
    yield Measurement(PART, f"{name}: growth of its memory", "MB/min", float(slope))
    grown = float(np.median(megabytes[-5:]) - np.median(megabytes[:5]))
    yield Target(
        f"{name}: memory grown in {len(megabytes) * _SAMPLE_S:g} s", grown, GROWTH_LIMIT_MB, "MB"
    )


def _watch(duration_s: float) -> tuple[float, list[float]]:
    """Return the mean CPU in percent of a core, and the memory in MB after it has settled."""
    with reserved_domain() as domain, _window() as window:
        ros = RosContext()
        rclpy.init(context=ros, domain_id=domain)
        graph = PlayedGraph(ros)
        megabytes: list[float] = []
        begin_s = due_s = sampled_s = time.monotonic()
        counted: tuple[float, float] | None = None
        while due_s < begin_s + duration_s:
            graph.publish_frame()
            due_s += 1 / RATE_HZ
            now_s = time.monotonic()
            if now_s - begin_s > _SETTLE_S and now_s - sampled_s >= _SAMPLE_S:
                sampled_s = now_s
                megabytes.append(window.memory_info().rss / 1e6)
                counted = counted or (now_s, _cpu_s(window))
            time.sleep(max(due_s - time.monotonic(), 0.0))
        assert counted is not None
        percent = 100 * (_cpu_s(window) - counted[1]) / (time.monotonic() - counted[0])
        if not graph.heard():
            raise FerError("the window did not listen: run `fer dashboard` and see what it says")
        ros.try_shutdown()
        return percent, megabytes


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _window() -> Iterator[psutil.Process]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_viz.dashboard.window", "--theme", "dark"], env=environment
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)
