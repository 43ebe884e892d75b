"""Writes stamp and arrival, ns of the wall clock, of every message of a topic: on a host to watch.

Started as a program: `python probe.py TOPIC KIND`.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from fer_common.core.stamps import to_ns

_DEEP = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=200, reliability=ReliabilityPolicy.RELIABLE
)


def main(topic: str, kind: str) -> None:
    """Listen until a signal."""
    package, name = kind.split("/")
    message_type = getattr(importlib.import_module(f"{package}.msg"), name)

    def heard(message: Any) -> None:
        print(to_ns(message.header.stamp), time.time_ns(), flush=True)

    rclpy.init()
    node = rclpy.create_node("probe", start_parameter_services=False)
    node.create_subscription(message_type, topic, heard, _DEEP)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main(*sys.argv[1:])
