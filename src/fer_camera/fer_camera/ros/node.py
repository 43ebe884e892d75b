"""ROS node `camera`: publishes images, camera_info and frame_info from a source."""
# ruff: noqa: E402

from __future__ import annotations

from fer_common.core.process import begin_start

begin_start(__name__)

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fer_camera.core import calibration
from fer_camera.core.device import Device, connected_devices
from fer_camera.core.device_discovery import DeviceDiscovery, find_device
from fer_camera.core.parameters import AUTO, DEMO, TABLE, CameraSettings
from fer_camera.core.sources import FileSource, open_source
from fer_camera.core.stream import CameraStream
from fer_camera.core.stream_state import CameraFrame, StreamState, StreamStatus
from fer_camera.core.transform import transform
from fer_common.core import images, stamps
from fer_common.core.errors import FerError
from fer_common.core.network_links import CongestionWindow, is_flow_controlled
from fer_common.core.parameters import Value
from fer_common.core.statistics import StreamStatistics
from fer_common.ros import qos
from fer_common.ros.clock import has_time
from fer_common.ros.diagnostics import ERROR, OK, WARN, Health
from fer_common.ros.exchange import SharedProcess
from fer_common.ros.messages import image_view
from fer_common.ros.node import FerNode, all_acknowledged, subscription_count
from fer_common.ros.running import run
from fer_interfaces.msg import FrameInfo

IMAGE = "image_raw"
COMPRESSED = "image_raw/compressed"
CAMERA_INFO = "camera_info"
FRAME_INFO = "frame_info"
_TYPES = {IMAGE: Image, COMPRESSED: CompressedImage, CAMERA_INFO: CameraInfo, FRAME_INFO: FrameInfo}
#: Diagnostics warn below this share of the expected rate.
_SLOW = 0.9
#: Period of the search for a new camera while the demo clip plays.
_DISCOVERY_PERIOD_S = 0.5
_LEVELS = {
    StreamState.STARTING: WARN,
    StreamState.STREAMING: OK,
    StreamState.FAULT: ERROR,
    StreamState.ENDED: OK,
}


class CameraNode(FerNode):
    """Publishes the frames of a `CameraStream`. Parameters: `fer_camera.core.parameters`."""

    def __init__(self, shared: SharedProcess | None = None) -> None:
        self._stream: CameraStream | None = None
        self._publishers_by_topic: dict[str, Publisher] = {}
        self._intrinsics: calibration.Intrinsics | None = None
        self._statistics = StreamStatistics()
        self._size = ""
        self._encoded = self._held_back = 0
        self._window: CongestionWindow | None = None
        self._discovery = DeviceDiscovery(connected_devices)
        super().__init__("camera", TABLE, "camera", shared)
        self._settings = CameraSettings.of(self.values)
        self.watcher.add(self._may_change_camera, self._discover_camera, _DISCOVERY_PERIOD_S)

    # Lifecycle

    def configure(self) -> None:
        """Open the source and create the publishers."""
        self._intrinsics = self._load_calibration(self.values)
        source = open_source(str(self.values["source"]))
        self._stream = self._make_stream(lambda: source)
        for topic, kind in _TYPES.items():
            # frame_info counts the frames, so a late subscriber must not miss one.
            profile = qos.RESULT if topic == FRAME_INFO else qos.STREAM
            # As in image_transport, the compressed topic follows a remapping of image_raw.
            name = topic.replace(IMAGE, self.resolve_topic_name(IMAGE), 1)
            self._publishers_by_topic[topic] = self.add_publisher(kind, name, profile)
        compressed = self._publishers_by_topic[COMPRESSED]
        self._window = CongestionWindow(lambda: all_acknowledged(compressed))

    def activate(self) -> None:
        """Start the stream."""
        assert self._stream is not None
        self._stream.start()

    def deactivate(self) -> None:
        """Stop the stream. A device is released; a file keeps its position."""
        if self._stream is not None:
            self._stream.stop()

    def cleanup(self) -> None:
        """Release the source and the publishers."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        for publisher in self._publishers_by_topic.values():
            self.destroy_publisher(publisher)
        self._publishers_by_topic.clear()

    # Parameters

    def check_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Refuse a source or a calibration that cannot be read."""
        if "source" in changed:
            source = open_source(str(values["source"]))
            if source is not None:
                source.close()
        if "camera_info_url" in changed:
            self._load_calibration(values)

    def apply_parameters(self, values: Mapping[str, Value], changed: frozenset[str]) -> None:
        """Apply new settings; another source starts a new stream."""
        self._settings = CameraSettings.of(values)
        if "camera_info_url" in changed:
            try:
                self._intrinsics = self._load_calibration(values)
            except FerError as error:
                # The file has changed since it was checked.
                self.get_logger().error(str(error))
        if self._stream is None:
            return
        if "source" in changed:
            self._stream = self._replace_stream(lambda: open_source(str(values["source"])))
        self._stream.update(self._settings)

    def _load_calibration(self, values: Mapping[str, Value]) -> calibration.Intrinsics | None:
        return calibration.load(str(values["camera_info_url"]), share_folder, self.get_name())

    # Stream

    def _make_stream(self, choose: Callable[[], FileSource | Device | None]) -> CameraStream:
        return CameraStream(
            choose=lambda: choose() or self._choose_source(),
            settings=self._settings,
            clock_ns=lambda: self.get_clock().now().nanoseconds,
            emit=self._publish,
            changed=self._on_status,
            failed=self.fail,
        )

    def _replace_stream(self, choose: Callable[[], FileSource | Device | None]) -> CameraStream:
        if self._stream is not None:
            self._stream.close()
        stream = self._make_stream(choose)
        if self.active:
            stream.start()
        return stream

    def _may_change_camera(self) -> bool:
        """Return whether no source is named and the present one is no camera that sends frames."""
        stream = self._stream
        if stream is None or not self.active or self.values["source"] != AUTO:
            return False
        source, fault = stream.source, stream.status.state is StreamState.FAULT
        return source is not None and (fault or not isinstance(source, Device))

    def _discover_camera(self) -> None:
        """Switch to a new camera if there is one."""
        stream = self._stream
        if stream is None or stream.source is None or not self._may_change_camera():
            return
        device = self._discovery.poll(self._settings, stream.source.name)
        if device is not None:
            self.get_logger().info(f"found camera {device.name}")
            self._stream = self._replace_stream(lambda: device)

    def _choose_source(self) -> FileSource | Device:
        source = find_device(self._settings, connected_devices())
        if source is not None:
            self.get_logger().info(f"found camera {source.name}")
            return source
        self.get_logger().warning(
            "no camera found: playing the demo clip (set the parameter 'source' for another source)"
        )
        demo = open_source(DEMO)
        assert demo is not None
        return demo

    def _on_status(self, status: StreamStatus) -> None:
        if status.state is StreamState.FAULT:
            self.get_logger().error(status.text)
        else:
            self.get_logger().info(status.text)
        self.publish_health()

    def _publish(self, frame: CameraFrame) -> None:
        if not has_time(self):
            # The stamp would be that of no clock.
            return
        settings, publishers = self._settings, self._publishers_by_topic
        began_s = time.monotonic()
        pixels = transform(frame.pixels, settings)
        header = Header(frame_id=settings.frame_id)
        header.stamp.sec, header.stamp.nanosec = stamps.split_ns(frame.stamp_ns)
        if subscription_count(publishers[IMAGE]):
            publishers[IMAGE].publish(image_view(header, pixels, settings.encoding))
        if subscription_count(publishers[COMPRESSED]) and self._may_send(began_s):
            compressed = CompressedImage(header=header)
            images.fill_compressed(compressed, pixels, settings.jpeg_quality)
            publishers[COMPRESSED].publish(compressed)
            self._encoded += 1
        height, width = pixels.shape[:2]
        if subscription_count(publishers[CAMERA_INFO]):
            publishers[CAMERA_INFO].publish(self._camera_info(header, width, height))
        if subscription_count(publishers[FRAME_INFO]):
            publishers[FRAME_INFO].publish(
                FrameInfo(header=header, source=frame.source, index=frame.index, loop=frame.loop)
            )
        done_s = time.monotonic()
        self._size = f"{width}x{height}"
        self._statistics.add(done_s, self.age_s(header), done_s - began_s)

    def _may_send(self, now_s: float) -> bool:
        if self._window is None or not is_flow_controlled(self.values):
            return True
        may_send = self._window.may_send(now_s)
        self._held_back += not may_send
        return may_send

    def _camera_info(self, header: Header, width: int, height: int) -> CameraInfo:
        message = CameraInfo(header=header)
        intrinsics = None
        if self._intrinsics is not None:
            intrinsics = self._intrinsics.of_size(width, height)
        elif self._settings.horizontal_fov:
            intrinsics = calibration.pinhole(width, height, self._settings.horizontal_fov)
        calibration.fill(message, width, height, intrinsics)
        return message

    # Health

    def health(self) -> Health:
        """Return the status of the source, and a warning if it is too slow."""
        stream = self._stream
        if stream is None or not self.active:
            return Health(OK, "inactive: activate it to stream")
        status = stream.status
        wanted_hz, rate_hz = stream.wanted_hz, self._statistics.rate_hz(time.monotonic())
        if status.state is StreamState.STREAMING and rate_hz < _SLOW * wanted_hz:
            shortfall = f"only {rate_hz:.1f} of {wanted_hz:g} Hz: lower the rate or the size"
            return Health(WARN, f"{status.text}, but {shortfall}")
        return Health(_LEVELS[status.state], status.text)

    def facts(self) -> Mapping[str, object]:
        """Return the source and the counters of its frames."""
        stream = self._stream
        return {
            "source": "" if stream is None or stream.source is None else stream.source.name,
            **self._statistics.facts(time.monotonic()),
            "compressed": self._encoded,
            "held_back": self._held_back,
            "size": self._size,
            "calibrated": self._intrinsics is not None,
            **({} if stream is None else stream.facts),
        }


def share_folder(package: str) -> Path:
    """Return the share folder of a ROS package.

    Raises
    ------
    LookupError
        if it is not installed.
    """
    try:
        return Path(get_package_share_directory(package))
    except (LookupError, ValueError) as error:
        raise LookupError(f"package '{package}' is not installed") from error


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run(CameraNode, args=args)


if __name__ == "__main__":
    sys.exit(main())
