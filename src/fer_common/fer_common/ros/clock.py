"""The clock of a node, which stands at zero until the first message on /clock arrives."""

from __future__ import annotations

import math

from rclpy.node import Node

from fer_common.core.stamps import NANOSECONDS

#: What a node reports as long as it has no time.
NO_TIME = (
    "use_sim_time is on and nobody publishes /clock: start the simulator, play a bag with "
    "--clock, or set use_sim_time to false"
)


def has_time(node: Node) -> bool:
    """Return whether the clock of a node runs: false for simulated time that has not begun."""
    return bool(node.get_clock().now().nanoseconds)


def age_s(node: Node, stamp_ns: int) -> float:
    """Return the time since a stamp by the node's clock, seconds; NaN if this does not run."""
    now_ns = node.get_clock().now().nanoseconds
    return (now_ns - stamp_ns) / NANOSECONDS if now_ns else math.nan
