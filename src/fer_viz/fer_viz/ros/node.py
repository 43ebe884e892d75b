"""ROS node `viz`: shows what the network sees and says, as pictures and as numbers."""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import block_stop_signals, pin_to_one_thread

block_stop_signals(__name__)
# Before anything imports NumPy, which reads the number of threads once.
pin_to_one_thread()

import sys
import time
from collections.abc import Mapping
from typing import Any

import cv2
from rclpy.clock import Clock, ClockType
from rclpy.timer import Timer

from fer_common.core import stamps
from fer_common.core.errors import FerError
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.core.worker import Worker
from fer_common.ros.diagnostics import OK, WARN, Health
from fer_common.ros.image_subscription import AnyImage, bgr_reader
from fer_common.ros.node import FerNode, run
from fer_viz.core.live import Live, Shot
from fer_viz.core.pacing import Pacer
from fer_viz.core.parameters import NODE, TABLE, style
from fer_viz.ros.listener import GraphListener, topics
from fer_viz.ros.outputs import PICTURES, NumberOutput, PictureOutput

#: How soon the node sees that somebody has begun or ceased to listen.
LISTENERS_PERIOD_S = 0.2
WARNING_PERIOD_S = 5.0
#: The last picture is shown again, with what is missing, this often when no new one comes.
STALLED_RATE_HZ = 1.0


class VizNode(FerNode):
    """Publishes pictures and numbers. Listens to the streams only while somebody listens to it."""

    def __init__(self) -> None:
        super().__init__(NODE, TABLE, hardware_id="pictures")
        compressed = self.values["image_transport"] == "compressed"
        self._read = bgr_reader()
        self._statistics = StreamStatistics()
        self._pacer = Pacer(1.0)
        self._stalled_pacer = Pacer(STALLED_RATE_HZ)
        self._live: Live[AnyImage] = Live(topics(self, compressed), time.monotonic())
        self._listener = GraphListener(
            self, self._live, compressed, self._offer, self._drop, self._take
        )
        self._worker: Worker[Shot[AnyImage]] | None = None
        self._pictures: list[PictureOutput] = []
        self._numbers: NumberOutput | None = None
        self._timer: Timer | None = None
        self._last_drop = ""
        self._dropped_s = float("-inf")
        self.apply_parameters(self.values, frozenset())

    # Lifecycle and parameters

    def configure(self) -> None:
        """Create the publishers, and listen to what comes seldom."""
        self._pictures = [PictureOutput(self, topic) for topic in PICTURES]
        self._numbers = NumberOutput(self, lambda: self._face)
        self._listener.open_latched()

    def activate(self) -> None:
        """Draw whenever somebody listens."""
        self._worker = Worker(self._work, self.fail, NODE)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(LISTENERS_PERIOD_S, self._look_around, clock=steady)

    def deactivate(self) -> None:
        """Stop drawing and listening."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
        self._timer = None
        self._listener.close_streams()
        if self._worker is not None:
            self._worker.stop()
        self._worker = None

    def cleanup(self) -> None:
        """Take publishers and subscriptions away."""
        self._listener.close()
        publishers = [each for output in self._pictures for each in output.publishers]
        publishers += self._numbers.publishers if self._numbers is not None else ()
        for publisher in publishers:
            self.destroy_publisher(publisher)
        self._pictures, self._numbers = [], None

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Take over new values; the worker takes the style up with its next picture."""
        given: Any = values
        self._style, self._quality = style(values), given["jpeg_quality"]
        self._face: int = given["face"]
        self._pacer.rate_hz = given["rate"]
        self._live.configure(given["history"], given["result_timeout"], given["face"])

    def health(self) -> Health:
        """Say whether pictures are drawn, and if not, why."""
        now_s = time.monotonic()
        if not self.active:
            return Health(OK, "inactive: activate it to draw")
        if now_s - self._dropped_s < WARNING_PERIOD_S:
            return Health(WARN, f"dropping messages: {self._last_drop}")
        if not self._listener.streaming:
            return Health(OK, "idle: nobody listens to what is drawn here")
        hint = self._live.hint(now_s)
        return Health(WARN, hint) if hint else Health(OK, "drawing")

    def facts(self) -> Mapping[str, object]:
        """Tell who listens, and what has become of the frames."""
        return {
            "listeners": self._listeners(),
            **self._statistics.facts(time.monotonic()),
            "last_drop": self._last_drop,
        }

    # Who listens, and what is drawn for them

    def _listeners(self) -> int:
        numbers = 0 if self._numbers is None else self._numbers.listeners
        return numbers + sum(output.listeners for output in self._pictures)

    def _look_around(self) -> None:
        """Listen while somebody listens to us; show what is missing when no picture comes."""
        if not self._listeners():
            self._listener.close_streams()
            return
        if not self._listener.streaming:
            self._listener.open_streams()
        now_s = time.monotonic()
        stalled = self._live.stalled(now_s)
        if stalled is not None and self._worker and self._stalled_pacer.due(now_s):
            self._worker.queue.put(stalled)

    def _offer(self, shot: Shot[AnyImage]) -> None:
        if self._worker is not None and self._pacer.due(time.monotonic()):
            self._worker.queue.put(shot)

    def _take(self, topic: str, message: Any) -> None:
        if self._numbers is not None:
            self._numbers.take(topic, message)

    def _drop(self, topic: str, error: FerError) -> None:
        self._statistics.drop(topic)
        self._dropped_s, self._last_drop = time.monotonic(), f"on {topic}: {error}"
        self.get_logger().warning(
            f"message dropped {self._last_drop}", throttle_duration_sec=WARNING_PERIOD_S
        )

    # Work on a picture, in the worker's thread

    def _work(self, shot: Shot[AnyImage], skipped: int) -> None:
        begun_s = time.monotonic()
        heard = [output for output in self._pictures if output.listeners]
        if not heard:
            return
        try:
            image = self._read(shot.image)
        except FerError as error:
            self._drop("image_raw", error)
            return
        scene = self._live.scene(shot, begun_s)
        for output in heard:
            output.publish(shot.image.header, image, scene, self._style, self._quality)
        done_s = time.monotonic()
        latency_s = (self.get_clock().now().nanoseconds - shot.stamp_ns) / stamps.NANOSECONDS
        self._statistics.add(done_s, latency_s, done_s - begun_s, skipped)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to end; return the exit code."""
    cv2.setNumThreads(1)
    return run(VizNode, args)


if __name__ == "__main__":
    sys.exit(main())
