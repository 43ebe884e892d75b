"""What happened in the last moments, per face, by simulated time. Everything is bounded.

The clock is that of the stamps: a frame of `steps` steps of `dt` seconds begins at its stamp. A
stamp that jumps back (a bag that loops) begins the history again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from fer_viz.core.scene import Floats, Indices, Raster, Seconds, Traces

NANOSECONDS = 1e9
#: Faces remembered at once; the one not seen for longest makes room.
MAX_FACES = 16
#: Frames remembered of a face, whatever their stamps claim.
MAX_FRAMES = 4096
#: Pieces join when the gap between them is below this many steps; stamps jitter against the steps.
_JOIN_STEPS = 2.5


class PotentialFrame(NamedTuple):
    """Potentials (steps, neurons) and thresholds (neurons,) of one layer in one frame."""

    start_ns: int
    dt_s: float
    potential_v: Floats
    threshold_v: Floats
    v_rest_v: float
    v_reset_v: float

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(self.potential_v.shape[1])

    @property
    def end_ns(self) -> int:
        """When the last step ends."""
        return self.start_ns + round(len(self.potential_v) * self.dt_s * NANOSECONDS)


class SpikeFrame(NamedTuple):
    """Spikes of one layer in one frame, as address events; `steps` is the length of the frame."""

    start_ns: int
    dt_s: float
    steps: int
    step: Indices
    neuron: Indices
    size: int

    @property
    def end_ns(self) -> int:
        """When the last step ends."""
        return self.start_ns + round(self.steps * self.dt_s * NANOSECONDS)


class ScoreFrame(NamedTuple):
    """Scores of every label in one frame."""

    start_ns: int
    scores: Floats

    @property
    def size(self) -> int:
        """Number of labels."""
        return len(self.scores)

    @property
    def end_ns(self) -> int:
        """A score holds from its stamp on."""
        return self.start_ns


class _Frame(Protocol):
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...
    @property
    def size(self) -> int: ...


Frame = TypeVar("Frame", bound=_Frame)


class FrameLog(Generic[Frame]):
    """Frames of the last `span_s` seconds before the newest, oldest first."""

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self._frames: deque[Frame] = deque(maxlen=MAX_FRAMES)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def newest(self) -> Frame | None:
        """The frame that came last."""
        return self._frames[-1] if self._frames else None

    def add(self, frame: Frame) -> None:
        """Keep a frame. Begins again where the stamp goes back or the size is another."""
        newest = self.newest
        if newest is not None and (frame.start_ns < newest.start_ns or frame.size != newest.size):
            self._frames.clear()
        self._frames.append(frame)
        oldest_ns = frame.end_ns - round(self.span_s * NANOSECONDS)
        while self._frames[0].end_ns < oldest_ns:
            self._frames.popleft()

    def between(self, begin_ns: int, end_ns: int) -> list[Frame]:
        """Return the frames that touch a time span, oldest first."""
        return [
            frame for frame in self._frames if frame.end_ns > begin_ns and frame.start_ns <= end_ns
        ]


@dataclass
class FaceLog:
    """What is remembered of one face."""

    span_s: float
    potentials: FrameLog[PotentialFrame] = field(init=False)
    spikes: FrameLog[SpikeFrame] = field(init=False)
    scores: FrameLog[ScoreFrame] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.potentials = FrameLog(self.span_s)
        self.spikes = FrameLog(self.span_s)
        self.scores = FrameLog(self.span_s)

    @property
    def end_ns(self) -> int | None:
        """End of the newest frame of potentials or spikes, None before the first."""
        ends = [
            log.newest.end_ns for log in (self.potentials, self.spikes) if log.newest is not None
        ]
        return max(ends, default=None)

    def set_span(self, span_s: float) -> None:
        """Remember for longer or shorter from the next frame on."""
        self.span_s = span_s
        for log in (self.potentials, self.spikes, self.scores):
            log.span_s = span_s


class History:
    """Potentials, spikes and scores of every face, for `span_s` seconds."""

    def __init__(self, span_s: float) -> None:
        self._span_s = span_s
        self._faces: OrderedDict[int, FaceLog] = OrderedDict()

    @property
    def faces(self) -> tuple[int, ...]:
        """Faces that are remembered, the one seen last at the end."""
        return tuple(self._faces)

    def face(self, face_id: int) -> FaceLog:
        """Return the log of a face, a new one for a face that was not seen before."""
        log = self._faces.get(face_id)
        if log is None:
            log = self._faces[face_id] = FaceLog(self._span_s)
        self._faces.move_to_end(face_id)
        while len(self._faces) > MAX_FACES:
            self._faces.popitem(last=False)
        return log

    def set_span(self, span_s: float) -> None:
        """Remember for longer or shorter from the next frame on."""
        self._span_s = span_s
        for log in self._faces.values():
            log.set_span(span_s)

    def clear(self) -> None:
        """Forget everything."""
        self._faces.clear()

    def window(self, face_id: int, span_s: float) -> tuple[Traces | None, Raster | None]:
        """Return potentials and spikes of a face in the last `span_s` seconds.

        None stands for what is not known. Both end with the newest frame of either, so that they
        share one time axis.
        """
        log = self._faces.get(face_id)
        end_ns = None if log is None else log.end_ns
        if log is None or end_ns is None:
            return None, None
        begin_ns = end_ns - round(span_s * NANOSECONDS)
        return traces(log.potentials.between(begin_ns, end_ns), end_ns), raster(
            log.spikes.between(begin_ns, end_ns), end_ns
        )


def traces(frames: list[PotentialFrame], end_ns: int) -> Traces | None:
    """Join frames of potentials into one trace, with a row of NaN wherever two do not meet."""
    if not frames:
        return None
    times: list[Seconds] = []
    values: list[Floats] = []
    expected_ns: int | None = None
    for frame in frames:
        start_s = (frame.start_ns - end_ns) / NANOSECONDS
        slack_ns = _JOIN_STEPS * frame.dt_s * NANOSECONDS
        if expected_ns is not None and abs(frame.start_ns - expected_ns) > slack_ns:
            times.append(np.array([start_s]))
            values.append(np.full((1, frame.size), np.nan, np.float32))
        # A step's value is that at its end.
        steps = np.arange(1, len(frame.potential_v) + 1, dtype=np.float64)
        times.append(start_s + frame.dt_s * steps)
        values.append(frame.potential_v)
        expected_ns = frame.end_ns
    newest = frames[-1]
    return Traces(
        np.concatenate(times),
        np.concatenate(values),
        newest.threshold_v,
        newest.v_rest_v,
        newest.v_reset_v,
    )


def raster(frames: list[SpikeFrame], end_ns: int) -> Raster | None:
    """Join frames of spikes into one raster."""
    if not frames:
        return None
    times = [(frame.start_ns - end_ns) / NANOSECONDS + frame.dt_s * frame.step for frame in frames]
    return Raster(
        np.concatenate(times), np.concatenate([frame.neuron for frame in frames]), frames[-1].size
    )
