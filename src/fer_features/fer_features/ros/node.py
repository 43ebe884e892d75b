"""ROS node `features`: subscribes to images, publishes faces with their features."""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import begin_start, pin_to_one_thread

begin_start(__name__)
# Before NumPy is imported, which reads the number of threads only once.
pin_to_one_thread()

import copy
import math
import sys
import time
from collections.abc import Mapping

from rclpy.qos import QoSProfile
from rclpy.service import Service
from std_srvs.srv import SetBool

from fer_common.core import stamps
from fer_common.core.errors import FerError, ImageError
from fer_common.core.network_links import AgeError, check_age, max_age_s
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.core.worker import HEAD_START_S, Worker
from fer_common.ros import qos
from fer_common.ros.diagnostics import OK, STALE, WARN, Health
from fer_common.ros.exchange import SharedProcess
from fer_common.ros.image_reader import bgr_reader
from fer_common.ros.image_subscription import AnyImage, ImageSubscription
from fer_common.ros.node import FerNode
from fer_common.ros.running import run
from fer_common.ros.watch import PERIOD_S, Watch
from fer_features.core.detector import FaceDetector
from fer_features.core.parameters import NODE, TABLE, feature_parameters
from fer_features.core.pipeline import FeaturePipeline
from fer_features.ros.outputs import FeatureOutputs

WARNING_PERIOD_S = 5.0
#: How long the node goes on without subscribers: they may still be discovering it, or be restarted.
IDLE_AFTER_S = 2.0
PAUSED = "paused: call the service enable with data: true to go on"
#: Names under which dropped images are counted, by error.
_DROP_REASONS = {ImageError: "image", AgeError: "age", FerError: "stamp"}


class FeaturesNode(FerNode):
    """Detects, tracks and aligns faces, and publishes their Gabor features.

    It subscribes to images only while it is enabled and somebody subscribes to what it makes of
    them.
    """

    def __init__(self, shared: SharedProcess | None = None) -> None:
        super().__init__(NODE, TABLE, "face detector", shared)
        self._statistics = StreamStatistics()
        self._read = bgr_reader()
        self._settings = feature_parameters(self.values)
        self._pipeline: FeaturePipeline | None = None
        self._worker: Worker[AnyImage] | None = None
        self._outputs: FeatureOutputs | None = None
        self._images: ImageSubscription | None = None
        self._enable: Service | None = None
        self._enabled = True
        self._demand: Watch | None = None
        self._wanted_s = math.nan
        self._arrived_s = math.nan
        self._dropped_s = -math.inf
        self._last_drop = ""
        self._faces = 0

    # Lifecycle and parameters

    def configure(self) -> None:
        """Load the detector, create the publishers and the service."""
        self._pipeline = FeaturePipeline(self._settings)
        self._outputs = FeatureOutputs(self, self._profile())
        every_frame = bool(self.values["every_frame"])
        self._worker = Worker(self._work, self.fail, NODE, every_frame, HEAD_START_S)
        self._enable = self.create_service(SetBool, "enable", self._on_enable)

    def activate(self) -> None:
        """Subscribe to the images while they are wanted."""
        self._wanted_s = time.monotonic()
        self._demand = self.watcher.add(
            lambda: self._wanted() != (self._images is not None), self._follow_demand, PERIOD_S
        )
        self._follow_demand()

    def deactivate(self) -> None:
        """Unsubscribe; keep tracks and counters."""
        if self._demand is not None:
            self.watcher.remove(self._demand)
        self._demand = None
        self._close_images()

    def cleanup(self) -> None:
        """Stop the worker, destroy the publishers and the service, forget the tracks."""
        if self._enable is not None:
            self.destroy_service(self._enable)
        self._enable = None
        if self._worker is not None:
            self._worker.stop()
        if self._outputs is not None:
            self._outputs.close()
        self._worker = self._outputs = self._pipeline = None

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Refuse a detector model that cannot be loaded."""
        if "detector.model" in changed:
            FaceDetector(feature_parameters(values).detector)

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Store new settings; the worker applies them before its next frame."""
        self._settings = feature_parameters(values)

    def health(self) -> Health:
        """Return whether images arrive and can be read."""
        now_s = time.monotonic()
        source, silent_s = self._images, now_s - self._arrived_s
        if not self.active:
            return Health(OK, "inactive: activate it to process images")
        if not self._enabled:
            return Health(OK, PAUSED)
        if source is None:
            return Health(OK, "idle: its topics have no subscribers")
        stale_after = self.values["stale_after"]
        assert isinstance(stale_after, float)
        if silent_s > stale_after:
            cause = source.cause_of_silence()
            return Health(STALE, f"no image on {source.topic} for {silent_s:.0f} s: {cause}")
        if now_s - self._dropped_s < WARNING_PERIOD_S:
            return Health(WARN, f"dropping images {self._last_drop}")
        if source.mismatch:
            return Health(WARN, source.mismatch)
        return Health(OK, f"following {self._faces} face(s)")

    def facts(self) -> Mapping[str, object]:
        """Return the counters of the images."""
        return {
            **self._statistics.facts(time.monotonic()),
            **(self._images.losses.facts() if self._images else {}),
            "last_drop": self._last_drop,
            "faces": self._faces,
            "enabled": self._enabled,
        }

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._enabled = request.data
        self._wanted_s = time.monotonic()
        self._follow_demand()
        self.publish_health()
        response.success, response.message = True, "enabled" if self._enabled else PAUSED
        return response

    def _wanted(self) -> bool:
        now_s, outputs = time.monotonic(), self._outputs
        if self.values["every_frame"] or (outputs is not None and outputs.wanted):
            self._wanted_s = now_s
        return self.active and self._enabled and now_s - self._wanted_s <= IDLE_AFTER_S

    def _follow_demand(self) -> None:
        """Subscribe to the images while they are wanted."""
        if not self._wanted():
            self._close_images()
        elif self._images is None:
            self._arrived_s = time.monotonic()
            compressed = self.values["image_transport"] == "compressed"
            self._images = ImageSubscription(self, compressed, self._profile(), self._on_image)

    def _close_images(self) -> None:
        if self._images is not None:
            self._images.close()
        self._images = None

    def _profile(self) -> QoSProfile:
        # A copy, because rclpy writes qos_overrides into the profile.
        return copy.copy(qos.EVERY_FRAME if self.values["every_frame"] else qos.STREAM)

    # Images: received in the executor's thread, processed in the worker's

    def _on_image(self, message: AnyImage) -> None:
        self._arrived_s = time.monotonic()
        worker, source = self._worker, self._images
        if worker is not None and source is not None:
            worker.queue.put(message, source.missed)

    def _work(self, message: AnyImage, skipped: int) -> None:
        begun_s = time.monotonic()
        pipeline, settings, outputs = self._pipeline, self._settings, self._outputs
        assert pipeline is not None and outputs is not None
        if pipeline.parameters is not settings:
            pipeline.parameters = settings
        header = message.header
        try:
            stamp_ns = stamps.checked_ns(header.stamp)
            check_age(self.age_s(header), max_age_s(self.values))
            picture = self._read(message)
        except FerError as error:
            self._drop(error)
            return
        faces = pipeline.observe(picture, stamp_ns)
        self._faces = len(faces)
        outputs.publish(header, picture, pipeline.parameters, faces, skipped)
        latency_s = self.age_s(header)
        pipeline.catch_up()
        done_s = time.monotonic()
        self._statistics.add(done_s, latency_s, done_s - begun_s, skipped)

    def _drop(self, error: FerError) -> None:
        reason = next(name for kind, name in _DROP_REASONS.items() if isinstance(error, kind))
        self._statistics.drop(reason)
        self._dropped_s = time.monotonic()
        publishers = self._images.publishers() if self._images else "a publisher that left"
        self._last_drop = f"from {publishers}: {error}"
        self.get_logger().warning(
            f"image dropped {self._last_drop}", throttle_duration_sec=WARNING_PERIOD_S
        )


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run(FeaturesNode, args=args)


if __name__ == "__main__":
    sys.exit(main())
