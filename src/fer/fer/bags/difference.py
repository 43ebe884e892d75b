"""Compares what two runs of the network said, bit for bit, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

import numpy as np

from fer.bags.flow import stamp_ns
from fer.bags.reading import Bag
from fer.bags.topics import BagError

#: The outputs of the network, which are compared unless others are named.
COMPARED = tuple(f"fer_interfaces/msg/{name}" for name in ("Spikes", "Weights", "ExpressionArray"))
#: Number of the repetition of the bag, stamp in ns, number among the messages of that stamp.
_Key: TypeAlias = "tuple[int, int, int]"
#: A message of the latched state before the first frame has stamp 0.
_BEFORE: _Key = (0, 0, 0)


@dataclass
class Comparison:
    """How one topic of a bag compares with that of another.

    Attributes
    ----------
    topic : its name.
    equal, unequal : number of frames that both have, with the same and with different messages.
    only_a, only_b : number of frames that only one of the bags has.
    difference : the first difference, empty where there is none.
    stamp : of the frame where it is, ns.
    """

    topic: str
    equal: int = 0
    unequal: int = 0
    only_a: int = 0
    only_b: int = 0
    difference: str = ""
    stamp: int = 0

    def differs(self, difference: str, stamp: int) -> None:
        """Take note of a difference; the first one is kept."""
        if not self.difference:
            self.difference, self.stamp = difference, stamp

    def lacks(self, bag: Bag, key: _Key, has_ended: bool) -> int:
        """Take note of a frame that a bag does not have, and return for how many it counts."""
        if key == _BEFORE:
            return 0
        if self.topic not in bag.topics:
            self.differs(f"{bag.path} does not have it", key[1])
        else:
            verb = "ends before" if has_ended else "lacks"
            self.differs(f"{bag.path} {verb} this frame", key[1])
        return 1


def compare(a: Bag, b: Bag, topics: Sequence[str] = ()) -> list[Comparison]:
    """Compare topics of two bags, frame by frame.

    What was sent before the first frame is compared where both have it: a recorder that joined late
    has not.

    Parameters
    ----------
    topics : absolute names; empty: spikes, weights and expressions.

    Raises
    ------
    BagError
        if there is nothing to compare.
    """
    chosen = list(topics) or sorted(
        name for bag in (a, b) for name, topic in bag.topics.items() if topic.type in COMPARED
    )
    comparisons = [_compare(a, b, name) for name in dict.fromkeys(chosen)]
    if not any(each.equal or each.difference for each in comparisons):
        raise BagError(
            f"{a.path} and {b.path} hold no spikes, weights or expressions to compare: "
            "name other topics with --topics"
        )
    return comparisons


def first_difference(comparisons: Sequence[Comparison]) -> Comparison | None:
    """Return the topic with the earliest difference, None where the runs agree."""
    different = [each for each in comparisons if each.difference]
    return min(different, key=lambda each: each.stamp, default=None)


def _compare(a: Bag, b: Bag, topic: str) -> Comparison:
    result = Comparison(topic)
    in_a, in_b = _frames(a, topic), _frames(b, topic)
    left, right = next(in_a, None), next(in_b, None)
    while left is not None or right is not None:
        # Keys only grow, so the smaller one has no partner any more.
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            result.only_a += result.lacks(b, left[0], right is None)
            left = next(in_a, None)
        elif left is None or right[0] < left[0]:
            result.only_b += result.lacks(a, right[0], left is None)
            right = next(in_b, None)
        else:
            if found := _first_field(a, b, topic, left[1], right[1]):
                result.unequal += 1
                result.differs(found, left[0][1])
            else:
                result.equal += 1
            left, right = next(in_a, None), next(in_b, None)
    for bag in (a, b):
        if topic not in bag.topics:
            result.differs(f"{bag.path} does not have it", 0)
    return result


def _frames(bag: Bag, topic: str) -> Iterator[tuple[_Key, bytes]]:
    """Yield the messages with keys that only grow; of those before the first frame, the last."""
    if topic not in bag.topics:
        return
    before: bytes | None = None
    repetition, number, last = 0, 0, 0
    for message in bag.messages([topic]):
        stamp = stamp_ns(message.data)
        if not stamp:
            before = message.data if not last else None
            continue
        if before is not None:
            yield _BEFORE, before
            before = None
        # A stamp that jumps back: the bag, or what was played, began again.
        repetition += stamp < last
        number = number + 1 if stamp == last else 0
        last = stamp
        yield (repetition, stamp, number), message.data
    if before is not None:
        yield _BEFORE, before


def _first_field(a: Bag, b: Bag, topic: str, left: bytes, right: bytes) -> str:
    """Return the first field in which two messages differ, empty for none."""
    # Bytes alone do not tell: what fills the gaps between fields is not defined.
    return "" if left == right else _unequal(a.decode(topic, left), b.decode(topic, right))


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
    is_same = a == b or (a != a and b != b)
    return "" if is_same else f"{place} is {_shown(a)} and {_shown(b)}"


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, np.generic) else repr(value)
