"""Hands frames from the thread that receives them to the thread that works on them."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: A head start for workers whose results somebody waits for.
HEAD_START_S = 0.002


class Mailbox(Generic[Item]):
    """Newest frame wins: a frame that was not fetched in time is replaced and counted.

    With `every_frame` frames queue instead, up to `capacity`, for replays in which each one counts.

    With `head_start_s` a worker that waits gets a head start: `put` returns when it is done, or
    after so many seconds. Otherwise the thread that receives keeps Python's lock for another
    millisecond, until it has nothing more to do, while the frame waits.
    """

    def __init__(
        self, every_frame: bool = False, capacity: int = 1024, head_start_s: float = 0.0
    ) -> None:
        self._capacity = capacity
        self._head_start_s = head_start_s
        self._items: deque[Item] = deque()
        self._skipped = 0
        self._closed = False
        #: How many threads wait for a frame.
        self.waiting = 0
        lock = threading.Lock()
        self._offered = threading.Condition(lock)
        self._done = threading.Condition(lock)
        self.every_frame = every_frame

    def put(self, item: Item, missed: int = 0) -> None:
        """Offer a frame; what it pushes out is counted as skipped, as are `missed` before it."""
        with self._offered:
            self._skipped += missed
            room = self._capacity if self.every_frame else 1
            while len(self._items) >= room:
                self._items.popleft()
                self._skipped += 1
            self._items.append(item)
            if self.waiting:
                self._offered.notify()
                if self._head_start_s:
                    self._done.wait_for(
                        lambda: self.waiting and not self._items, self._head_start_s
                    )

    def take(self, timeout_s: float | None = None) -> tuple[Item, int] | None:
        """Wait for a frame.

        Returns
        -------
        The frame and how many were skipped since the last one; None when closed or after
        `timeout_s` seconds.
        """
        with self._offered:
            self.waiting += 1
            self._done.notify()
            self._offered.wait_for(lambda: self._items or self._closed, timeout_s)
            self.waiting -= 1
            if self._closed or not self._items:
                return None
            skipped, self._skipped = self._skipped, 0
            return self._items.popleft(), skipped

    def close(self) -> None:
        """Wake whoever waits; from now on `take` returns None."""
        with self._offered:
            self._closed = True
            self._items.clear()
            self._offered.notify_all()
            self._done.notify_all()
