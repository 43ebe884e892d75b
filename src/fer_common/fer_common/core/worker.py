"""A worker thread with its frame queue: the executor keeps answering while a frame is processed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Head start for workers that produce results of low latency.
HEAD_START_S = 0.006


class FrameQueue(Generic[Item]):
    """Keeps the newest frame only and counts the frames that it replaces.

    Parameters
    ----------
    every_frame : keep up to `capacity` frames, in order. For replays in which every frame counts.
    capacity : of the queue with `every_frame`.
    head_start_s : `put` waits until a waiting worker has finished, at most this long. Otherwise
        other work, such as the search for the next frame, holds the interpreter lock meanwhile.
    """

    def __init__(
        self, every_frame: bool = False, capacity: int = 1024, head_start_s: float = 0.0
    ) -> None:
        self._capacity = capacity
        self._head_start_s = head_start_s
        self._items: deque[Item] = deque()
        self._skipped = 0
        self._closed = False
        #: Number of threads that wait in `get`.
        self.waiting = 0
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._done = threading.Condition(lock)
        self.every_frame = every_frame

    def put(self, item: Item, missed: int = 0) -> None:
        """Add a frame. Replaced frames and the `missed` ones before it count as skipped."""
        with self._changed:
            self._skipped += missed
            room = self._capacity if self.every_frame else 1
            while len(self._items) >= room:
                self._items.popleft()
                self._skipped += 1
            self._items.append(item)
            if self.waiting:
                self._changed.notify()
                if self._head_start_s:
                    self._done.wait_for(
                        lambda: self.waiting and not self._items, self._head_start_s
                    )

    def get(self, timeout_s: float | None = None) -> tuple[Item, int] | None:
        """Wait for a frame.

        Returns
        -------
        The frame and the number of frames skipped since the last call; None after `close` or after
        `timeout_s` seconds.
        """
        with self._changed:
            self.waiting += 1
            self._done.notify()
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            self.waiting -= 1
            if self._closed or not self._items:
                return None
            skipped, self._skipped = self._skipped, 0
            return self._items.popleft(), skipped

    def close(self) -> None:
        """Drop all frames and wake every waiting thread; `get` returns None from now on."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
            self._done.notify_all()


class Worker(Generic[Item]):
    """A thread that processes the frames of its queue one by one, in order.

    Parameters
    ----------
    work : called in the thread with a frame and the number of frames skipped before it.
    failed : called in the thread with an error that `work` did not handle. The thread then ends.
    every_frame, head_start_s : see `FrameQueue`.
    """

    def __init__(
        self,
        work: Callable[[Item, int], None],
        failed: Callable[[BaseException], None],
        name: str,
        every_frame: bool = False,
        head_start_s: float = 0.0,
    ) -> None:
        self.queue: FrameQueue[Item] = FrameQueue(every_frame, head_start_s=head_start_s)
        self._work = work
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Stop after the present frame."""
        self.queue.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (entry := self.queue.get()) is not None:
                self._work(*entry)
        except BaseException as error:
            # A node whose thread has died silently looks alive and does nothing.
            self._failed(error)
