"""Publishes the health of a node on /diagnostics, independent of simulated time."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fer_common.core.stamps import NANOSECONDS

#: Topics of every node, whose subscribers are of no interest.
_COMMON_TOPICS = ("/rosout", "/parameter_events", "/diagnostics")
#: For so long the middleware may still list the publishers of a node that was killed.
_LEASE_S = 25.0

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
STALE = DiagnosticStatus.STALE


@dataclass(frozen=True)
class Health:
    """State of a node: level, and a sentence that tells the user what to do."""

    level: bytes
    message: str


class DiagnosticsPublisher:
    """Publishes the health of the node periodically.

    The node calls `publish_change` when `has_changed`. Adds the number of subscribers of the node's
    topics, and its memory.

    Parameters
    ----------
    hardware_id : device or part that the diagnostics describe.
    health : returns the health of the node; called ten times per second, in any thread.
    facts : returns counters and other values, by name; called only to publish them.
    mismatches : returns a sentence for each node with incompatible QoS.
    fault : what is wrong for the whole life of the node; empty for nothing.
    """

    def __init__(
        self,
        node: Node,
        hardware_id: str,
        health: Callable[[], Health],
        facts: Callable[[], Mapping[str, object]],
        mismatches: Callable[[], Sequence[str]],
        period_s: float,
        fault: str = "",
    ) -> None:
        self._node = node
        self._hardware_id = hardware_id
        self._health = health
        self._facts = facts
        self._mismatches = mismatches
        self._faults = [fault] if fault else []
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._published_level = b""
        self._shared_since_s: dict[str, float] = {}
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(period_s, self.publish, clock=steady)

    def set_period(self, period_s: float) -> None:
        """Set the period of the messages, seconds."""
        period_ns = round(period_s * NANOSECONDS)
        # Setting the same period would delay the next message.
        if period_ns != self._timer.timer_period_ns:
            self._timer.timer_period_ns = period_ns
            # Otherwise the message that the old period scheduled would come first.
            self._timer.reset()

    def publish(self) -> None:
        """Publish now."""
        self._look_for_others()
        self._publish(*self._present())

    def has_changed(self) -> bool:
        """Return whether the level differs from the published one."""
        health, _ = self._present()
        return health.level != self._published_level

    def publish_change(self) -> None:
        """Publish if the level has changed."""
        health, mismatches = self._present()
        if health.level != self._published_level:
            self._publish(health, mismatches)

    def _present(self) -> tuple[Health, Sequence[str]]:
        mismatches = self._mismatches()
        problems = [*self._faults, *mismatches, *self._doubled()]
        return _with_problems(self._health(), problems), mismatches

    def _look_for_others(self) -> None:
        """Note since when other nodes publish our topics."""
        topics = [publisher.topic_name for publisher in self._node.publishers]
        now_s = time.monotonic()
        self._shared_since_s = {
            topic: self._shared_since_s.get(topic, now_s)
            for topic in set(topics) - set(_COMMON_TOPICS)
            if self._node.count_publishers(topic) > topics.count(topic)
        }

    def _doubled(self) -> list[str]:
        """Return a sentence for each of our topics that another live node publishes."""
        now_s = time.monotonic()
        return [
            f"another node publishes {topic} too: end it, or give it another namespace"
            for topic, since_s in sorted(self._shared_since_s.items())
            if now_s - since_s > _LEASE_S
        ]

    def _publish(self, health: Health, mismatches: Sequence[str]) -> None:
        self._published_level = health.level
        facts = {
            **self._facts(),
            **({"qos_mismatch": "; ".join(mismatches)} if mismatches else {}),
            **{f"published twice {topic}": True for topic in self._shared_since_s},
            "pid": os.getpid(),
            "memory_mb": resident_mb(),
            **self._listeners(),
        }
        status = DiagnosticStatus(
            level=health.level,
            name=self._node.get_fully_qualified_name(),
            message=health.message,
            hardware_id=self._hardware_id,
            values=[KeyValue(key=key, value=_text(value)) for key, value in facts.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _listeners(self) -> dict[str, int]:
        return {
            f"listeners {publisher.topic_name}": publisher.get_subscription_count()
            for publisher in self._node.publishers
            if publisher.topic_name not in _COMMON_TOPICS
        }


def resident_mb() -> float:
    """Return the resident memory of this process in megabytes (10^6 bytes); NaN if unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _with_problems(health: Health, problems: Sequence[str]) -> Health:
    """Return the health with further problems appended."""
    if not problems:
        return health
    first = [] if health.level == OK else [health.message]
    return Health(max(health.level, WARN), "; ".join([*first, *problems]))


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
