"""What tests of the whole graph share: listening to every topic, and what has to hold of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import psutil
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from fer_common.core.stamps import to_ns
from fer_common.ros import qos
from fer_interfaces.msg import (
    ExpressionArray,
    FaceFeaturesArray,
    FrameInfo,
    NetworkInfo,
    Potentials,
    Spikes,
    Weights,
)
from fer_testing.ros import Graph, wait_for

#: Topics of which every message carries the header of its image.
STREAMS: dict[str, Any] = {
    "camera_info": CameraInfo,
    "frame_info": FrameInfo,
    "features": FaceFeaturesArray,
    "face_crop": Image,
    "spikes": Spikes,
    "potentials": Potentials,
    "expressions": ExpressionArray,
}
#: The same, but too heavy to listen to all the time: that would slow down what is tested.
PICTURES: dict[str, Any] = {"image_raw": Image, "overlay": Image}
LATCHED: dict[str, Any] = {"weights": Weights, "network": NetworkInfo}
SERVICES = (
    "teach",
    "learning_report",
    "undo",
    "list_weights",
    "fetch_weights",
    "store_weights",
    "save_weights",
    "load_weights",
    "reset",
)
#: Least part of the frames that gets through in a run that is worth looking at. A host that others
#: use too takes the cores away for tenths of a second; how many frames are lost on a quiet one is
#: measured by `fer bench pipeline`.
KEPT_UP = 0.5
_TO_END_S = 20.0
#: Deep, so that a slow test does not lose what it wants to count.
_DEEP = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE
)


#: Commands that tests have started and not ended yet.
_running: list[subprocess.Popen[str]] = []


def start_fer(*arguments: object) -> subprocess.Popen[str]:
    """Start a command of fer in the domain of this process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fer.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _running.append(process)
    return process


def end_commands() -> None:
    """End the commands that a failed test has left running, with their nodes."""
    while _running:
        process = _running.pop()
        if process.poll() is not None:
            continue
        nodes = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=_TO_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            for node in nodes:
                with suppress(psutil.NoSuchProcess):
                    node.kill()
            process.communicate()


def children(process: subprocess.Popen[Any]) -> dict[str, psutil.Process]:
    """Return the processes of the nodes that `fer up` has started, by the node's name."""
    found: dict[str, psutil.Process] = {}
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            names = [part[8:] for part in child.cmdline() if part.startswith("__node:=")]
        except psutil.NoSuchProcess:
            continue
        found.update(dict.fromkeys(names, child))
    return found


def all_gone(processes: Iterable[psutil.Process]) -> bool:
    """Whether none of the processes runs any more."""
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


@dataclass
class Listener:
    """Listens to every topic of a graph.

    Attributes
    ----------
    graph : node and executor to listen with.
    namespace : of the graph, absolute.
    headers : (stamp in ns, frame_id) of every message so far, by topic.
    expressions, spikes : every message of these topics so far.
    latched : messages of the latched topics, by topic.
    """

    graph: Graph
    namespace: str
    headers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    expressions: list[Any] = field(default_factory=list)
    spikes: list[Any] = field(default_factory=list)
    latched: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for topic, kind in STREAMS.items():
            self.headers[topic] = []
            self._subscribe(kind, topic, self._on_stream(topic), _DEEP)
        self.join_late()

    def join_late(self) -> None:
        """Listen to the latched topics, from now on."""
        for topic, kind in LATCHED.items():
            messages = self.latched.setdefault(topic, [])
            self._subscribe(kind, topic, messages.append, qos.LATCHED)

    def look_at_pictures(self, number: int) -> None:
        """Listen to the topics in `PICTURES` until some messages of each have come."""
        for topic, kind in PICTURES.items():
            headers = self.headers.setdefault(topic, [])
            subscription = self._subscribe(kind, topic, self._on_stream(topic), _DEEP)
            wait_for(partial(_has, headers, number), f"messages on {topic}")
            self.graph.node.destroy_subscription(subscription)

    def _subscribe(self, kind: Any, topic: str, callback: Any, profile: QoSProfile) -> Any:
        name = f"{self.namespace}/{topic}"
        return self.graph.node.create_subscription(kind, name, callback, profile)

    def _on_stream(self, topic: str) -> Any:
        def received(message: Any) -> None:
            self.headers[topic].append((to_ns(message.header.stamp), message.header.frame_id))
            kept = {"expressions": self.expressions, "spikes": self.spikes}
            if topic in kept:
                kept[topic].append(message)

        return received


def _has(messages: list[Any], number: int) -> bool:
    return len(messages) >= number


def check_stamps(listener: Listener) -> None:
    """Every message carries the header of an image, unchanged and in order.

    Raises
    ------
    AssertionError
        naming the topic for which it does not hold.
    """
    images = set(listener.headers["frame_info"])
    first_ns, last_ns = min(images)[0], max(images)[0]
    for topic, headers in listener.headers.items():
        stamps = [stamp_ns for stamp_ns, _ in headers]
        assert stamps == sorted(set(stamps)), f"{topic} is out of order"
        within = {header for header in headers if first_ns <= header[0] <= last_ns}
        assert within, f"{topic} was silent"
        assert within <= images, f"{topic} has headers that no image has"


def check_rate(listener: Listener, topic: str, rate_hz: float) -> None:
    """At least `KEPT_UP` of the messages came that the rate promises for the time listened.

    Raises
    ------
    AssertionError
        if there were fewer, or more than a tenth too many.
    """
    stamps = [stamp_ns for stamp_ns, _ in listener.headers[topic]]
    measured_hz = (len(stamps) - 1) / (stamps[-1] - stamps[0]) * 1e9
    assert KEPT_UP * rate_hz <= measured_hz <= 1.1 * rate_hz, f"{topic}: {measured_hz:.1f} Hz"


def check_spike_times(listener: Listener, t_ref_s: float = 0.002) -> None:
    """No neuron fires twice within its refractory period; times are those that Spikes.msg states.

    Raises
    ------
    AssertionError
        if one does, or too few spikes were heard to tell.
    """
    times_ns: dict[tuple[int, str, int], list[int]] = {}
    for message in listener.spikes:
        stamp_ns, dt_ns = to_ns(message.header.stamp), round(message.dt * 1e9)
        for train in message.trains:
            for neuron, step in zip(train.neuron, train.step, strict=True):
                time_ns = stamp_ns - (message.steps - 1 - step) * dt_ns
                times_ns.setdefault((train.face_id, train.layer, neuron), []).append(time_ns)
    intervals = [b - a for times in times_ns.values() for a, b in pairwise(times)]
    assert len(intervals) > 1000
    assert min(intervals) >= round(t_ref_s * 1e9)
