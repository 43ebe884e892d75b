"""Many inputs for one target, few in the short form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fer_faults.ledger import Ledger

SHORT, LONG = 60, 10_000
#: Hypothesis remembers every input of a call, some 50 kB each, which is not the target's memory.
BATCH = 200
Value = TypeVar("Value")


def fuzz(
    name: str,
    inputs: st.SearchStrategy[Value],
    check: Callable[[Value], None],
    ledger: Ledger,
    long: bool,
    share: int = 1,
) -> None:
    """Give a target its inputs; what `check` raises is a find, shrunk to the smallest input.

    Parameters
    ----------
    share : so many calls share the inputs of the target.
    """
    count = [0]

    def run(value: Value) -> None:
        count[0] += 1
        check(value)

    wanted = (LONG if long else SHORT) // share
    for begin in range(0, wanted, BATCH):
        batch = settings(
            max_examples=min(BATCH, wanted - begin),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        seed(begin)(batch(given(inputs)(run)))()
    ledger.count(f"fuzzing: {name}", count[0])


def damaged(good: bytes) -> st.SearchStrategy[bytes]:
    """Return files that were good once: cut, with other bytes, or nothing like it at all."""
    places = st.lists(
        st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), min_size=1, max_size=20
    )
    changed = st.tuples(places, st.integers(0, len(good))).map(lambda it: _changed(good, *it))
    return changed | st.integers(0, len(good)).map(lambda end: good[:end]) | st.binary(max_size=400)


def _changed(good: bytes, places: list[tuple[int, int]], kept: int) -> bytes:
    data = bytearray(good)
    for place, value in places:
        data[place] = value
    # Every other file is cut as well.
    return bytes(data[:kept] if kept % 2 else data)
