"""Inhibition: what keeps the neurons of a layer from all saying the same.

Feed-forward inhibition takes from every neuron a share of what the layer gets on average:

    I_j <- I_j - beta mean_k(I_k)

Lateral inhibition takes from every neuron but the most active a share of what that one gets:

    I_j <- I_j - alpha I_m        j != m, I_m > 0

The most active, m = argmax_k(R_m I_k - theta_k), is the one that is furthest above its threshold:
a neuron that adapted until it cannot fire must not silence those that can. Among equals it is the
one with the lowest index.

References: Maass, On the computational power of winner-take-all, 2000; Diehl and Cook, Unsupervised
learning of digit recognition using spike-timing-dependent plasticity, 2015.
"""

from __future__ import annotations

import numpy as np

from fer_snn.core.neurons.lif import Float32s

LANES = 16
"""A sum is made of so many interleaved partial sums, which a processor adds side by side."""


def lane_sum(values: Float32s) -> np.float32:
    """Return the sum of `values` (n) in float32 and a fixed order: `LANES` sums, then these."""
    whole = len(values) // LANES * LANES
    lanes = np.zeros(LANES, dtype=np.float32)
    for row in values[:whole].reshape(-1, LANES):
        lanes += row
    rest = values[whole:]
    lanes[: len(rest)] += rest
    total = np.float32(0)
    for lane in lanes:
        total += lane
    return total


def feed_forward(current: Float32s, beta: np.float32) -> Float32s:
    """Return the currents (n, amperes) less `beta` times their mean."""
    mean = lane_sum(current) / np.float32(len(current))
    return current - beta * mean


def lateral(current: Float32s, theta: Float32s, r_m: np.float32, alpha: np.float32) -> Float32s:
    """Return the currents (n, amperes), all but the winner's less `alpha` times the winner's.

    Parameters
    ----------
    theta:
        Of each neuron, volts above V_th (n).
    r_m:
        Membrane resistance, ohms.
    """
    winner = int(np.argmax(r_m * current - theta))
    strongest = current[winner]
    if not strongest > 0:
        return current
    reduced = current - alpha * strongest
    reduced[winner] = strongest
    return reduced
