"""Health of a node on /diagnostics, regularly whatever the clock of the simulation does."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

#: Topics that every node publishes, of which nobody needs to know who hears them.
_EVERYBODYS = ("/rosout", "/parameter_events", "/diagnostics")
_NANOSECONDS = 1e9
#: How soon a change for the worse or the better is told.
_LOOK_S = 0.1

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
STALE = DiagnosticStatus.STALE


@dataclass(frozen=True)
class Health:
    """What a node says of itself: level, and a sentence that a person can act on."""

    level: bytes
    message: str


class DiagnosticsPublisher:
    """Publishes the health of the node regularly and whenever its level changes.

    With it goes who hears the node's topics, and how much memory it holds.

    Parameters
    ----------
    node : the node.
    hardware_id : what the diagnostics are about.
    health : returns what the node says of itself; asked ten times a second.
    facts : returns what it counts, by name; asked only when that is told.
    mismatches : returns a sentence for each node that ours cannot hear or be heard by.
    period_s : time between two reports in seconds.
    """

    def __init__(
        self,
        node: Node,
        hardware_id: str,
        health: Callable[[], Health],
        facts: Callable[[], Mapping[str, object]],
        mismatches: Callable[[], Sequence[str]],
        period_s: float,
    ) -> None:
        self._node = node
        self._hardware_id = hardware_id
        self._health = health
        self._facts = facts
        self._mismatches = mismatches
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._told = b""
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(period_s, self.publish, clock=steady)
        node.create_timer(_LOOK_S, self._look, clock=steady)

    @property
    def period_s(self) -> float:
        """Time between two reports in seconds."""
        period_ns: int = self._timer.timer_period_ns
        return period_ns / _NANOSECONDS

    @period_s.setter
    def period_s(self, period_s: float) -> None:
        period_ns = round(period_s * _NANOSECONDS)
        # Setting the same period would put the next report off.
        if period_ns != self._timer.timer_period_ns:
            self._timer.timer_period_ns = period_ns
            # Else the report that the old period has put off would come first.
            self._timer.reset()

    def publish(self) -> None:
        """Publish now."""
        self._publish(*self._present())

    def _look(self) -> None:
        """Publish at once when the level is another one: nobody should wait for what is wrong."""
        health, mismatches = self._present()
        if health.level != self._told:
            self._publish(health, mismatches)

    def _present(self) -> tuple[Health, Sequence[str]]:
        mismatches = self._mismatches()
        return _with_mismatches(self._health(), mismatches), mismatches

    def _publish(self, health: Health, mismatches: Sequence[str]) -> None:
        self._told = health.level
        facts = {
            **self._facts(),
            **({"qos_mismatch": "; ".join(mismatches)} if mismatches else {}),
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
            if publisher.topic_name not in _EVERYBODYS
        }


def resident_mb() -> float:
    """Return the memory that this process holds, in megabytes (10^6 bytes); NaN where unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _with_mismatches(health: Health, mismatches: Sequence[str]) -> Health:
    """Return a health that says, before all else that is not wrong, who is not heard."""
    if not mismatches:
        return health
    said = [] if health.level == OK else [health.message]
    return Health(max(health.level, WARN), "; ".join([*said, *mismatches]))


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
