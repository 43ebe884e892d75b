"""Work for other processes, in a module that they can import wherever the tests run."""

from __future__ import annotations

import os
from collections.abc import Sequence


def worker_of_each(chunk: Sequence[int]) -> list[tuple[int, int]]:
    """Return the process id with each item."""
    return [(os.getpid(), item) for item in chunk]


def fails(chunk: Sequence[int]) -> list[int]:
    """Raise an error."""
    raise ValueError("it did")
