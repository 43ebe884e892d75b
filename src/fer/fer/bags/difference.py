"""Compares what two runs of the network said, bit for bit, and finds where they part first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import chain, zip_longest
from typing import Any, TypeAlias

import numpy as np

from fer.bags.errors import BagError
from fer.bags.flow import stamp_ns
from fer.bags.reading import Bag

#: What a run of the network comes to.
COMPARED = tuple(f"fer_interfaces/msg/{name}" for name in ("Spikes", "Weights", "ExpressionArray"))
#: Stamp in ns, and the serialized message.
_Frame = tuple[int, bytes]
_Pair: TypeAlias = "tuple[_Frame | None, _Frame | None]"


@dataclass(frozen=True)
class Comparison:
    """What became of one topic.

    Attributes
    ----------
    topic : its name.
    messages : how many were compared and found equal, before the first difference.
    difference : where and how the runs part first, empty where they agree.
    stamp : of the frame at which they part, ns.
    """

    topic: str
    messages: int
    difference: str = ""
    stamp: int = 0


def compare(a: Bag, b: Bag, topics: Sequence[str] = ()) -> list[Comparison]:
    """Compare topics of two bags, frame by frame.

    What was sent before the first frame counts where both have it: a recorder that joined late has
    not.

    Parameters
    ----------
    topics : absolute names; empty: spikes, weights and expressions.

    Raises
    ------
    BagError
        if there is nothing to compare.
    """
    chosen = list(topics) or sorted(
        name for bag in (a, b) for name, topic in bag.topics.items() if topic.kind in COMPARED
    )
    comparisons = [_compare(a, b, name) for name in dict.fromkeys(chosen)]
    if not any(each.messages or each.difference for each in comparisons):
        raise BagError(
            f"{a.path} and {b.path} hold no spikes, weights or expressions to compare: "
            "name other topics with --topics"
        )
    return comparisons


def first_difference(comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the topic in which the runs part first, None where they agree."""
    parted = [each for each in comparisons if each.difference]
    return min(parted, key=lambda each: each.stamp, default=None)


def _compare(a: Bag, b: Bag, topic: str) -> Comparison:
    for bag, other in ((a, b), (b, a)):
        if topic not in bag.topics:
            first = next(_frames(other, topic), None) if topic in other.topics else None
            stamp = first[0] if first else 0
            return Comparison(topic, 0, f"{bag.path} does not have it", stamp)
    begin = _before_frames(a, topic), _before_frames(b, topic)
    pairs: Iterator[_Pair] = zip_longest(_frames(a, topic), _frames(b, topic))
    equal = 0
    for left, right in chain([begin] if all(begin) else [], pairs):
        if left is None or right is None:
            rest, ended = left or right, a if left is None else b
            assert rest is not None
            return Comparison(topic, equal, f"{ended.path} ends before this frame", rest[0])
        if left[0] != right[0]:
            earlier, lacking = min((left[0], b), (right[0], a), key=lambda pair: pair[0])
            return Comparison(topic, equal, f"{lacking.path} lacks this frame", earlier)
        if found := _parting(a, b, topic, left[1], right[1]):
            return Comparison(topic, equal, found, left[0])
        equal += 1
    return Comparison(topic, equal)


def _parting(a: Bag, b: Bag, topic: str, left: bytes, right: bytes) -> str:
    """Return the first field in which two messages differ, empty for none."""
    # Bytes alone do not tell: what fills the gaps between fields is not defined.
    return "" if left == right else _unequal(a.decode(topic, left), b.decode(topic, right))


def _before_frames(bag: Bag, topic: str) -> _Frame | None:
    """Return the last message of a topic from before the first frame."""
    last = None
    for message in bag.messages([topic]):
        if stamp_ns(message.data):
            break
        last = 0, message.data
    return last


def _frames(bag: Bag, topic: str) -> Iterator[_Frame]:
    for message in bag.messages([topic]):
        if stamp := stamp_ns(message.data):
            yield stamp, message.data


def _unequal(a: Any, b: Any, place: str = "") -> str:
    """Return the first field in which two decoded messages differ, empty for none."""
    if is_dataclass(a):
        for each in fields(a):
            if each.name.startswith("__"):
                continue
            inner = f"{place}.{each.name}" if place else each.name
            if found := _unequal(getattr(a, each.name), getattr(b, each.name), inner):
                return found
        return ""
    if isinstance(a, (list, tuple, np.ndarray)):
        if len(a) != len(b):
            return f"{place} has {len(a)} and {len(b)} elements"
        if isinstance(a, np.ndarray) and a.tobytes() == b.tobytes():
            return ""
        pairs = enumerate(zip(a, b, strict=True))
        return next((f for k, (x, y) in pairs if (f := _unequal(x, y, f"{place}[{k}]"))), "")
    # NaN is not equal to itself, but the same.
    return "" if a == b or (a != a and b != b) else f"{place} is {a!r} and {b!r}"
