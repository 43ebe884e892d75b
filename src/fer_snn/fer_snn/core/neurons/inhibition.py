"""Inhibition: makes the neurons of a layer respond to different inputs.

Feed-forward inhibition subtracts a share of the mean current of the layer from every neuron:

    I_j <- I_j - beta mean_k(I_k)

Lateral inhibition subtracts a share of the current of the most active neuron from all others:

    I_j <- I_j - alpha I_m        j != m, I_m > 0

The most active neuron, m = argmax_k(R_m I_k - theta_k), is the one that is furthest above its
threshold, so a neuron that has adapted until it cannot fire does not silence those that can. Among
equals it is the one with the lowest index.

References: Maass, On the computational power of winner-take-all, 2000; Diehl and Cook, Unsupervised
learning of digit recognition using spike-timing-dependent plasticity, 2015.
"""

from __future__ import annotations

import numpy as np

from fer_snn.core.neurons.lif import Float32s

LANES = 16
"""Number of interleaved partial sums, which a processor adds in parallel."""


def lane_sum(values: Float32s) -> np.float32:
    """Return the sum of `values` (n) in float32, in a fixed order: first `LANES` partial sums."""
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
    """Return the currents (n, amperes) minus `beta` times their mean."""
    mean = lane_sum(current) / np.float32(len(current))
    return current - beta * mean


def lateral(current: Float32s, theta: Float32s, r_m: np.float32, alpha: np.float32) -> Float32s:
    """Return the currents (n, amperes); `alpha` times the winner's is subtracted from the others.

    Parameters
    ----------
    theta : adaptive threshold of each neuron, volts above V_th (n).
    r_m : membrane resistance, ohms.
    """
    winner = int(np.argmax(r_m * current - theta))
    strongest = current[winner]
    if not strongest > 0:
        return current
    reduced = current - alpha * strongest
    reduced[winner] = strongest
    return reduced
