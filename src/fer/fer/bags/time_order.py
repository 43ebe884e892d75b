"""Messages of several sources in the order of time, without opening the sources all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from operator import itemgetter
from typing import Any, TypeAlias

#: Time in ns, channel or topic, data.
Stamped: TypeAlias = "tuple[int, Any, bytes]"


def in_time_order(
    sources: Iterable[tuple[int, Callable[[], Iterator[Stamped]]]],
) -> Iterator[Stamped]:
    """Merge sources that are each in the order of time.

    Parameters
    ----------
    sources : time of the first message, ns, and what opens the source; it is called at that time.
    """

    def closed_until(
        start: int, opened: Callable[[], Iterator[Stamped]]
    ) -> Iterator[Stamped | tuple[int, None, None]]:
        yield start, None, None
        yield from opened()

    waiting = [closed_until(*source) for source in sorted(sources, key=itemgetter(0))]
    return (each for each in merge(*waiting, key=itemgetter(0)) if each[2] is not None)
