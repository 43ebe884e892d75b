"""Counters, rates and latencies of a stream of frames, for diagnostics."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Iterable

#: Time window of rates and latencies.
WINDOW_S = 5.0


def quantile(values: Iterable[float], fraction: float) -> float:
    """Return the smallest value that `fraction` (0..1) of all do not exceed; NaN without values."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(math.ceil(fraction * len(ordered)) - 1, 0)]


class StreamStatistics:
    """Counts the frames of one node. Thread-safe.

    The caller gives all times, in seconds of one monotonic clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[tuple[float, float, float]] = deque()
        self._since: float | None = None
        self.processed = 0
        self.skipped = 0
        self.dropped: Counter[str] = Counter()

    def add(
        self, now_s: float, latency_s: float = math.nan, work_s: float = math.nan, skipped: int = 0
    ) -> None:
        """Count a frame finished at `now_s`, `latency_s` after its stamp, processed in `work_s`."""
        with self._lock:
            if self._since is None:
                self._since = now_s
            self.processed += 1
            self.skipped += skipped
            self._done.append((now_s, latency_s, work_s))
            # age_s needs the last frame, however old it is.
            while len(self._done) > 1 and self._done[0][0] < now_s - WINDOW_S:
                self._done.popleft()

    def drop(self, reason: str) -> None:
        """Count a frame that could not be used."""
        with self._lock:
            self.dropped[reason] += 1

    def age_s(self, now_s: float) -> float:
        """Return the seconds since the last finished frame, infinite if there was none."""
        with self._lock:
            return now_s - self._done[-1][0] if self._done else math.inf

    def rate_hz(self, now_s: float) -> float:
        """Return the frames per second over the last seconds."""
        with self._lock:
            if self._since is None:
                return 0.0
            recent = sum(done_s >= now_s - WINDOW_S for done_s, _, _ in self._done)
            return recent / max(min(WINDOW_S, now_s - self._since), 1e-3)

    def latency_ms(self, fraction: float) -> float:
        """Return a quantile (0..1) of the latency over the last seconds, NaN without frames."""
        return self._quantile_ms(1, fraction)

    def work_ms(self, fraction: float) -> float:
        """Return a quantile (0..1) of the processing time over the last seconds, or NaN."""
        return self._quantile_ms(2, fraction)

    def facts(self, now_s: float) -> dict[str, object]:
        """Return all values, with the names that all nodes use in their diagnostics."""
        with self._lock:
            dropped = dict(self.dropped)
        return {
            "rate_hz": self.rate_hz(now_s),
            "age_s": self.age_s(now_s),
            "processed": self.processed,
            "skipped": self.skipped,
            "dropped": sum(dropped.values()),
            **{f"dropped {reason}": count for reason, count in dropped.items()},
            "latency_p50_ms": self.latency_ms(0.5),
            "latency_p99_ms": self.latency_ms(0.99),
            "work_p50_ms": self.work_ms(0.5),
            "work_p99_ms": self.work_ms(0.99),
        }

    def _quantile_ms(self, column: int, fraction: float) -> float:
        with self._lock:
            values = [row[column] for row in self._done if not math.isnan(row[column])]
        return quantile(values, fraction) * 1e3
