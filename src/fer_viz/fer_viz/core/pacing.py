"""At most so many pictures a second."""

from __future__ import annotations


class Pacer:
    """Says whether the next picture is due.

    In a time T no more than `rate_hz` T + 2 pictures pass. A stream of exactly `rate_hz` passes
    whole although its frames jitter: a picture that is early is charged to the next one.
    """

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._due_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether a picture may be drawn at `now_s`; if so, it counts as drawn."""
        period_s = 1 / self.rate_hz
        if now_s < self._due_s - 0.5 * period_s:
            return False
        self._due_s = max(self._due_s, now_s - 0.5 * period_s) + period_s
        return True
