"""Publishers below /humans/faces/<id>, created and destroyed with the faces."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.publisher import Publisher

from fer_common.core import ros4hri
from fer_common.ros import qos
from fer_common.ros.node import FerNode


class FaceTopics:
    """The topics of every present face. Not thread-safe.

    Parameters
    ----------
    kinds : message type of each topic, by its name below that of the face.
    departure_s : time out of sight after which a face has left.
    """

    def __init__(self, node: FerNode, kinds: Mapping[str, type[Any]], departure_s: float) -> None:
        self._node = node
        self._kinds = kinds
        self._publishers: dict[int, dict[str, Publisher[Any]]] = {}
        self.roster = ros4hri.Roster(departure_s)

    def update(self, stamp_ns: int, seen: Collection[int]) -> None:
        """Destroy the topics of faces that have left, and create those of new faces."""
        for face in self.roster.update(stamp_ns, seen):
            self._destroy(self._publishers.pop(face))
        for face in seen:
            if face not in self._publishers:
                self._publishers[face] = self._create(self.name(face))

    def of(self, face: int) -> Mapping[str, Publisher[Any]]:
        """Return the publishers of a present face, by topic."""
        return self._publishers[face]

    def name(self, face: int) -> str:
        """Return the id of a face in REP-155."""
        return ros4hri.face_name(self._node.get_namespace(), face)

    def close(self) -> None:
        """Destroy all publishers."""
        for publishers in self._publishers.values():
            self._destroy(publishers)
        self._publishers = {}

    def _create(self, name: str) -> dict[str, Publisher[Any]]:
        return {
            topic: self._node.create_publisher(
                kind,
                f"{ros4hri.FACES}/{name}/{topic}",
                qos.RESULT,
                # Event handlers must not be added or removed while the executor waits for them.
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )
            for topic, kind in self._kinds.items()
        }

    def _destroy(self, publishers: Mapping[str, Publisher[Any]]) -> None:
        for publisher in publishers.values():
            self._node.destroy_publisher(publisher)
