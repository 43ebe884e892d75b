"""A spiking network as plain Python objects: one object a neuron, one a synapse.

A peer, with the equations of the program that fer grew out of: Euler's method for the membrane,
and pair STDP from the times of the last spikes of both neurons.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

DT, TAU_M, R_M = 0.001, 0.020, 1.0
V_REST, V_TH, V_RESET, T_REF = -0.070, -0.050, -0.075, 0.002
A_PRE, A_POST, TAU_PRE, TAU_POST = 0.005, -0.002, 0.020, 0.020
W_MIN, W_MAX = 0.0, 1.0


class Neuron:
    """tau_m dV/dt = -(V - V_rest) + R_m I."""

    def __init__(self) -> None:
        self.v = V_REST
        self.last_spike = -math.inf

    def step(self, current: float, now: float) -> bool:
        """Advance by DT; return whether it fired."""
        if now - self.last_spike <= T_REF:
            self.v = V_RESET
            return False
        self.v += DT / TAU_M * (V_REST - self.v + R_M * current)
        if self.v < V_TH:
            return False
        self.v = V_RESET
        self.last_spike = now
        return True


class Synapse:
    """A weight from one neuron to another, changed by the pairs of their spikes."""

    def __init__(self, pre: Neuron, post: Neuron, weight: float) -> None:
        self.pre, self.post, self.weight = pre, post, weight

    def learn(self, now: float) -> None:
        """Apply the spike pair that a spike at `now` completes."""
        difference = self.post.last_spike - self.pre.last_spike
        if max(self.post.last_spike, self.pre.last_spike) != now or math.isinf(difference):
            return
        if difference > 0:
            self.weight += A_PRE * math.exp(-difference / TAU_PRE)
        elif difference < 0:
            self.weight += A_POST * math.exp(difference / TAU_POST)
        self.weight = min(max(self.weight, W_MIN), W_MAX)


class PlainNetwork:
    """Input neurons, all connected to all output neurons."""

    def __init__(self, n_pre: int, n_post: int, gain: float, seed: int = 0) -> None:
        rng = random.Random(seed)
        self.gain = gain
        self.now = 0.0
        self.pre = [Neuron() for _ in range(n_pre)]
        self.post = [Neuron() for _ in range(n_post)]
        self.synapses = [
            [Synapse(pre, post, rng.random()) for pre in self.pre] for post in self.post
        ]

    def step(self, currents: Sequence[float], plastic: bool) -> None:
        """Advance all neurons and synapses by DT under the input neurons' currents."""
        self.now += DT
        fired = [
            neuron.step(current, self.now)
            for neuron, current in zip(self.pre, currents, strict=True)
        ]
        for neuron, inputs in zip(self.post, self.synapses, strict=True):
            arrived = sum(
                synapse.weight for synapse, spike in zip(inputs, fired, strict=True) if spike
            )
            neuron.step(self.gain * arrived, self.now)
            if plastic:
                for synapse in inputs:
                    synapse.learn(self.now)
