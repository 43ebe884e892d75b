"""Signals that come at a bad moment wait for a better one."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask for the end."""


@contextmanager
def held_signals(numbers: Collection[int] = ENDING) -> Iterator[None]:
    """Keep signals waiting within a `with` block, for this thread and processes that it starts.

    For imports, where the exception that a handler raises may end up in a place that swallows
    it, and the signal would be lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
