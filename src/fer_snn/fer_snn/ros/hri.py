"""The topic of an expression recogniser in REP-155: `/humans/faces/<id>/expression`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fer_common.core import ros4hri, stamps
from fer_common.ros.face_topics import FaceTopics
from fer_common.ros.messages import optional_messages
from fer_common.ros.node import FerNode
from fer_interfaces.msg import Expression, ExpressionArray
from fer_snn.core.labels import HRI_NAMES

TOPIC = "expression"


class HriExpressions:
    """Publishers of the expression of each face.

    Raises
    ------
    ConfigurationError
        if hri_msgs is not installed.
    """

    def __init__(self, node: FerNode) -> None:
        self._node = node
        self._kind: type[Any] = optional_messages(ros4hri.PACKAGE, ros4hri.PARAMETER).Expression
        self._topics = FaceTopics(node, {TOPIC: self._kind}, ros4hri.DEPARTURE_S)
        self._unnamed: set[str] = set()

    def close(self) -> None:
        """Destroy all publishers."""
        self._topics.close()

    def publish(self, answers: ExpressionArray) -> None:
        """Publish all answers that are not `undecided`."""
        expressions: Sequence[Expression] = answers.expressions
        seen = [answer.face_id for answer in expressions]
        self._topics.update(stamps.to_ns(answers.header.stamp), seen)
        for answer in expressions:
            if answer.label == Expression.UNDECIDED:
                continue
            name = HRI_NAMES.get(answer.label)
            if name is None:
                self._warn_once(answer.label)
                continue
            # Valence and arousal are unknown; zeros would claim a value.
            message = self._kind(
                header=answers.header,
                expression=name,
                valence=math.nan,
                arousal=math.nan,
                confidence=answer.confidence,
            )
            self._topics.of(answer.face_id)[TOPIC].publish(message)

    def _warn_once(self, label: str) -> None:
        if label not in self._unnamed:
            self._unnamed.add(label)
            self._node.get_logger().warning(
                f"label '{label}' is not an expression of {ros4hri.PACKAGE}: "
                f"it is published on expressions, but not below {ros4hri.FACES}"
            )
