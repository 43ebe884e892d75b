"""Bags for tests, written as a recorder would write them, without a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message

from fer.bags.topics import Topic, as_recorded, definition
from fer.bags.writer import BagWriter, Layout
from fer_common.core.stamps import split_ns
from fer_common.ros import qos
from fer_interfaces.msg import Expression, ExpressionArray, Spikes, SpikeTrain

BEGIN_NS = 1_700_000_000_000_000_000
PERIOD_NS = 33_333_333
EXPRESSIONS, SPIKES = "/fer/expressions", "/fer/spikes"


def topic_of(name: str, type_name: str, latched: bool = False) -> Topic:
    """Return a topic with the profile of the graph's results, or of what is latched."""
    profile = as_recorded(qos.LATCHED if latched else qos.RESULT)
    return Topic(name, type_name, definition(type_name), "", (profile,))


def answer(number: int, **changes: Any) -> ExpressionArray:
    """Return the answer to a frame."""
    message = ExpressionArray(weights_version=1, **changes)
    message.header.stamp.sec, message.header.stamp.nanosec = split_ns(BEGIN_NS + number * PERIOD_NS)
    message.expressions = [Expression(face_id=1, label="smile", confidence=0.5)]
    return message


def spikes(number: int, *neurons: int) -> Spikes:
    """Return the spikes of a frame."""
    message = Spikes(dt=0.001, steps=33)
    message.header.stamp = answer(number).header.stamp
    train = SpikeTrain(face_id=1, layer="expression", size=8)
    train.neuron, train.step = list(neurons), [1] * len(neurons)
    message.trains = [train]
    return message


def write_bag(
    folder: Path, messages: Mapping[str, Iterable[Any]], layout: Layout | None = None
) -> Path:
    """Write messages by topic, one of each topic in a period; return the folder."""
    with BagWriter(folder, layout or Layout()) as writer:
        for name, each in messages.items():
            sent = list(each)
            kind = type(sent[0])
            writer.add_topic(topic_of(name, f"fer_interfaces/msg/{kind.__name__}"))
            for k, message in enumerate(sent):
                time_ns = BEGIN_NS + k * PERIOD_NS
                writer.write(name, time_ns, time_ns, serialize_message(message))
    return folder
