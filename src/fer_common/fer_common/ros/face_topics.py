"""Publishers below /humans/faces/<id>, which come and go with the faces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.publisher import Publisher

from fer_common.core import ros4hri as humans
from fer_common.core.ros4hri import Roster
from fer_common.ros import qos
from fer_common.ros.node import FerNode


class FaceTopics:
    """The topics of every face that is there.

    Used by one thread, which need not be the executor's.

    Parameters
    ----------
    node : whose publishers they are.
    kinds : type of message of each topic, by its name below the face's.
    departure_s : a face that was not seen for longer has left.
    """

    def __init__(self, node: FerNode, kinds: Mapping[str, type[Any]], departure_s: float) -> None:
        self._node = node
        self._kinds = kinds
        self._publishers: dict[int, dict[str, Publisher[Any]]] = {}
        self.roster = Roster(departure_s)

    def update(self, stamp_ns: int, seen: Collection[int]) -> None:
        """Take the topics of those away who have left, and make those of who has come."""
        for face in self.roster.update(stamp_ns, seen):
            self._destroy(self._publishers.pop(face))
        for face in seen:
            if face not in self._publishers:
                self._publishers[face] = self._create(self.name(face))

    def of(self, face: int) -> Mapping[str, Publisher[Any]]:
        """Return the publishers of a face that is there, by topic."""
        return self._publishers[face]

    def name(self, face: int) -> str:
        """Return the REP's id of a face."""
        return humans.face_name(self._node.get_namespace(), face)

    def close(self) -> None:
        """Take all publishers away."""
        for publishers in self._publishers.values():
            self._destroy(publishers)
        self._publishers = {}

    def _create(self, name: str) -> dict[str, Publisher[Any]]:
        return {
            topic: self._node.create_publisher(
                kind,
                f"{humans.FACES}/{name}/{topic}",
                qos.RESULT,
                # Event handlers would come and go under the executor that waits for them.
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )
            for topic, kind in self._kinds.items()
        }

    def _destroy(self, publishers: Mapping[str, Publisher[Any]]) -> None:
        for publisher in publishers.values():
            self._node.destroy_publisher(publisher)
