"""Homeostasis: the total input strength of every neuron is kept constant.

    w_ij <- w_ij S_target / sum_k |w_kj|

What one synapse of a neuron gains, the others lose, so synapses compete instead of growing without
limit. A neuron whose weights are all 0 is not changed.

Reference: Turrigiano, The self-tuning neuron: synaptic scaling of excitatory synapses, 2008.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.lif import Float32s


def l1_norms(weights: Float32s) -> NDArray[np.float64]:
    """Return sum_k |w_kj| of every postsynaptic neuron (n_post) for weights (n_pre, n_post)."""
    # Summed row by row in double precision, because `sum` may use another order.
    running: NDArray[np.float64] = np.abs(weights).astype(np.float64).cumsum(axis=0)
    return running[-1]


def scaled(weights: Float32s, s_target: float) -> Float32s:
    """Return the weights (n_pre, n_post) with each column scaled to the L1 norm `s_target`."""
    norms = l1_norms(weights)
    factors = np.divide(s_target, norms, out=np.ones_like(norms), where=norms > 0)
    return weights * factors.astype(np.float32)
