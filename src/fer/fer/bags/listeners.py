"""The graph that a bag is played to: who takes its frames, who answers, who else listens."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from fer.bags.recorder import NODE_NAME as RECORDER
from fer_common.ros.graph_client import GraphClient

_LISTENERS = "listeners "
_UNKNOWN, _NAMES_S = "_NODE_NAME_UNKNOWN_", 2.0
#: Takes frames, and the topic on which it answers; the last of them that runs answers for all.
_FEATURES, _SNN = ("features", "features"), ("snn", "expressions")


@dataclass(frozen=True)
class Control:
    """The topic whose messages are frames, and the topic on which the last node answers them."""

    frames: str
    answers: str


class GraphView:
    """What a graph looks like to the player."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._node = client.node
        self._answerers: set[str] = set()
        self._changed_s = time.monotonic()
        client.watch_health()

    def answerers(self) -> set[str]:
        """Return the names of the nodes that answer frames, as far as they are found by now."""
        found = {name for name, topic in (_FEATURES, _SNN) if self._publishes(name, topic)}
        if found != self._answerers:
            self._answerers, self._changed_s = found, time.monotonic()
        return found

    def steady_s(self) -> float:
        """Return for how long no such node has come or gone, as far as `answerers` was asked."""
        return time.monotonic() - self._changed_s

    def recorded(self, topics: Collection[str]) -> bool:
        """Whether a recorder of fer listens to all of these topics."""
        info = self._node.get_subscriptions_info_by_topic
        return all(any(each.node_name == RECORDER for each in info(topic)) for topic in topics)

    def publishers(self, topic: str) -> list[str]:
        """Return the nodes that publish a topic. To be asked before the player does."""
        info = self._node.get_publishers_info_by_topic
        try:
            # The name of a node is found a little later than its publishers.
            self._client.wait(lambda: all(x.node_name != _UNKNOWN for x in info(topic)), _NAMES_S)
            offers = info(topic)
        except ValueError:  # The name is none that ROS allows.
            return []
        return sorted({f"{each.node_namespace.rstrip('/')}/{each.node_name}" for each in offers})

    def control(self, topics: Collection[str]) -> Control | None:
        """Return what to watch when these topics are played; None where nobody answers."""
        last = _SNN if self._publishes(*_SNN) else _FEATURES
        for name, _ in (_FEATURES, _SNN):
            for topic in topics:
                if self._publishes(*last) and self._takes(name, topic):
                    return Control(topic, self._client.resolve(last[1]))
        return None

    def settled(self, control: Control, played: Collection[str]) -> bool:
        """Whether publishers and listeners know of each other, so that nothing gets lost.

        What a publisher sends before it knows of a listener the listener never gets, and each side
        sees the other at a time of its own. The nodes tell in their diagnostics whom they know.
        """
        known = {
            key.removeprefix(_LISTENERS): int(count)
            for node in list(self._client.health.values())
            for key, count in node.facts.items()
            if key.startswith(_LISTENERS) and key.removeprefix(_LISTENERS) not in played
        }
        return control.answers in known and all(
            count == self._node.count_subscribers(topic) for topic, count in known.items()
        )

    def _publishes(self, node: str, topic: str) -> bool:
        offers = self._node.get_publishers_info_by_topic(self._client.resolve(topic))
        return any(offer.node_name == node for offer in offers)

    def _takes(self, node: str, topic: str) -> bool:
        return any(
            each.node_name == node and each.node_namespace == self._client.namespace
            for each in self._node.get_subscriptions_info_by_topic(topic)
        )
