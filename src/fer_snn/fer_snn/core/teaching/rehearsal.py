"""Faces that are kept and shown again while another expression is taught.

A network that learns one label overwrites what it knew of the others, because they share neurons
(McCloskey and Cohen 1989). Therefore a few faces of each label are kept, and after each lesson one
of another label is learnt again (rehearsal and pseudo-rehearsal, Robins, Connection Science 7,
1995). The faces come from lessons and from the stream: a face of which the network was sure stands
for the label of its answer. The teacher knows better than the network: a kept face that looks like
one taught under another label is forgotten.
"""

from __future__ import annotations

from collections import deque
from itertools import chain

import numpy as np

from fer_snn.core.neurons.lif import Float32s

PER_LABEL = 16
LIKENESS = 0.15
"""Two faces with a relative distance |a - b| / |b| below this show the same expression. Measured on
the demo clip: the same expression 0.1 s later 0.11, one eye closed at least 0.15."""


class RehearsalMemory:
    """A few faces of each label."""

    def __init__(self, per_label: int = PER_LABEL) -> None:
        """Start empty; each label keeps its last `per_label` faces."""
        self._per_label = per_label
        self._faces: dict[str, deque[Float32s]] = {}
        self._turn = 0

    def __len__(self) -> int:
        """Return the number of faces."""
        return sum(map(len, self._faces.values()))

    def keep(self, label: str, features: Float32s) -> None:
        """Keep a face; it replaces the oldest of its label if there are too many."""
        kept = self._faces.setdefault(label, deque(maxlen=self._per_label))
        kept.append(features.copy())

    def forget_like(self, features: Float32s, label: str) -> None:
        """Forget faces of other labels that look like this one."""
        limit = LIKENESS * float(np.linalg.norm(features))
        for other, kept in self._faces.items():
            if other != label:
                different = [face for face in kept if np.linalg.norm(face - features) >= limit]
                kept.clear()
                kept.extend(different)

    def next_besides(self, label: str) -> tuple[str, Float32s] | None:
        """Return a face of another label, or None. Labels and faces take turns."""
        others = [(name, kept) for name, kept in self._faces.items() if kept and name != label]
        if not others:
            return None
        name, kept = others[self._turn % len(others)]
        self._turn += 1
        kept.rotate(-1)
        return name, kept[-1]

    def labels(self) -> tuple[str, ...]:
        """Return the label of each face that is kept."""
        return tuple(chain.from_iterable([name] * len(kept) for name, kept in self._faces.items()))
