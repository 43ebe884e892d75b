"""What changes slowly: scores and rates of the last half minute, and how far simulation lags."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple

import numpy as np

from fer_viz.core.history import MAX_FACES, NANOSECONDS, FrameLog
from fer_viz.core.scene import Face, Floats, Seconds

#: How far back scores and rates are shown.
TREND_S = 30.0
_LAG_WINDOW_S = 5.0


class Trend(NamedTuple):
    """Scores and spike rates of one face over the last seconds.

    Attributes
    ----------
    time_s : (answers,), seconds before the newest answer, so <= 0, ascending.
    labels : one for each column.
    scores : (answers, labels), 0..1.
    rates_hz : (answers, labels).
    """

    time_s: Seconds
    labels: tuple[str, ...]
    scores: Floats
    rates_hz: Floats


class _Answer(NamedTuple):
    start_ns: int
    scores: tuple[float, ...]
    rates_hz: tuple[float, ...]

    @property
    def size(self) -> int:
        return len(self.scores)

    @property
    def end_ns(self) -> int:
        return self.start_ns


class Trends:
    """Scores and rates of every face, for `TREND_S` seconds. Bounded."""

    def __init__(self) -> None:
        self._logs: OrderedDict[int, FrameLog[_Answer]] = OrderedDict()
        self._labels: dict[int, tuple[str, ...]] = {}

    def add(self, stamp_ns: int, faces: tuple[Face, ...]) -> None:
        """Remember the answers of one image. A face whose labels change begins again."""
        for face in faces:
            if self._labels.get(face.id) != face.labels:
                self._logs[face.id] = FrameLog(TREND_S)
                self._labels[face.id] = face.labels
            self._logs[face.id].add(_Answer(stamp_ns, face.scores, face.rates_hz))
            self._logs.move_to_end(face.id)
        while len(self._logs) > MAX_FACES:
            face_id, _ = self._logs.popitem(last=False)
            del self._labels[face_id]

    def of(self, face_id: int) -> Trend | None:
        """Return the trend of a face, None for one that is not remembered."""
        log = self._logs.get(face_id)
        newest = None if log is None else log.newest
        if log is None or newest is None:
            return None
        end_ns = newest.start_ns
        answers = log.between(end_ns - round(TREND_S * NANOSECONDS) - 1, end_ns)
        return Trend(
            np.array([(answer.start_ns - end_ns) / NANOSECONDS for answer in answers]),
            self._labels[face_id],
            np.array([answer.scores for answer in answers], np.float32),
            np.array([answer.rates_hz for answer in answers], np.float32),
        )

    def clear(self) -> None:
        """Forget everything."""
        self._logs.clear()
        self._labels.clear()


class SimulationLag:
    """How much of the stamps' time the network did not simulate, over the last seconds."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, float]] = deque()

    def add(self, stamp_ns: int, simulated_s: float) -> None:
        """Count a frame that was simulated for `simulated_s` up to its stamp."""
        if self._frames and stamp_ns < self._frames[-1][0]:
            self._frames.clear()
        self._frames.append((stamp_ns, simulated_s))
        while stamp_ns - self._frames[0][0] > _LAG_WINDOW_S * NANOSECONDS:
            self._frames.popleft()

    @property
    def lag_s(self) -> float:
        """Seconds of stamps that were not simulated; 0 before the second frame."""
        if not self._frames:
            return 0.0
        # The first frame says what was simulated before the window.
        simulated_s = sum(simulated for _, simulated in self._frames) - self._frames[0][1]
        return max((self._frames[-1][0] - self._frames[0][0]) / NANOSECONDS - simulated_s, 0.0)
