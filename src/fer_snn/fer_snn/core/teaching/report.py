"""How far a network has moved from what it was."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fer_snn.core.model import Model
from fer_snn.core.network import Network
from fer_snn.core.neurons.lif import Float32s


@dataclass(frozen=True)
class ProjectionMoved:
    """Change of a projection.

    Attributes
    ----------
    changed, size : synapses that differ, and synapses.
    change : sum of the changes over the sum of the weights, both without signs.
    """

    changed: int
    size: int
    change: float


def projections_moved(before: Model, now: Model) -> list[ProjectionMoved]:
    """Return the change of each projection; synapses of neurons that were added are left out."""
    moved = []
    for a, b in zip(before.stages, now.stages, strict=True):
        width = a.weights.shape[1]
        difference = np.abs(b.weights[:, :width] - a.weights)
        total = float(np.abs(a.weights).sum())
        change = float(difference.sum()) / total if total else math.nan
        moved.append(ProjectionMoved(int(np.count_nonzero(difference)), a.weights.size, change))
    return moved


def fields_moved(before: Network, now: Network) -> dict[str, float]:
    """Return how far the receptive field of each label has moved.

    Returns
    -------
    |now - before| / |before| by label, NaN for a label that was not there.
    """
    old = dict(zip(before.model.labels, before.receptive_fields(), strict=True))
    new = dict(zip(now.model.labels, now.receptive_fields(), strict=True))
    return {label: _relative(old.get(label), field) for label, field in new.items()}


def _relative(before: Float32s | None, now: Float32s) -> float:
    if before is None:
        return math.nan
    norm = float(np.linalg.norm(before))
    return float(np.linalg.norm(now - before)) / norm if norm else math.nan
