"""A thread that works on the newest frame while the node's executor keeps answering."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from fer_common.core.mailbox import Mailbox

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """Fetches frames from its mailbox and works on them one by one, in order.

    Parameters
    ----------
    work : called with a frame and the number of frames skipped before it, in the worker's thread.
    failed : called in the worker's thread with an error that `work` did not handle; the worker then
        ends.
    name : name of the thread, for debuggers and profiles.
    every_frame, head_start_s : as for `Mailbox`.
    """

    def __init__(
        self,
        work: Callable[[Item, int], None],
        failed: Callable[[BaseException], None],
        name: str,
        every_frame: bool = False,
        head_start_s: float = 0.0,
    ) -> None:
        self.mailbox: Mailbox[Item] = Mailbox(every_frame, head_start_s=head_start_s)
        self._work = work
        self._failed = failed
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End after the frame in hand."""
        self.mailbox.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while (taken := self.mailbox.take()) is not None:
                self._work(*taken)
        except BaseException as error:
            # A thread that ended in silence would leave a node that looks alive and does nothing.
            self._failed(error)
