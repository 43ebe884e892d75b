"""The graph that a bag is played to: who takes its frames, who answers, who else listens."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node

from fer.bags.recorder import NODE_NAME as RECORDER
from fer.bringup.graph import absolute

_LISTENERS = "listeners "
#: Takes frames, and the topic on which it answers; the last of them that runs answers for all.
_FEATURES, _SNN = ("features", "features"), ("snn", "expressions")


@dataclass(frozen=True)
class Control:
    """The topic whose messages are frames, and the topic on which the last node answers them."""

    frames: str
    answers: str


class GraphView:
    """What the graph of a namespace looks like from a node of ours.

    Parameters
    ----------
    node : to look with.
    namespace : of the graph.
    """

    def __init__(self, node: Node, namespace: str) -> None:
        self._node = node
        self._namespace = absolute(namespace)
        self._told: dict[str, int] = {}
        self._answerers: set[str] = set()
        self._changed_s = time.monotonic()
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

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
        return all(
            any(
                each.node_name == RECORDER
                for each in self._node.get_subscriptions_info_by_topic(topic)
            )
            for topic in topics
        )

    def published_by_others(self, topic: str) -> bool:
        """Whether somebody publishes a topic. To be asked before we do."""
        return bool(self._node.get_publishers_info_by_topic(topic))

    def control(self, topics: Collection[str]) -> Control | None:
        """Return what to watch when these topics are played; None where nobody answers."""
        last = _SNN if self._publishes(*_SNN) else _FEATURES
        for name, _ in (_FEATURES, _SNN):
            for topic in topics:
                if self._publishes(*last) and self._takes(name, topic):
                    return Control(topic, self._absolute(last[1]))
        return None

    def settled(self, control: Control, played: Collection[str]) -> bool:
        """Whether publishers and listeners know of each other, so that nothing gets lost.

        What a publisher sends before it knows of a listener the listener never gets, and each side
        sees the other at a time of its own. The nodes tell in their diagnostics whom they know.
        """
        known = {t: n for t, n in self._told.items() if t not in played}
        return control.answers in known and all(
            count == self._node.count_subscribers(topic) for topic, count in known.items()
        )

    def _absolute(self, name: str) -> str:
        return f"{self._namespace.rstrip('/')}/{name}"

    def _publishes(self, node: str, topic: str) -> bool:
        offers = self._node.get_publishers_info_by_topic(self._absolute(topic))
        return any(offer.node_name == node for offer in offers)

    def _takes(self, node: str, topic: str) -> bool:
        return any(
            each.node_name == node and each.node_namespace == self._namespace
            for each in self._node.get_subscriptions_info_by_topic(topic)
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        prefix = self._absolute("")
        for status in message.status:
            if status.name.startswith(prefix):
                for pair in status.values:
                    if pair.key.startswith(_LISTENERS):
                        self._told[pair.key.removeprefix(_LISTENERS)] = int(pair.value)
