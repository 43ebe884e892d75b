"""Quality of service between rclpy and bags: what was offered, how to hear it, how to replay it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

#: Deep, so that a busy moment of the disk or of a listener loses nothing.
_DEPTH = 100
_NS_PER_S = 1_000_000_000


def as_recorded(profile: QoSProfile) -> Qos:
    """Return an offered profile as bags hold it."""
    return Qos(
        _named(QosHistory, profile.history),
        profile.depth,
        _named(QosReliability, profile.reliability),
        _named(QosDurability, profile.durability),
        _time(profile.deadline),
        _time(profile.lifespan),
        _named(QosLiveliness, profile.liveliness),
        _time(profile.liveliness_lease_duration),
        bool(profile.avoid_ros_namespace_conventions),
    )


def to_hear(offered: Sequence[QoSProfile]) -> QoSProfile:
    """Return the strictest profile that hears every publisher."""
    reliable = all(each.reliability == ReliabilityPolicy.RELIABLE for each in offered)
    latched = all(each.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in offered)
    return _profile(reliable, latched, _DEPTH)


def to_replay(offered: Sequence[Qos]) -> QoSProfile:
    """Return a profile that every listener hears who heard the recorded publishers."""
    best_effort = [each.reliability == QosReliability.BEST_EFFORT for each in offered]
    latched = any(each.durability == QosDurability.TRANSIENT_LOCAL for each in offered)
    return _profile(not offered or not all(best_effort), latched, 1 if latched else _DEPTH)


def _profile(reliable: bool, latched: bool, depth: int) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _named(kind: Any, policy: Any) -> Any:
    """Return the value of the same name in an enumeration of bags."""
    return kind.__members__.get(policy.name, kind.UNKNOWN)


def _time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, _NS_PER_S))
