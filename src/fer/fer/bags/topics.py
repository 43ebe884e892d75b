"""Topics as a bag holds them, with definitions of their types and quality of service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Nodetype, Qos, QosDurability, QosReliability
from rosbags.rosbag2.metadata import dump_qos_v9, parse_qos
from rosbags.typesys import TypesysError, get_types_from_msg

from fer_common.core.errors import FerError
from fer_common.core.stamps import split_ns

#: Serialization of messages and encoding of definitions that rosbag2 uses.
CDR, ROS2MSG = "cdr", "ros2msg"
_SERVICE_EVENTS = "/_service_event"
_TYPE = re.compile(r"[A-Za-z]\w*/msg/[A-Za-z]\w*")
#: A deep queue loses nothing while the disk or a subscriber is busy.
_DEPTH = 100
_DURATIONS = ("deadline", "lifespan", "liveliness_lease_duration")


class BagError(FerError):
    """A bag that cannot be written or read, or a request that makes no sense for it."""


@dataclass
class Topic:
    """A topic in a bag.

    Attributes
    ----------
    name : absolute, as far as the recorder kept to it.
    type : as "sensor_msgs/msg/Image".
    definition : text of the type and of those within it, empty where the bag has none.
    type_hash : of the type, as "RIHS01_...".
    qos : profile that each publisher offered.
    definition_encoding, serialization : how definition and messages are written.
    messages : how many can be read.
    obstacle : why ROS 2 cannot play it, empty where it can.
    """

    name: str
    type: str
    definition: str = ""
    type_hash: str = ""
    qos: tuple[Qos, ...] = ()
    definition_encoding: str = ROS2MSG
    serialization: str = CDR
    messages: int = 0
    obstacle: str = ""

    def __post_init__(self) -> None:
        if not self.type:
            self.obstacle = "the bag does not say its type"
        elif self.name.endswith(_SERVICE_EVENTS):
            self.obstacle = "service events are not played"
        elif self.serialization != CDR:
            self.obstacle = f"its messages are encoded as '{self.serialization}', not as {CDR}"
        elif not _TYPE.fullmatch(self.type):
            self.obstacle = f"its type '{self.type}' is not of the form package/msg/Name"

    @property
    def is_latched(self) -> bool:
        """Whether a late subscriber gets the last message."""
        return any(each.durability == QosDurability.TRANSIENT_LOCAL for each in self.qos)

    @property
    def qos_text(self) -> str:
        """The profiles as YAML, as the files hold them."""
        return yaml.safe_dump(dump_qos_v9(list(self.qos)), sort_keys=False)


def read_qos(text: str) -> tuple[Qos, ...]:
    """Return the profiles in the YAML text of a bag, with defaults for what they leave out.

    Text of any other form gives no profile: it must not make the messages unreadable.
    """
    try:
        return tuple(parse_qos([_completed(each) for each in yaml.safe_load(text) or []]))
    except (yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return ()


def _completed(profile: dict[str, Any]) -> Any:
    durations = {name: {"sec": 0, "nsec": 0, **(profile.get(name) or {})} for name in _DURATIONS}
    return {"depth": _DEPTH, "avoid_ros_namespace_conventions": False, **profile, **durations}


def as_recorded(profile: QoSProfile) -> Qos:
    """Return an offered profile as bags hold it."""
    policies = ("history", "reliability", "durability", "liveliness")
    times = {name: split_ns(getattr(profile, name).nanoseconds) for name in _DURATIONS}
    entry: Any = {
        **{name: getattr(profile, name).name for name in policies},
        **{name: {"sec": sec, "nsec": nsec} for name, (sec, nsec) in times.items()},
        "depth": profile.depth,
        "avoid_ros_namespace_conventions": bool(profile.avoid_ros_namespace_conventions),
    }
    return parse_qos([entry])[0]


def subscription_qos(offered: Sequence[QoSProfile]) -> QoSProfile:
    """Return the strictest profile that is compatible with every publisher."""
    reliable = all(each.reliability == ReliabilityPolicy.RELIABLE for each in offered)
    latched = all(each.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in offered)
    return _profile(reliable, latched, _DEPTH)


def replay_qos(topic: Topic) -> QoSProfile:
    """Return a profile that is compatible with every subscriber of the recorded publishers."""
    best_effort = [each.reliability == QosReliability.BEST_EFFORT for each in topic.qos]
    reliable = not topic.qos or not all(best_effort)
    return _profile(reliable, topic.is_latched, 1 if topic.is_latched else _DEPTH)


def _profile(reliable: bool, latched: bool, depth: int) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def definition(type_name: str) -> str:
    """Return the definition of a message type, followed by those of the types within it.

    Raises
    ------
    BagError
        if a package or its .msg file is not installed.
    """
    texts: dict[str, str] = {}
    pending = [type_name]
    try:
        while pending:
            name = pending.pop(0)
            if name not in texts:
                package, folder, short = name.split("/")
                path = Path(get_package_share_directory(package), folder, f"{short}.msg")
                texts[name] = path.read_text(encoding="utf-8")
                _, fields = get_types_from_msg(texts[name], name)[name]
                pending += [part for _, field in fields for part in _types_in(*field)]
    except (ValueError, PackageNotFoundError, OSError, TypesysError) as error:
        raise BagError(
            f"the definition of {name} is not installed here: source the workspace that has it"
        ) from error
    first, *others = texts.items()
    parts = (f"{'=' * 80}\nMSG: {name.replace('/msg/', '/')}\n{text}" for name, text in others)
    return "\n".join((first[1], *parts))


def _types_in(kind: Nodetype, content: Any) -> Iterator[str]:
    """Yield the message types in the type of a field."""
    if kind == Nodetype.NAME:
        yield content
    elif kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        yield from _types_in(*content[0])
