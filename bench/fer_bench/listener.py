"""A process that listens to topics of a graph, so that they are computed and sent.

`python -m fer_bench.listener NAMESPACE TOPIC ...` writes "ready" when it has subscribed, and
at the end of its standard input, for every topic, how many messages came and when the first one
did, by the monotonic clock, as one line of JSON. What it takes is not counted as the graph's.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image

from fer_interfaces.msg import ExpressionArray

KINDS = {"overlay": Image, "expressions": ExpressionArray}


def main() -> None:
    """Listen until standard input ends."""
    namespace, *topics = sys.argv[1:]
    rclpy.init()
    node = rclpy.create_node("bench_listener", namespace=namespace, start_parameter_services=False)
    heard: dict[str, dict[str, Any]] = {}

    def counter(name: str) -> Callable[[bytes], None]:
        heard[name] = {"count": 0, "first_s": None}

        def count(_: bytes) -> None:
            heard[name]["count"] += 1
            heard[name]["first_s"] = heard[name]["first_s"] or time.monotonic()

        return count

    for name in topics:
        # Not deserialised: only that they arrive matters.
        node.create_subscription(KINDS[name], name, counter(name), 5, raw=True)
    threading.Thread(target=_end_with_input, daemon=True).start()
    print("ready", flush=True)
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(node)
    print(json.dumps(heard), flush=True)


def _end_with_input() -> None:
    sys.stdin.read()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
