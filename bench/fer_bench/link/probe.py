"""Prints stamp and arrival, ns of the wall clock, of every answer: `python probe.py`."""

from __future__ import annotations

import contextlib
import time

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile

from fer_common.core.stamps import to_ns
from fer_interfaces.msg import ExpressionArray


def heard(message: ExpressionArray) -> None:
    """Print the line of an answer."""
    print(to_ns(message.header.stamp), time.time_ns(), flush=True)


if __name__ == "__main__":
    rclpy.init()
    node = rclpy.create_node("probe", start_parameter_services=False)
    node.create_subscription(ExpressionArray, "/fer/expressions", heard, QoSProfile(depth=200))
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
