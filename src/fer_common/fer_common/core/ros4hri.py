"""Names and lifetimes of faces in REP-155 (ROS4HRI).

Every face has its own topics below `/humans/faces/<id>`, created when the face is first seen and
destroyed when it has left. As the REP recommends, ids are short strings that are valid identifiers.
They last as long as the face is tracked.
"""

from __future__ import annotations

from collections.abc import Collection

from fer_common.core.stamps import NANOSECONDS

FACES = "/humans/faces"
PARAMETER = "publish_hri"
PACKAGE = "hri_msgs"
DEPARTURE_S = 1.0
"""Default time without sight after which a face has left; the tracker's default, too."""


def face_name(namespace: str, face_id: int) -> str:
    """Return the id of a face in the REP: `robot1_fer_7` for face 7 of the nodes in /robot1/fer.

    All robots share /humans, so the id names the robot.
    """
    words = namespace.strip("/").replace("/", "_") or "face"
    return f"{words}_{face_id}"


class Roster:
    """The present faces. A face that is out of sight for a moment has not left.

    Parameters
    ----------
    departure_s : time out of sight after which a face has left.
    """

    def __init__(self, departure_s: float = DEPARTURE_S) -> None:
        self.departure_s = departure_s
        self._seen_ns: dict[int, int] = {}
        self._stamp_ns: int | None = None

    @property
    def present(self) -> list[int]:
        """The present faces, by id."""
        return sorted(self._seen_ns)

    def update(self, stamp_ns: int, seen: Collection[int]) -> list[int]:
        """Add the faces seen at a stamp; return those that have left, by id.

        A stamp before the last one removes all faces that are not seen.
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
