"""Neurons that compete for what they are shown, and come to stand for what is common in it.

They see numbers of either sign through ON and OFF neurons, and learn by the exact pair window of
`stdp`, the L1 norm of their weights, lateral inhibition and the adaptive threshold, as
`Network.advance` with `plastic` has them; labels play no part. What neuron j is tuned to is

    d_j = w_ON - w_OFF

with one number for each of those that it sees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fer_snn.core.model import Model, Stage
from fer_snn.core.network import Network, NetworkParameters
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.layers import DriveParameters
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.neurons.threshold import ThresholdParameters
from fer_snn.core.readout import UNNAMED
from fer_snn.core.synapses.stdp import STDPParameters
from fer_snn.core.synapses.wiring import MapWindow, Wiring
from fer_train.presentation import Progress

CONTRAST = 2.0
"""Standard deviation of what is shown: beside it the silent zone of a pair of ON and OFF neurons is
small, and weak deviations count too."""
RATES = 20
"""The learning rate falls to zero in so many steps."""
N_STEPS = 60
"""Of a presentation."""


@dataclass(frozen=True)
class CompetitionParameters:
    """How neurons compete.

    Attributes
    ----------
    column : neurons that compete for the same inputs.
    a_pre, a_post : amplitudes of the pair window at the beginning.
    delta, tau_theta : of the adaptive threshold, volts and seconds.
    """

    column: int
    a_pre: float = 3e-3
    a_post: float = -1e-3
    delta: float = 1e-3
    tau_theta: float = 5.0

    @property
    def constants(self) -> NetworkParameters:
        """All constants but the amplitudes, which fall."""
        return NetworkParameters(
            expression=DriveParameters(tau_s=0.010, gain=12.0, beta=0.95, alpha=0.0),
            threshold=ThresholdParameters(self.delta, self.tau_theta),
            s_target=10.0,
            competition=0.9,
        )


class Competition:
    """Columns of competing neurons.

    Attributes
    ----------
    inputs : what is shown (examples, inputs, columns), dimensionless, about 0.
    network : the neurons.
    """

    def __init__(
        self, inputs: Float32s, parameters: CompetitionParameters, rng: np.random.Generator
    ) -> None:
        """Make neurons; their weights are random until `learn`."""
        self.inputs = inputs
        self._parameters = parameters
        self._rng = rng
        self.network = self._untrained()

    def _untrained(self) -> Network:
        examples, n_inputs, columns = self.inputs.shape
        windows = tuple(MapWindow(k, k + 1, 0, 1) for k in range(columns))
        wiring = Wiring((2 * n_inputs, columns, 1), windows, self._parameters.column)
        weights = self._rng.uniform(0, 2, (len(wiring.pre_of_row), wiring.width))
        n_seen, n_neurons = n_inputs * columns, wiring.n_post
        model = Model(
            labels=("none",),
            feature_spec="signed",
            feature_shape=(n_inputs, columns, 1),
            statistics=FeatureStatistics(
                np.zeros(n_seen, np.float32), np.ones(n_seen, np.float32), examples
            ),
            stages=(Stage(wiring, weights.astype(np.float32), np.zeros(n_neurons, np.float32)),),
            neuron_label=np.full(n_neurons, UNNAMED, np.int32),
        )
        network = Network(model, self._parameters.constants)
        network.normalise()
        return network

    def learn(self, presentations: int, progress: Progress) -> None:
        """Show examples, drawn by lot, to neurons at rest that learn."""
        parameters, constants = self._parameters, self._parameters.constants
        for done in range(1, presentations + 1):
            if (done - 1) % max(presentations // RATES, 1) == 0:
                rate = 1 - (done - 1) / presentations
                window = STDPParameters(rate * parameters.a_pre, rate * parameters.a_post)
                self.network.parameters = replace(constants, stdp=window)
            example = self.inputs[self._rng.integers(len(self.inputs))]
            self.network.advance(self.network.new_face(), example, N_STEPS, plastic=True)
            progress(done, presentations)

    def tuned(self) -> list[Float32s]:
        """Return d_j of the neurons of each column (inputs, neurons)."""
        stage = self.network.model.stages[0]
        n_inputs = self.inputs.shape[1]
        return [
            block[:n_inputs] - block[n_inputs:] for _, block in stage.wiring.blocks(stage.weights)
        ]
