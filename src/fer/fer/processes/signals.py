"""Signals that ask for the end, counted instead of obeyed."""

from __future__ import annotations

import signal
import time
from types import FrameType

from fer_common.core.process import TERMINATION_SIGNALS


class StopRequests:
    """Counts SIGINT, SIGTERM and SIGHUP within a `with` block, which do not end the process."""

    def __init__(self) -> None:
        self.count = 0
        self._first_s: float | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> StopRequests:
        self._before = {
            number: signal.signal(number, self._on_signal) for number in TERMINATION_SIGNALS
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def impatient(self) -> bool:
        """Whether the end was asked for more than once."""
        return self.count > 1

    @property
    def age_s(self) -> float:
        """Time since the first request, 0 while there is none."""
        return 0.0 if self._first_s is None else time.monotonic() - self._first_s

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self._first_s is None:
            self._first_s = time.monotonic()
