"""Sends a stream that is paced by its listeners, and nothing else: to compare transports.

Started as a program: `python stream.py BYTES PACED`.
"""

from __future__ import annotations

import contextlib
import copy
import sys
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import CompressedImage

from fer_common.core.network_links import CongestionWindow
from fer_common.core.stamps import split_ns
from fer_common.ros import qos
from fer_common.ros.node import all_acknowledged

TOPIC, KIND = "/stream", "sensor_msgs/CompressedImage"
RATE_HZ = 30.0


def main(size: str, paced: str) -> None:
    """Send until a signal."""
    rclpy.init()
    node = rclpy.create_node("stream", start_parameter_services=False)
    publisher = node.create_publisher(CompressedImage, TOPIC, copy.copy(qos.STREAM))
    pacer = CongestionWindow(lambda: all_acknowledged(publisher))
    message = CompressedImage()
    message.data.frombytes(bytes(int(size)))

    def send() -> None:
        if paced == "False" or pacer.may_send(time.monotonic()):
            stamp = message.header.stamp
            stamp.sec, stamp.nanosec = split_ns(time.time_ns())
            publisher.publish(message)

    node.create_timer(1 / RATE_HZ, send)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main(*sys.argv[1:])
