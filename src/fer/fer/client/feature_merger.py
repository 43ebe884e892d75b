"""Merges the features of several robots, so that one network learns from all of them.

One robot leads: each of its messages is passed on, with the newest faces of the others added. So
time advances evenly, as the network needs it, and no face is passed on twice. Knows no ROS: any
object with the fields of FaceFeaturesArray is a message.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_common.core.stamps import to_ns

#: A robot that was silent for longer does not lead.
SILENT_S = 0.5
#: Faces of others are added if their stamps differ from the leader's by less.
NEAR_S = 0.1
#: A stamp that goes back further is not a late message but a clock that was set.
_SET_BACK_S = 1.0
#: Number of faces whose ids are remembered; older ones are out of view.
_REMEMBERED = 4096
_NS = 1e9


class FaceIds:
    """Gives each face of each robot an id of its own, from 1 on, which is not reused.

    Parameters
    ----------
    named : called with the new id, the robot, and the id there, for each new face.
    """

    def __init__(self, named: Callable[[int, str, int], None]) -> None:
        self._named = named
        self._ids: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._last = 0

    def of(self, robot: str, face_id: int) -> int:
        """Return the id of a robot's face."""
        key = robot, face_id
        if key not in self._ids:
            self._last += 1
            self._ids[key] = self._last
            self._named(self._last, robot, face_id)
            if len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)
        self._ids.move_to_end(key)
        return self._ids[key]


@dataclass
class _Heard:
    """The newest message of a robot, None once it was passed on, and its arrival time."""

    message: Any
    arrived_s: float


class FeatureMerger:
    """Merges the messages of several robots into one stream.

    Parameters
    ----------
    robots : their names; the first one that is heard leads.
    ids : for their faces.
    """

    def __init__(self, robots: Sequence[str], ids: FaceIds) -> None:
        self._robots = tuple(robots)
        self._ids = ids
        self._heard: dict[str, _Heard] = {}
        self._last_ns = 0
        #: Number of messages whose features are of another kind than the leader's.
        self.unlike = 0

    def add(self, robot: str, message: Any, now_s: float) -> Any | None:
        """Take a message of a robot; return the message to pass on now, if any.

        Parameters
        ----------
        now_s : its arrival by a monotonic clock.
        """
        self._heard[robot] = _Heard(message, now_s)
        if robot != self._leader(now_s):
            return None
        stamp_ns = to_ns(message.header.stamp)
        if 0 <= self._last_ns - stamp_ns < _SET_BACK_S * _NS:
            return None
        self._last_ns = stamp_ns
        merged = copy.copy(message)
        merged.faces = [
            face for name in self._robots for face in self._take(name, message, stamp_ns, now_s)
        ]
        merged.faces = sorted(merged.faces, key=lambda face: face.id)
        return merged

    def _leader(self, now_s: float) -> str:
        heard = (
            name
            for name in self._robots
            if name in self._heard and now_s - self._heard[name].arrived_s <= SILENT_S
        )
        return next(heard)

    def _take(self, robot: str, leading: Any, stamp_ns: int, now_s: float) -> list[Any]:
        """Return the faces of a robot that were not passed on yet, with new ids."""
        heard = self._heard.get(robot)
        if heard is None or heard.message is None:
            return []
        message, heard.message = heard.message, None
        if abs(stamp_ns - to_ns(message.header.stamp)) > NEAR_S * _NS:
            return []
        if _kind(message) != _kind(leading):
            self.unlike += 1
            return []
        return [self._renamed(robot, face) for face in message.faces]

    def _renamed(self, robot: str, face: Any) -> Any:
        renamed = copy.copy(face)
        renamed.id = self._ids.of(robot, face.id)
        return renamed


def _kind(message: Any) -> tuple[object, ...]:
    return message.feature_spec, message.channels, message.rows, message.cols
