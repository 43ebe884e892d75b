"""Hands frames from the thread that receives them to the thread that works on them."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Newest frame wins: a frame that was not fetched in time is replaced and counted.

    With `every_frame` frames queue instead, up to `capacity`, for replays in which each one counts.
    """

    def __init__(self, every_frame: bool = False, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._items: deque[Item] = deque()
        self._skipped = 0
        self._closed = False
        self._condition = threading.Condition()
        self.every_frame = every_frame

    def put(self, item: Item, missed: int = 0) -> None:
        """Offer a frame; what it pushes out is counted as skipped, as are `missed` before it."""
        with self._condition:
            self._skipped += missed
            room = self._capacity if self.every_frame else 1
            while len(self._items) >= room:
                self._items.popleft()
                self._skipped += 1
            self._items.append(item)
            self._condition.notify()

    def take(self, timeout_s: float | None = None) -> tuple[Item, int] | None:
        """Wait for a frame.

        Returns
        -------
        The frame and how many were skipped since the last one; None when closed or after
        `timeout_s` seconds.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._items or self._closed, timeout_s)
            if self._closed or not self._items:
                return None
            skipped, self._skipped = self._skipped, 0
            return self._items.popleft(), skipped

    def close(self) -> None:
        """Wake whoever waits; from now on `take` returns None."""
        with self._condition:
            self._closed = True
            self._items.clear()
            self._condition.notify_all()
