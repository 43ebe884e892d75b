"""What an expression recogniser publishes by REP-155: `/humans/faces/<id>/expression`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fer_common.core import ros4hri as humans
from fer_common.core import stamps
from fer_common.ros.face_topics import FaceTopics
from fer_common.ros.messages import optional_messages
from fer_common.ros.node import FerNode
from fer_interfaces.msg import Expression, ExpressionArray
from fer_snn.core import vocabulary

TOPIC = "expression"


class Humans:
    """Publishers of the expression of every face.

    Raises
    ------
    ConfigurationError
        if hri_msgs is not installed.
    """

    def __init__(self, node: FerNode) -> None:
        self._node = node
        self._kind: type[Any] = optional_messages(humans.PACKAGE, humans.PARAMETER).Expression
        self._topics = FaceTopics(node, {TOPIC: self._kind}, humans.DEPARTURE_S)
        self._without_name: set[str] = set()

    def close(self) -> None:
        """Take all publishers away."""
        self._topics.close()

    def publish(self, answers: ExpressionArray) -> None:
        """Publish the answers that are one: who is undecided says nothing."""
        expressions: Sequence[Expression] = answers.expressions
        seen = [answer.face_id for answer in expressions]
        self._topics.update(stamps.to_ns(answers.header.stamp), seen)
        for answer in expressions:
            if answer.label == Expression.UNDECIDED:
                continue
            name = vocabulary.NAMES.get(answer.label)
            if name is None:
                self._say_once(answer.label)
                continue
            # Valence and arousal are not known, which zeros would not say.
            message = self._kind(
                header=answers.header,
                expression=name,
                valence=math.nan,
                arousal=math.nan,
                confidence=answer.confidence,
            )
            self._topics.of(answer.face_id)[TOPIC].publish(message)

    def _say_once(self, label: str) -> None:
        if label not in self._without_name:
            self._without_name.add(label)
            self._node.get_logger().warning(
                f"label '{label}' is none of the expressions of {humans.PACKAGE}: "
                f"it is published on expressions, and not below {humans.FACES}"
            )
