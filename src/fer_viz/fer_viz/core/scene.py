"""What is drawn: plain data without ROS, the same for the overlay and for any window.

Times are seconds relative to the end of the frame that is shown (so <= 0), potentials volts, rates
Hz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Seconds = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Stands in `neuron_label` for a neuron that has no label.
UNNAMED = -1


@dataclass(frozen=True)
class Face:
    """A face and what the network says of it.

    Attributes
    ----------
    id : track id.
    box_px : x, y, width, height in the source image.
    label : what the network says, empty where nothing was said of this face yet.
    label_index : its place in `labels`, -1 where the network is undecided.
    confidence : 0..1, of the best label.
    labels, scores, rates_hz : one entry for each label.
    landmarks_px : (k, 2) points in the source image, right eye and left eye first; empty where not
    known.
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


@dataclass(frozen=True)
class Traces:
    """Membrane potentials of one layer for one face.

    Attributes
    ----------
    time_s : (steps,), ascending.
    potential_v : (steps, neurons); a row of NaN parts pieces that do not join.
    threshold_v : (neurons,) at the newest step.
    v_rest_v, v_reset_v : constants of the neurons.
    """

    time_s: Seconds
    potential_v: Floats
    threshold_v: Floats
    v_rest_v: float
    v_reset_v: float


@dataclass(frozen=True)
class Raster:
    """Spikes of one layer for one face: event k is a spike of `neuron[k]` at `time_s[k]`."""

    time_s: Seconds
    neuron: Indices
    size: int


@dataclass(frozen=True)
class ReceptiveFields:
    """What every label sees in the face.

    Attributes
    ----------
    version : version of the weights.
    labels : one for each map.
    maps : (labels, rows, cols): weights of ON channels less those of OFF channels, summed.
    neuron_label : (neurons,) index into `labels` of each expression neuron, `UNNAMED` for none.
    """

    version: int
    labels: tuple[str, ...]
    maps: Floats
    neuron_label: Indices


@dataclass(frozen=True)
class Network:
    """What the network is, and how it learns: "off", "unsupervised" or "supervised"."""

    model: str
    labels: tuple[str, ...]
    learning: str


@dataclass(frozen=True)
class Status:
    """How the graph does. NaN: not known.

    Attributes
    ----------
    rate_hz : answers per second.
    latency_ms : from the image's stamp to the answer, median of the last seconds.
    skipped : frames passed over by any node since the start.
    hint : what is missing and what to do, empty when all is well.
    """

    rate_hz: float = 0.0
    latency_ms: float = math.nan
    skipped: int = 0
    hint: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything that goes with one image.

    Attributes
    ----------
    faces : in order of id.
    focus : the face that the panel is about, None where there is none.
    span_s : how far back traces and raster reach.
    """

    faces: tuple[Face, ...] = ()
    focus: Face | None = None
    traces: Traces | None = None
    raster: Raster | None = None
    fields: ReceptiveFields | None = None
    network: Network | None = None
    status: Status = field(default_factory=Status)
    span_s: float = 1.0

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that can be said, in order; empty where nobody has told yet."""
        if self.focus is not None and self.focus.labels:
            return self.focus.labels
        if self.fields is not None:
            return self.fields.labels
        return self.network.labels if self.network is not None else ()
