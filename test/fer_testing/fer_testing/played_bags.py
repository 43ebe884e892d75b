"""Bags of a graph that is played, written without DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from fer_interfaces.msg import FrameInfo
from fer_testing.viz import PlayedGraph, grey

FRAMES = 12


class Bag:
    """Stands for a node whose publishers write into a bag."""

    def __init__(self, path: Path, storage: StoragePlugin) -> None:
        store = get_typestore(Stores.ROS2_KILTED)
        folder = Path(get_package_share_directory("fer_interfaces")) / "msg"
        for file in sorted(folder.glob("*.msg")):
            store.register(get_types_from_msg(file.read_text(), f"fer_interfaces/msg/{file.stem}"))
        self._store = store
        self.writer = Writer(path, version=9, storage_plugin=storage)
        self.time_ns = 0

    def create_publisher(self, kind: Any, topic: str, profile: Any) -> Bag.Topic:
        name = kind.__module__.split(".")[0] + "/msg/" + kind.__name__
        return Bag.Topic(
            self, self.writer.add_connection("/fer/" + topic, name, typestore=self._store)
        )

    class Topic:
        """Writes what is published."""

        def __init__(self, bag: Bag, connection: Any) -> None:
            self._bag, self._connection = bag, connection

        def publish(self, message: Any) -> None:
            self._bag.time_ns += 1000
            self._bag.writer.write(self._connection, self._bag.time_ns, serialize_message(message))


def write_bag(path: Path, storage: StoragePlugin) -> Path:
    """Write what a graph publishes for a few frames."""
    recorder = Bag(path, storage)
    recorder.writer.open()
    played = PlayedGraph(recorder, neurons=6)
    frames = recorder.create_publisher(FrameInfo, "frame_info", None)
    played.publish_network()
    for index in range(FRAMES):
        image = played.publish_frame(grey(48, 64), predicted=index % 3)
        frames.publish(FrameInfo(header=image.header, source="demo", index=index))
    recorder.writer.close()
    return path
