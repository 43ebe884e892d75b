"""Competitive learning without labels.

ON and OFF neurons encode signed inputs. The neurons learn by pair STDP, the homeostasis of the L1
norm of their weights, lateral inhibition and the adaptive threshold, as `Network.advance` with
`plastic` applies them. The tuning of neuron j is

    d_j = w_ON - w_OFF

with one element for each input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fer_snn import (
    DriveParameters,
    FeatureStatistics,
    Model,
    Network,
    NetworkParameters,
    Stage,
    STDPParameters,
    ThresholdParameters,
    Wiring,
)
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.readout import UNNAMED
from fer_snn.core.synapses.wiring import MapWindow
from fer_train.progress import Progress

CONTRAST = 2.0
"""Standard deviation of the inputs. It is large compared with the range of inputs at which neither
the ON nor the OFF neuron fires, so that weak deviations count too."""
RATES = 20
"""Number of steps in which the learning rate falls to zero."""
N_STEPS = 60
"""Number of time steps of a presentation."""


@dataclass(frozen=True)
class CompetitionParameters:
    """How neurons compete.

    Attributes
    ----------
    column : number of neurons that compete for the same inputs.
    a_pre, a_post : amplitudes of the STDP window at the beginning.
    delta, tau_theta : rise, volts, and time constant, seconds, of the adaptive threshold.
    """

    column: int
    a_pre: float = 3e-3
    a_post: float = -1e-3
    delta: float = 1e-3
    tau_theta: float = 5.0

    @property
    def constants(self) -> NetworkParameters:
        """All constants except the amplitudes, which decrease during learning."""
        return NetworkParameters(
            expression=DriveParameters(tau_s=0.010, gain=12.0, beta=0.95, alpha=0.0),
            threshold=ThresholdParameters(self.delta, self.tau_theta),
            s_target=10.0,
            competition=0.9,
            tau_w=0.0,
        )


class Competition:
    """Columns of competing neurons.

    Attributes
    ----------
    inputs : examples to learn from (examples, inputs, columns), dimensionless, with mean 0.
    network : the competing neurons.
    """

    def __init__(
        self, inputs: Float32s, parameters: CompetitionParameters, rng: np.random.Generator
    ) -> None:
        """Make neurons with random weights."""
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
        """Present randomly chosen examples to neurons at rest, and learn."""
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
        """Return the tuning d_j of the neurons of each column (inputs, neurons)."""
        stage = self.network.model.stages[0]
        n_inputs = self.inputs.shape[1]
        return [
            block[:n_inputs] - block[n_inputs:] for _, block in stage.wiring.blocks(stage.weights)
        ]
