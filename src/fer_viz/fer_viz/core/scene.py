"""What is drawn, as plain data without ROS.

Times are seconds before the end of the frame that is shown (so <= 0), potentials volts, rates Hz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Seconds = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: The layer whose potentials and spikes are shown.
EXPRESSION_LAYER = "expression"
#: Label index of a neuron without a label.
UNNAMED = -1
#: The layer whose spikes are shown on request.
FEATURE_LAYER = "feature"
#: Answers that are later than this are late, ms.
LATE_MS = 150.0
#: More simulated time than this must not be missing in the last seconds.
_LAG_S = 0.25
#: The first entry of `ReceptiveFields.choices`.
ALL_ORIENTATIONS = "all orientations"


@dataclass(frozen=True)
class Face:
    """A face and its result.

    Attributes
    ----------
    id : track id.
    box_px : x, y, width, height in the source image.
    label : predicted label, empty as long as there is no result.
    label_index : its index in `labels`, -1 for an undecided face.
    confidence : 0..1, of the best label.
    labels, scores, rates_hz : one entry for each label.
    landmarks_px : (k, 2) points in the source image, right eye and left eye first; empty where
        unknown.
    """

    id: int
    box_px: tuple[int, int, int, int]
    label: str = ""
    label_index: int = -1
    confidence: float = 0.0
    labels: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    rates_hz: tuple[float, ...] = ()
    landmarks_px: Floats = field(default_factory=lambda: np.empty((0, 2), np.float32))

    @property
    def area_px(self) -> int:
        """Area of the box, pixels."""
        return self.box_px[2] * self.box_px[3]


def selected_face(faces: Sequence[Face], wanted_id: int) -> Face | None:
    """Return the wanted face, else the largest, None where there is no face."""
    by_id = {face.id: face for face in faces}
    return by_id.get(wanted_id) or max(faces, key=lambda face: face.area_px, default=None)


@dataclass(frozen=True)
class Traces:
    """Membrane potentials of one layer for one face.

    Attributes
    ----------
    time_s : (steps,), ascending.
    potential_v : (steps, neurons); a row of NaN separates pieces with a gap between them.
    threshold_v : (neurons,) at the newest step.
    v_rest_v, v_reset_v : constants of the neurons.
    glances_s : (glances,) when all neurons were put to rest.
    """

    time_s: Seconds
    potential_v: Floats
    threshold_v: Floats
    v_rest_v: float
    v_reset_v: float
    glances_s: Seconds = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Raster:
    """Spikes of one layer for one face: event k is a spike of `neuron[k]` at `time_s[k]`.

    `gaps_s` (gaps, 2) has begin and end of the times that were not simulated.
    """

    time_s: Seconds
    neuron: Indices
    size: int
    gaps_s: Seconds = field(default_factory=lambda: np.empty((0, 2)))

    def last(self, span_s: float) -> Raster:
        """Return the spikes of the last `span_s` seconds."""
        inside = (self.time_s >= -span_s) & (self.time_s <= 0)
        return replace(self, time_s=self.time_s[inside], neuron=self.neuron[inside])

    def rate_hz(self, span_s: float) -> float:
        """Return the mean rate of a neuron over the last `span_s` seconds."""
        return len(self.last(span_s).time_s) / span_s / max(self.size, 1)


@dataclass(frozen=True)
class ReceptiveFields:
    """Receptive field of every label, summed over all channels and over each orientation.

    Attributes
    ----------
    version : version of the weights.
    labels : one for each row of `maps`.
    maps : (choices, labels, rows, cols): weights of ON channels minus those of OFF channels.
    neuron_label : (neurons,) index into `labels` of each expression neuron, or `UNNAMED`.
    choices : `ALL_ORIENTATIONS`, then the orientations, such as "22.5°".
    """

    version: int
    labels: tuple[str, ...]
    maps: Floats
    neuron_label: Indices
    choices: tuple[str, ...] = (ALL_ORIENTATIONS,)

    def beyond_the_mean(self, choice: str) -> Floats:
        """Return what each label sees beyond the mean label, (labels, rows, cols).

        Parameters
        ----------
        choice : one of `choices`; any other means the first.
        """
        index = self.choices.index(choice) if choice in self.choices else 0
        maps = self.maps[index]
        return maps - maps.mean(axis=0) if len(maps) > 1 else maps


@dataclass(frozen=True)
class FeatureMap:
    """Features of one face.

    Attributes
    ----------
    energy : (orientations, rows, cols), mean over the scales. One orientation where they are
        unknown.
    """

    energy: Floats

    @property
    def strokes(self) -> tuple[Floats, Floats]:
        """Dominant direction of each cell, radians, and its strength 0..1; both (rows, cols).

        This is the vector sum of the orientations with doubled angles: 0 and 180 degrees are the
        same orientation.
        """
        count = len(self.energy)
        angle = 2 * np.pi * np.arange(count) / count
        across = np.tensordot(np.cos(angle), self.energy, (0, 0))
        along = np.tensordot(np.sin(angle), self.energy, (0, 0))
        strength = np.hypot(across, along)
        peak = float(strength.max(initial=0.0))
        return np.arctan2(along, across) / 2, strength / peak if peak > 0 else strength


@dataclass(frozen=True)
class ScoreHistory:
    """Scores and spike rates of one face over the last seconds.

    Attributes
    ----------
    time_s : (results,), seconds before the newest result, so <= 0, ascending.
    labels : one for each column.
    scores : (results, labels), 0..1.
    rates_hz : (results, labels).
    confidence : (results,), 0..1; 0 for an undecided face.
    """

    time_s: Seconds
    labels: tuple[str, ...]
    scores: Floats
    rates_hz: Floats
    confidence: Floats


def label_name(labels: Sequence[str], index: int) -> str:
    """Return the name of a label, "unnamed" for an index outside."""
    return labels[index] if 0 <= index < len(labels) else "unnamed"


class Note(NamedTuple):
    """A sentence for the user: what was done, or why it was not."""

    text: str
    good: bool


@dataclass(frozen=True)
class NetworkSummary:
    """Model, labels and learning mode ("off", "unsupervised" or "supervised") of the network."""

    model: str
    labels: tuple[str, ...]
    learning: str


@dataclass(frozen=True)
class SceneStatus:
    """How well the graph runs. NaN: unknown.

    Attributes
    ----------
    rate_hz : results per second.
    latency_ms : from the stamp of the image to the result, median of the last seconds.
    skipped : frames skipped by any node since the start.
    lag_s : time between stamps that was not simulated in the last seconds.
    hint : what is missing and what to do, empty if nothing is missing.
    """

    rate_hz: float = 0.0
    latency_ms: float = math.nan
    skipped: int = 0
    hint: str = ""
    lag_s: float = math.nan

    @property
    def figures(self) -> tuple[str, str, str]:
        """Rate, latency and skipped frames as text."""
        latency = "…" if math.isnan(self.latency_ms) else f"{self.latency_ms:.0f}"
        return f"{self.rate_hz:.0f} fps", f"latency {latency} ms", f"{self.skipped} skipped"

    @property
    def problem(self) -> str:
        """What is wrong and what to do, empty when all is well."""
        if self.hint:
            return self.hint
        if self.latency_ms > LATE_MS:
            return (
                f"answers are late ({self.latency_ms:.0f} ms): this computer is busy, "
                "or the camera's images arrive late"
            )
        if self.lag_s > _LAG_S:
            return (
                f"{self.lag_s:.1f} s of the last 5 s were not simulated: "
                "the network is slower than the camera"
            )
        return ""


@dataclass(frozen=True)
class Scene:
    """Everything that belongs to one image.

    Attributes
    ----------
    faces : in order of id.
    focus : the face whose data are shown in detail, None where there is none.
    span_s : length of traces and rasters.
    feature_raster : only while the network publishes it.
    """

    faces: tuple[Face, ...] = ()
    focus: Face | None = None
    traces: Traces | None = None
    raster: Raster | None = None
    fields: ReceptiveFields | None = None
    network: NetworkSummary | None = None
    status: SceneStatus = field(default_factory=SceneStatus)
    span_s: float = 1.0
    features: FeatureMap | None = None
    feature_raster: Raster | None = None
    scores: ScoreHistory | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the network, in order; empty as long as they are unknown."""
        if self.focus is not None and self.focus.labels:
            return self.focus.labels
        if self.fields is not None:
            return self.fields.labels
        return self.network.labels if self.network is not None else ()

    @property
    def caption(self) -> str:
        """Which face is shown and how many are in view; empty without a face."""
        others = f", {len(self.faces)} in view" if len(self.faces) > 1 else ""
        return "" if self.focus is None else f"face {self.focus.id}{others}"

    def between(self, begin_s: float, end_s: float) -> Scene:
        """Return the scene with potentials and spikes of a part of its time."""

        def moved(raster: Raster | None) -> Raster | None:
            if raster is None:
                return None
            return replace(raster, time_s=raster.time_s - end_s, gaps_s=raster.gaps_s - end_s)

        traces = self.traces
        if traces is not None:
            inside = (traces.time_s >= begin_s) & (traces.time_s <= end_s)
            traces = replace(
                traces,
                time_s=traces.time_s[inside] - end_s,
                potential_v=traces.potential_v[inside],
                glances_s=traces.glances_s[traces.glances_s <= end_s] - end_s,
            )
        return replace(
            self,
            span_s=end_s - begin_s,
            traces=traces,
            raster=moved(self.raster),
            feature_raster=moved(self.feature_raster),
        )

    def missing(self, what: str) -> str:
        """Say why there is no `what` to show."""
        if self.focus is not None:
            return f"no {what} yet"
        return "no results" if self.status.hint else "no face in view"
