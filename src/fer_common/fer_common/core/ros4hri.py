"""Faces by the names and lifetimes of REP-155 (ROS4HRI).

Every face has topics of its own below `/humans/faces/<id>`, made when it is first seen and gone
when it has left. Ids are strings that are good names in programs too, and short, as the REP
recommends; they last as long as the face is followed.
"""

from __future__ import annotations

from collections.abc import Collection

from fer_common.core.stamps import NANOSECONDS

FACES = "/humans/faces"
PARAMETER = "publish_hri"
PACKAGE = "hri_msgs"
DEPARTURE_S = 1.0
"""A face that was not seen for longer has left, as the tracker has it by default."""


def face_name(namespace: str, face_id: int) -> str:
    """Return the REP's id of a face: `robot1_fer_7` for face 7 of the nodes in /robot1/fer.

    /humans is one namespace for all robots, so that an id must tell them apart.
    """
    words = namespace.strip("/").replace("/", "_") or "face"
    return f"{words}_{face_id}"


class Roster:
    """Who is there: a face that is out of sight for a moment has not left."""

    def __init__(self, departure_s: float = DEPARTURE_S) -> None:
        self.departure_s = departure_s
        """Time out of sight after which a face has left."""
        self._seen_ns: dict[int, int] = {}
        self._stamp_ns: int | None = None

    @property
    def present(self) -> list[int]:
        """The faces that are there, by id."""
        return sorted(self._seen_ns)

    def update(self, stamp_ns: int, seen: Collection[int]) -> list[int]:
        """Take the faces that are seen at a stamp; return those that have left, by id.

        With a stamp before the last one all have left that are not seen.
        """
        limit_ns = stamp_ns - round(self.departure_s * NANOSECONDS)
        if self._stamp_ns is not None and stamp_ns < self._stamp_ns:
            self._seen_ns = dict.fromkeys(self._seen_ns, limit_ns - 1)
        self._stamp_ns = stamp_ns
        self._seen_ns |= dict.fromkeys(seen, stamp_ns)
        left = sorted(face for face, seen_ns in self._seen_ns.items() if seen_ns < limit_ns)
        for face in left:
            del self._seen_ns[face]
        return left
