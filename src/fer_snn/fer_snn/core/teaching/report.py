"""What a network has learnt: lessons, and how far its weights have moved."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from fer_snn.core.model import Model
from fer_snn.core.neurons.lif import Float32s


@dataclass(frozen=True)
class WeightChange:
    """Change of the weights of a projection.

    Attributes
    ----------
    changed, size : number of synapses that differ, and of all synapses.
    change : sum of |change| over sum of |weight|.
    """

    changed: int
    size: int
    change: float


@dataclass(frozen=True)
class Report:
    """What was learnt since the weights were loaded or restored.

    Attributes
    ----------
    lessons, rehearsed : number of faces that were learnt, and learnt again, by label.
    fields : change of the receptive field of each label, as in `field_changes`.
    projections : change of each projection.
    """

    lessons: Counter[str]
    rehearsed: Counter[str]
    fields: dict[str, float]
    projections: list[WeightChange]


def weight_changes(before: Model, now: Model) -> list[WeightChange]:
    """Return the change of each projection, without the synapses of neurons that were added."""
    changes = []
    for a, b in zip(before.stages, now.stages, strict=True):
        width = a.weights.shape[1]
        difference = np.abs(b.weights[:, :width] - a.weights)
        total = float(np.abs(a.weights).sum())
        change = float(difference.sum()) / total if total else math.nan
        changes.append(WeightChange(int(np.count_nonzero(difference)), a.weights.size, change))
    return changes


def field_changes(before: Model, now: Model) -> dict[str, float]:
    """Return the change of the receptive field of each label.

    Returns
    -------
    |now - before| / |before| by label; NaN for a label that is new.
    """
    old = dict(zip(before.labels, before.receptive_fields(), strict=True))
    new = dict(zip(now.labels, now.receptive_fields(), strict=True))
    return {label: _relative(old.get(label), field) for label, field in new.items()}


def _relative(before: Float32s | None, now: Float32s) -> float:
    if before is None:
        return math.nan
    norm = float(np.linalg.norm(before))
    return float(np.linalg.norm(now - before)) / norm if norm else math.nan
