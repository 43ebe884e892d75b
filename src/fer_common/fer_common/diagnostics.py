"""Health of a node on /diagnostics, regularly whatever the clock of the simulation does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

#: Topics that every node publishes, of which nobody needs to know who hears them.
_EVERYBODYS = ("/rosout", "/parameter_events", "/diagnostics")
_NANOSECONDS = 1e9

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
STALE = DiagnosticStatus.STALE


@dataclass(frozen=True)
class Health:
    """What a node says of itself: level, a sentence that a person can act on, and facts."""

    level: bytes
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)


class DiagnosticsPublisher:
    """Asks the node for its health regularly and publishes it, with who hears its topics.

    Parameters
    ----------
    node : the node.
    hardware_id : what the diagnostics are about.
    health : returns what the node says of itself.
    period_s : time between two reports in seconds.
    """

    def __init__(
        self, node: Node, hardware_id: str, health: Callable[[], Health], period_s: float
    ) -> None:
        self._node = node
        self._hardware_id = hardware_id
        self._health = health
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._timer = node.create_timer(
            period_s, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

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

    def publish(self) -> None:
        """Publish now."""
        health = self._health()
        facts = {**health.facts, **self._listeners()}
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


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
