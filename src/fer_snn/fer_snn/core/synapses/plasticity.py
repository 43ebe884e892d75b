"""Pair STDP of one projection during one frame, in plain NumPy; the equations stand in `stdp`."""

from __future__ import annotations

import numpy as np

from fer_snn.core.neurons.decay import decayed
from fer_snn.core.neurons.lif import Bools, Float32s
from fer_snn.core.synapses import stdp
from fer_snn.core.synapses.wiring import Wiring


class Plasticity:
    """Changes weights and traces in place; potentiation is owed until `settle`.

    In each step come `potentiate`, the arrival of the spikes, `depress`, the firing, `credit`.
    """

    def __init__(
        self,
        wiring: Wiring,
        weights: Float32s,
        trace_pre: Float32s,
        trace_post: Float32s,
        n_steps: int,
        window: stdp.STDPStep,
    ) -> None:
        """Take weights (rows, width) and the traces of both sides (n_pre) and (n_post)."""
        self._wiring, self._weights, self._window = wiring, weights, window
        self._x, self._y = trace_pre, trace_post.reshape(-1, wiring.width)
        self._credit = stdp.blank_credit(n_steps, *self._y.shape)
        self._powers = stdp.powers(window, len(self._credit))
        # Steps of the block so far, and how many they were when each neuron fired last.
        self._now = 0
        self._last = np.zeros(wiring.n_pre, dtype=np.int32)

    def potentiate(self, arrived: Bools) -> None:
        """Pay what is owed to the weights of presynaptic neurons (n_pre)."""
        row, column = self._wiring.crossed(arrived)
        pre = self._wiring.pre_of_row[row]
        credit = self._credit[self._last[pre], column]
        self._weights[row] = stdp.potentiated(
            self._weights[row], self._x[pre], credit, self._window
        )

    def depress(self, arrived: Bools) -> None:
        """Let the postsynaptic traces decay, then apply the presynaptic spikes (n_pre)."""
        self._y[:] = decayed(self._y, self._window.decay_post)
        row, column = self._wiring.crossed(arrived)
        self._weights[row] = stdp.depressed(self._weights[row], self._y[column], self._window)

    def credit(self, arrived: Bools, fired: Bools) -> None:
        """End a step in which neurons of both sides fired, (n_pre) and (n_post)."""
        by_column = fired.reshape(self._y.shape)
        self._now += 1
        # Neurons that fire in this step are paid at once, before it counts for their trace.
        x = self._x[arrived] * self._powers[self._now - self._last[arrived]]
        self._x[arrived] = x
        row, column = self._wiring.crossed(arrived)
        self._weights[row] = stdp.potentiated(
            self._weights[row],
            self._x[self._wiring.pre_of_row[row]],
            by_column[column],
            self._window,
        )
        self._x[arrived] = x + np.float32(1)
        self._y[by_column] += np.float32(1)
        self._last[arrived] = self._now
        self._credit[: self._now, by_column] += self._powers[self._now : 0 : -1, None]
        self._credit[self._now] = 0
        if self._now == stdp.BLOCK:
            self.settle()

    def settle(self) -> None:
        """Pay everything that is owed, and bring the traces up to the present step."""
        self.potentiate(self._x != 0)
        self._x[:] = decayed(self._x, self._powers[self._now - self._last])
        self._last[:] = self._now = 0
        self._credit[0] = 0
