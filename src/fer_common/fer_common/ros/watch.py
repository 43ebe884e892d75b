"""Conditions that a node watches.

A timer of rclpy costs 1 ms of CPU each time, because its executor builds a new wait set of all that
the node has. A condition is watched in a thread of its own, and only what it leads to is called by
the executor.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.exceptions import InvalidHandle
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node

#: Shortest period at which conditions are looked at.
PERIOD_S = 0.1


@dataclass(eq=False)
class Watch:
    """A condition, and what makes the executor call its callback."""

    condition: Callable[[], bool]
    guard: GuardCondition
    period_s: float
    due_s: float


class Watcher:
    """Calls back in the executor's thread while conditions hold, until `close`.

    Parameters
    ----------
    node : its executor calls the callbacks; may still be under construction.
    failed : called in the thread with an error of a condition. The thread then ends.
    """

    def __init__(self, node: Node, failed: Callable[[BaseException], None]) -> None:
        self._node = node
        self._failed = failed
        self._watches: list[Watch] = []
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(
        self, condition: Callable[[], bool], callback: Callable[[], None], period_s: float
    ) -> Watch:
        """Call `callback` whenever `condition`, called periodically in another thread, is true."""
        guard = self._node.create_guard_condition(callback)
        watch = Watch(condition, guard, period_s, time.monotonic() + period_s)
        self._watches.append(watch)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
            self._thread.start()
        return watch

    def remove(self, watch: Watch) -> None:
        """End a watch. Its condition may be called once more."""
        self._watches.remove(watch)
        self._node.destroy_guard_condition(watch.guard)

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing.wait(PERIOD_S):
                self._look(time.monotonic())
        except BaseException as error:
            self._failed(error)

    def _look(self, now_s: float) -> None:
        for watch in tuple(self._watches):
            if now_s < watch.due_s:
                continue
            watch.due_s = now_s + watch.period_s
            try:
                if watch.condition():
                    watch.guard.trigger()
            except InvalidHandle:
                # Removed, or what it looks at was destroyed just now.
                continue
