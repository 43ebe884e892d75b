"""The camera node: images, camera_info and frame_info from a source."""
# ruff: noqa: E402

from __future__ import annotations

from fer_camera.ros.package_folders import share_folder
from fer_common.core.process import block_stop_signals

block_stop_signals(__name__)

import sys
import time
from collections.abc import Callable, Mapping

import cv2
from rclpy.clock import Clock, ClockType
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fer_camera.core import calibration
from fer_camera.core.capture import Stream
from fer_camera.core.device import Device
from fer_camera.core.factory import candidates, demo_source, find_device, open_source
from fer_camera.core.parameters import AUTO, TABLE, Settings
from fer_camera.core.picture import render
from fer_camera.core.searching import CameraSearch
from fer_camera.core.session import Frame, State, Status
from fer_camera.core.sources import Source
from fer_common.core import images, stamps
from fer_common.core.errors import FerError
from fer_common.core.network_links import CongestionWindow, is_flow_controlled
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.ros import qos
from fer_common.ros.diagnostics import ERROR, OK, WARN, Health
from fer_common.ros.node import FerNode, all_acknowledged, run, subscription_count
from fer_interfaces.msg import FrameInfo

IMAGE = "image_raw"
COMPRESSED = "image_raw/compressed"
CAMERA_INFO = "camera_info"
FRAME_INFO = "frame_info"
_TYPES = {IMAGE: Image, COMPRESSED: CompressedImage, CAMERA_INFO: CameraInfo, FRAME_INFO: FrameInfo}
#: Below this part of the wanted rate the diagnostics warn.
_SLOW = 0.9
#: How soon a camera is noticed that was plugged in while the demo clip plays.
_SEARCH_PERIOD_S = 0.5
_LEVELS = {State.STARTING: WARN, State.STREAMING: OK, State.FAULT: ERROR, State.ENDED: OK}


class CameraNode(FerNode):
    """Publishes what a `Stream` gives; see `fer_camera.core.parameters` for its parameters."""

    def __init__(self) -> None:
        self._stream: Stream | None = None
        self._image_publishers: dict[str, Publisher] = {}
        self._calibration: calibration.Calibration | None = None
        self._statistics = StreamStatistics()
        self._size = ""
        self._encoded = self._held_back = 0
        self._pacer: CongestionWindow | None = None
        self._search = CameraSearch(candidates)
        super().__init__("camera", TABLE, "camera")
        self._settings = Settings.of(self.values)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_SEARCH_PERIOD_S, self._look_for_camera, clock=steady)

    # Lifecycle

    def configure(self) -> None:
        """Open the source and create the publishers."""
        self._calibration = calibration.load(str(self.values["camera_info_url"]), share_folder)
        source = open_source(str(self.values["source"]))
        self._stream = self._make_stream(lambda: source)
        for topic, kind in _TYPES.items():
            # frame_info is what frames are counted by: a listener that is late must not miss one.
            profile = qos.RESULT if topic == FRAME_INFO else qos.STREAM
            self._image_publishers[topic] = self.add_publisher(kind, self._name(topic), profile)
        compressed = self._image_publishers[COMPRESSED]
        self._pacer = CongestionWindow(lambda: all_acknowledged(compressed))

    def activate(self) -> None:
        """Begin to publish."""
        assert self._stream is not None
        self._stream.start()

    def deactivate(self) -> None:
        """Stop to publish; a device is released, a file stays where it is."""
        if self._stream is not None:
            self._stream.stop()

    def cleanup(self) -> None:
        """Release the source and the publishers."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        for publisher in self._image_publishers.values():
            self.destroy_publisher(publisher)
        self._image_publishers.clear()

    def _name(self, topic: str) -> str:
        # As image_transport has it: the compressed topic follows a remapping of image_raw.
        return topic.replace(IMAGE, self.resolve_topic_name(IMAGE), 1)

    # Parameters

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Refuse a source or a calibration that cannot be read."""
        if "source" in changed:
            source = open_source(str(values["source"]))
            if source is not None:
                source.close()
        if "camera_info_url" in changed:
            calibration.load(str(values["camera_info_url"]), share_folder)

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Take over new settings; another source begins a new stream."""
        self._settings = Settings.of(values)
        if "camera_info_url" in changed:
            try:
                self._calibration = calibration.load(str(values["camera_info_url"]), share_folder)
            except FerError as error:
                # It was good when it was checked.
                self.get_logger().error(str(error))
        if self._stream is None:
            return
        if "source" in changed:
            self._stream = self._change_stream(lambda: open_source(str(values["source"])))
        self._stream.update(self._settings)

    # Stream

    def _make_stream(self, choose: Callable[[], Source | Device | None]) -> Stream:
        return Stream(
            choose=lambda: choose() or self._find_source(),
            settings=self._settings,
            clock_ns=lambda: self.get_clock().now().nanoseconds,
            emit=self._publish,
            changed=self._on_status,
            failed=self.fail,
        )

    def _change_stream(self, choose: Callable[[], Source | Device | None]) -> Stream:
        if self._stream is not None:
            self._stream.close()
        stream = self._make_stream(choose)
        if self.active:
            stream.start()
        return stream

    def _look_for_camera(self) -> None:
        """Take a camera that has come where none was named, and none gives frames."""
        stream = self._stream
        if stream is None or not self.active or self.values["source"] != AUTO:
            return
        source, fault = stream.source, stream.status.state is State.FAULT
        if source is None or (isinstance(source, Device) and not fault):
            return
        device = self._search.look(self._settings, source.name)
        if device is not None:
            self.get_logger().info(f"found camera {device.name}")
            self._stream = self._change_stream(lambda: device)

    def _find_source(self) -> Source | Device:
        device = find_device(self._settings, candidates())
        if device is not None:
            self.get_logger().info(f"found camera {device.name}")
            return device
        self.get_logger().warning(
            "no camera found: playing the demo clip (parameter 'source' names another source)"
        )
        return demo_source()

    def _on_status(self, status: Status) -> None:
        if status.state is State.FAULT:
            self.get_logger().error(status.text)
        else:
            self.get_logger().info(status.text)
        self.publish_health()

    def _publish(self, frame: Frame) -> None:
        settings = self._settings
        began_s = time.monotonic()
        pixels = render(frame.pixels, settings)
        header = Header(frame_id=settings.frame_id)
        header.stamp.sec, header.stamp.nanosec = stamps.split_ns(frame.stamp_ns)
        if subscription_count(self._image_publishers[IMAGE]):
            image = Image(header=header)
            images.fill(image, pixels, settings.encoding)
            self._image_publishers[IMAGE].publish(image)
        if subscription_count(self._image_publishers[COMPRESSED]) and self._may_send(began_s):
            compressed = CompressedImage(header=header)
            images.fill_compressed(compressed, pixels, settings.jpeg_quality)
            self._image_publishers[COMPRESSED].publish(compressed)
            self._encoded += 1
        height, width = pixels.shape[:2]
        self._image_publishers[CAMERA_INFO].publish(self._camera_info(header, width, height))
        self._image_publishers[FRAME_INFO].publish(
            FrameInfo(header=header, source=frame.source, index=frame.index, loop=frame.loop)
        )
        done_s = time.monotonic()
        latency_s = (self.get_clock().now().nanoseconds - frame.stamp_ns) / stamps.NANOSECONDS
        self._size = f"{width}x{height}"
        self._statistics.add(done_s, latency_s, done_s - began_s)

    def _may_send(self, now_s: float) -> bool:
        if self._pacer is None or not is_flow_controlled(self.values):
            return True
        may_send = self._pacer.may_send(now_s)
        self._held_back += not may_send
        return may_send

    def _camera_info(self, header: Header, width: int, height: int) -> CameraInfo:
        message = CameraInfo(header=header)
        intrinsics = None
        if self._calibration is not None:
            intrinsics = self._calibration.of_size(width, height)
        elif self._settings.horizontal_fov:
            intrinsics = calibration.pinhole(width, height, self._settings.horizontal_fov)
        calibration.fill(message, width, height, intrinsics)
        return message

    # Health

    def health(self) -> Health:
        """Say what the source does, and whether it is fast enough."""
        stream = self._stream
        if stream is None or not self.active:
            return Health(OK, "inactive: activate it to stream")
        status = stream.status
        wanted_hz, rate_hz = stream.wanted_hz, self._statistics.rate_hz(time.monotonic())
        if status.state is State.STREAMING and rate_hz < _SLOW * wanted_hz:
            shortfall = f"only {rate_hz:.1f} of {wanted_hz:g} Hz: lower the rate or the size"
            return Health(WARN, f"{status.text}, but {shortfall}")
        return Health(_LEVELS[status.state], status.text)

    def facts(self) -> Mapping[str, object]:
        """Tell what it is, and what has become of its frames."""
        stream = self._stream
        return {
            "source": "" if stream is None or stream.source is None else stream.source.name,
            **self._statistics.facts(time.monotonic()),
            "compressed": self._encoded,
            "held_back": self._held_back,
            "size": self._size,
            "calibrated": self._calibration is not None,
            **({} if stream is None else stream.facts),
        }


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    cv2.setNumThreads(1)
    return run(CameraNode, args)


if __name__ == "__main__":
    sys.exit(main())
