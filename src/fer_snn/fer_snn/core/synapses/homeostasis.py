"""Homeostasis: the input strength of every neuron is kept, and so is what it knows.

Scaling keeps the total input strength constant:

    w_ij <- w_ij S_target / sum_k |w_kj|

What one synapse of a neuron gains, the others lose, so synapses compete instead of growing without
limit. A neuron whose weights are all 0 is not changed.

Weights are then clipped to [w_min, w_max]. What clipping took is made up for by the other weights:
scaling and clipping are repeated, at most `ROUNDS` times, until nothing is clipped. A norm that the
bounds do not allow is approached as far as they do.

Consolidation: while a network learns without labels, its weights return to those that it knows,
which were loaded or taught:

    w_ij <- w_ij + (w_known_ij - w_ij) (1 - exp(-dt / tau_w))

Learning at a steady rate moves a weight by at most that rate times tau_w. So somebody who stares
for hours changes no more than somebody who stares for a few tau_w. What differs from the known
weights is the fast part of the memory, and the known weights are its slow part.

References: Turrigiano, The self-tuning neuron: synaptic scaling of excitatory synapses, 2008; Benna
and Fusi, Computational principles of synaptic memory consolidation, 2016.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.lif import Float32s

ROUNDS = 4
"""Most repetitions in one call; what is missing then is made up for in the next call."""


_UNBOUNDED = (np.float32(-np.inf), np.float32(np.inf))


def l1_norms(weights: Float32s) -> NDArray[np.float64]:
    """Return sum_k |w_kj| of every postsynaptic neuron (n_post) for weights (n_pre, n_post)."""
    # Summed row by row in double precision, because `sum` may use another order.
    running: NDArray[np.float64] = np.abs(weights).astype(np.float64).cumsum(axis=0)
    return running[-1]


def scaled(
    weights: Float32s,
    s_target: float,
    w_min: np.float32 = _UNBOUNDED[0],
    w_max: np.float32 = _UNBOUNDED[1],
) -> Float32s:
    """Return weights (n_pre, n_post) within bounds, each column scaled to the norm `s_target`."""
    for _ in range(ROUNDS):
        norms = l1_norms(weights)
        factors = np.divide(s_target, norms, out=np.ones_like(norms), where=norms > 0)
        unbounded = weights * factors.astype(np.float32)
        weights = np.clip(unbounded, w_min, w_max)
        if np.array_equal(weights, unbounded):
            break
    return weights


def consolidated(weights: Float32s, known: Float32s, elapsed: float) -> Float32s:
    """Return weights after a return to `known` (same shape) for `elapsed` time constants."""
    returned = weights + share_returned(elapsed) * (known - weights)
    # Rounding must not lead beyond the known weights, which are within bounds.
    return np.clip(returned, np.minimum(weights, known), np.maximum(weights, known))


def share_returned(elapsed: float) -> np.float32:
    """Return which share of the distance to the known weights is made up for."""
    return np.float32(-math.expm1(-elapsed))
