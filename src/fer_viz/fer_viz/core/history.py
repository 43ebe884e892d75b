"""The last moments of each face on the time axis of the stamps. Everything is bounded.

The steps of a frame lie before its stamp: step k of n has the time stamp - (n - 1 - k) dt. A stamp
that jumps back (a bag that loops) restarts the history.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_common.core.stamps import NANOSECONDS
from fer_viz.core.scene import Floats, Indices, Raster, ScoreHistory, Seconds, Traces

#: Faces remembered at once; the one not seen for longest is dropped.
MAX_FACES = 16
#: Frames remembered of a face, whatever their stamps claim.
MAX_FRAMES = 4096
#: How far back scores and rates are remembered.
SCORE_SPAN_S = 30.0
_LAG_WINDOW_S = 5.0
#: Frames join when the gap between them is below this many steps: stamps jitter.
_JOIN_STEPS = 2.5
#: Closer to rest than this, all neurons have just been put to rest.
_REST_V = 1e-4


Times: TypeAlias = "NDArray[np.int64]"


def _times_ns(step: Indices, steps: int, dt_s: float, end_ns: int) -> Times:
    """Return the time of each step, nanoseconds."""
    before = np.rint((steps - 1 - step.astype(np.int64)) * (dt_s * NANOSECONDS))
    return np.int64(end_ns) - before.astype(np.int64)


class PotentialFrame(NamedTuple):
    """Potentials (steps, neurons) and thresholds (neurons,) of one layer in one frame.

    `end_ns` is the stamp of the frame, the time of its last step.
    """

    end_ns: int
    dt_s: float
    potential_v: Floats
    threshold_v: Floats
    v_rest_v: float
    v_reset_v: float

    @property
    def layout(self) -> Hashable:
        """Number of neurons."""
        return self.potential_v.shape[1]

    @property
    def start_ns(self) -> int:
        """Begin of the first step."""
        return self.end_ns - round(len(self.potential_v) * self.dt_s * NANOSECONDS)

    @property
    def times_ns(self) -> Times:
        """Time of each row of the potentials."""
        steps = len(self.potential_v)
        return _times_ns(np.arange(steps), steps, self.dt_s, self.end_ns)

    def label_means_v(self, labels: int, neuron_label: Indices) -> tuple[float, ...] | None:
        """Return the mean potential of each label's neurons at the end of the frame, volts.

        NaN for a label without neurons; None for a frame without steps and for another number of
        neurons.
        """
        if not len(self.potential_v) or self.layout != len(neuron_label):
            return None
        last = self.potential_v[-1]
        groups = [last[neuron_label == label] for label in range(labels)]
        return tuple(float(group.mean()) if group.size else float("nan") for group in groups)


class SpikeFrame(NamedTuple):
    """Spikes of one layer in one frame: spike k of `neuron[k]` in step `step[k]` of `steps`.

    `end_ns` is the stamp of the frame, the time of its last step.
    """

    end_ns: int
    dt_s: float
    steps: int
    step: Indices
    neuron: Indices
    size: int

    @property
    def layout(self) -> Hashable:
        """Number of neurons."""
        return self.size

    @property
    def start_ns(self) -> int:
        """Begin of the first step."""
        return self.end_ns - round(self.steps * self.dt_s * NANOSECONDS)

    @property
    def times_ns(self) -> Times:
        """Time of each spike."""
        return _times_ns(self.step, self.steps, self.dt_s, self.end_ns)


class ScoreFrame(NamedTuple):
    """Scores (0..1) and spike rates (Hz) of every label in one frame, whose stamp is `end_ns`.

    `confidence` is 0 for an undecided face.
    """

    end_ns: int
    labels: tuple[str, ...]
    scores: tuple[float, ...]
    rates_hz: tuple[float, ...]
    confidence: float = 1.0

    @property
    def layout(self) -> Hashable:
        """The labels."""
        return self.labels

    @property
    def start_ns(self) -> int:
        """Stamp of the frame."""
        return self.end_ns


class _Frame(Protocol):
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def layout(self) -> Hashable: ...


Frame = TypeVar("Frame", bound=_Frame)


class FrameLog(deque[Frame]):
    """Frames of the last `span_s` seconds before the newest, oldest first."""

    def __init__(self, span_s: float) -> None:
        super().__init__(maxlen=MAX_FRAMES)
        self.span_s = span_s

    @property
    def end_ns(self) -> int | None:
        """End of the newest frame, None without frames."""
        return self[-1].end_ns if self else None

    def add(self, frame: Frame) -> None:
        """Keep a frame. An earlier stamp or another layout clears the log first."""
        if self and (frame.end_ns < self[-1].end_ns or frame.layout != self[-1].layout):
            self.clear()
        self.append(frame)
        oldest_ns = frame.end_ns - round(self.span_s * NANOSECONDS)
        while self[0].end_ns < oldest_ns:
            self.popleft()

    def last(self, span_s: float, end_ns: int) -> list[Frame]:
        """Return the frames that overlap the `span_s` seconds before `end_ns`, oldest first."""
        begin_ns = end_ns - round(span_s * NANOSECONDS)
        return [frame for frame in self if frame.end_ns > begin_ns and frame.start_ns <= end_ns]


class FaceHistory:
    """What is remembered of one face; `span_s` seconds of potentials and spikes."""

    def __init__(self, span_s: float) -> None:
        self.potentials: FrameLog[PotentialFrame] = FrameLog(span_s)
        self.spikes: FrameLog[SpikeFrame] = FrameLog(span_s)
        self.feature_spikes: FrameLog[SpikeFrame] = FrameLog(span_s)
        self.scores: FrameLog[ScoreFrame] = FrameLog(SCORE_SPAN_S)

    def set_span(self, span_s: float) -> None:
        """Remember for longer or shorter from the next frame on."""
        for log in (self.potentials, self.spikes, self.feature_spikes):
            log.span_s = span_s

    def window(self, span_s: float) -> tuple[Traces | None, Raster | None]:
        """Return potentials and spikes of the last `span_s` seconds, None for what is unknown.

        Both end with the newest frame of either, so that they share one time axis.
        """
        ends = [log.end_ns for log in (self.potentials, self.spikes) if log.end_ns is not None]
        if not ends:
            return None, None
        end_ns = max(ends)
        return (
            traces(self.potentials.last(span_s, end_ns), end_ns),
            raster(self.spikes.last(span_s, end_ns), end_ns),
        )

    def feature_raster(self, span_s: float) -> Raster | None:
        """Return the spikes of the feature layer, None if it is not published."""
        end_ns = self.feature_spikes.end_ns
        return None if end_ns is None else raster(self.feature_spikes.last(span_s, end_ns), end_ns)

    def score_history(self) -> ScoreHistory | None:
        """Return scores and rates, None before the first result."""
        end_ns = self.scores.end_ns
        if end_ns is None:
            return None
        # Frames have no length: one more nanosecond keeps the oldest.
        frames = self.scores.last(SCORE_SPAN_S + 1 / NANOSECONDS, end_ns)
        return ScoreHistory(
            np.array([(frame.start_ns - end_ns) / NANOSECONDS for frame in frames]),
            frames[-1].labels,
            np.array([frame.scores for frame in frames], np.float32),
            np.array([frame.rates_hz for frame in frames], np.float32),
            np.array([frame.confidence for frame in frames], np.float32),
        )


class FaceHistories(OrderedDict[int, FaceHistory]):
    """The histories of the remembered faces by id, the one seen last at the end."""

    def __init__(self, span_s: float) -> None:
        super().__init__()
        self._span_s = span_s

    def face(self, face_id: int) -> FaceHistory:
        """Return the history of a face and count it as seen; a new one for a new face."""
        history = self.setdefault(face_id, FaceHistory(self._span_s))
        self.move_to_end(face_id)
        while len(self) > MAX_FACES:
            self.popitem(last=False)
        return history

    def set_span(self, span_s: float) -> None:
        """Remember for longer or shorter from the next frame on."""
        self._span_s = span_s
        for history in self.values():
            history.set_span(span_s)


class SimulationLag:
    """How much of the time between stamps the network did not simulate, over the last seconds."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, float]] = deque()

    def add(self, stamp_ns: int, simulated_s: float) -> None:
        """Count a frame that was simulated for `simulated_s`."""
        if self._frames and stamp_ns < self._frames[-1][0]:
            self._frames.clear()
        self._frames.append((stamp_ns, simulated_s))
        while stamp_ns - self._frames[0][0] > _LAG_WINDOW_S * NANOSECONDS:
            self._frames.popleft()

    @property
    def lag_s(self) -> float:
        """Seconds that were not simulated; 0 before the second frame."""
        if not self._frames:
            return 0.0
        # The first frame was simulated before the window.
        simulated_s = sum(simulated for _, simulated in self._frames) - self._frames[0][1]
        return max((self._frames[-1][0] - self._frames[0][0]) / NANOSECONDS - simulated_s, 0.0)


def traces(frames: list[PotentialFrame], end_ns: int) -> Traces | None:
    """Join frames of potentials into one trace, with a row of NaN in each gap."""
    if not frames:
        return None
    times: list[Seconds] = []
    values: list[Floats] = []
    glances_s: list[float] = []
    gap_ends = set(_gaps_s(frames, end_ns)[:, 1].tolist())
    for frame in frames:
        start_s = (frame.start_ns - end_ns) / NANOSECONDS
        if start_s in gap_ends:
            times.append(np.array([start_s]))
            values.append(np.full((1, frame.potential_v.shape[1]), np.nan, np.float32))
        if np.abs(frame.potential_v[0] - frame.v_rest_v).max() < _REST_V:
            glances_s.append(start_s)
        # A step's value is that at its end.
        steps = np.arange(1, len(frame.potential_v) + 1, dtype=np.float64)
        times.append(start_s + frame.dt_s * steps)
        values.append(frame.potential_v)
    newest = frames[-1]
    return Traces(
        np.concatenate(times),
        np.concatenate(values),
        newest.threshold_v,
        newest.v_rest_v,
        newest.v_reset_v,
        np.array(glances_s),
    )


def raster(frames: list[SpikeFrame], end_ns: int) -> Raster | None:
    """Join frames of spikes into one raster."""
    if not frames:
        return None
    times = [
        (frame.start_ns - end_ns) / NANOSECONDS + frame.dt_s * (frame.step + 1) for frame in frames
    ]
    return Raster(
        np.concatenate(times),
        np.concatenate([frame.neuron for frame in frames]),
        frames[-1].size,
        _gaps_s(frames, end_ns),
    )


def _gaps_s(frames: Sequence[PotentialFrame | SpikeFrame], end_ns: int) -> Seconds:
    """Return begin and end of the times between frames that were not simulated, (gaps, 2)."""
    pairs = [
        (before.end_ns - end_ns, after.start_ns - end_ns)
        for before, after in itertools.pairwise(frames)
        if abs(after.start_ns - before.end_ns) > _JOIN_STEPS * after.dt_s * NANOSECONDS
    ]
    return np.array(pairs, float).reshape(-1, 2) / NANOSECONDS
