"""Prototypes of parts of faces, learnt without labels by pair STDP.

Faces differ most in what says nothing of expressions: light, frame, build. Neurons that compete
for whole feature maps come to stand for these. So every window of the map is decorrelated first,
as inhibitory interneurons do (King, Zylberberg and DeWeese, J. Neuroscience 33, 2013): of the
covariance of its features C = V diag(e) V', the `components` largest directions are kept and
brought to like variance,

    u = diag(e + r mean(e))^(-1/2) V' z        r: regularisation

where z are the features less what is usual for them, and the mean of both sides of the face: an
expression shows on both alike. ON and OFF neurons of the u drive a column of LIF neurons for each
window. They learn by the exact pair window of `stdp`, the L1 norm of their weights, lateral
inhibition and the adaptive threshold, as `Network.advance` with `plastic` has them; labels play no
part.

A column hears u_c through the weights of its ON neuron less those of its OFF neuron; so what neuron
j is tuned to is a direction in the feature map, d_j = V diag(.) (w_ON - w_OFF)_j. Its positive part
becomes the weights from the ON neurons of the features, its negative part those from the OFF
neurons, alike on both sides of the face. That is an ordinary hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_snn import homeostasis
from fer_snn.encoding import FeatureStatistics
from fer_snn.faces import mirrored
from fer_snn.layers import DriveParameters
from fer_snn.lif import Float32s
from fer_snn.model import Model, Stage
from fer_snn.network import Network, NetworkParameters
from fer_snn.presentation import Progress
from fer_snn.readout import UNNAMED
from fer_snn.stdp import STDPParameters
from fer_snn.threshold import ThresholdParameters
from fer_snn.wiring import Window, Wiring

CONTRAST = 2.0
"""Standard deviation of the decorrelated features: beside it the silent zone of a pair of ON and
OFF neurons is small, and weak deviations count too."""
LEAST_VARIANCE = 1e-9
RATES = 20
"""The learning rate falls to zero in so many steps."""
N_STEPS = 60
"""Of a presentation."""
LEARNING = NetworkParameters(
    expression=DriveParameters(tau_s=0.010, gain=12.0, beta=0.95, alpha=0.0),
    threshold=ThresholdParameters(delta=1e-3, tau_theta=5.0),
    s_target=10.0,
    competition=0.9,
)
"""Of neurons that become prototypes; the amplitudes of STDP are apart."""


@dataclass(frozen=True)
class PrototypeParameters:
    """How prototypes are learnt.

    Attributes
    ----------
    window, stride : size of the windows and the distance between them, cells of the feature map.
    column : neurons for each window.
    components, regularisation : of the decorrelation; see the module.
    a_pre, a_post : amplitudes of the pair window at the beginning.
    learning : all other constants while prototypes are learnt.
    """

    window: int = 4
    stride: int = 2
    column: int = 64
    components: int = 60
    regularisation: float = 1.0
    a_pre: float = 3e-3
    a_post: float = -1e-3
    learning: NetworkParameters = LEARNING


@dataclass(frozen=True)
class _Place:
    """A window in the left half of the map, and what decorrelates it.

    Attributes
    ----------
    top, left : of the window, cells.
    directions : (channels * window * window, components).
    """

    top: int
    left: int
    directions: Float32s


class PrototypeLayer:
    """Columns of neurons that see decorrelated windows, and the hidden layer that they become.

    Attributes
    ----------
    inputs : u of the faces (faces, components, windows).
    network : the neurons that learn.
    """

    def __init__(
        self,
        faces: Float32s,
        statistics: FeatureStatistics,
        orientations: int,
        parameters: PrototypeParameters,
        rng: np.random.Generator,
    ) -> None:
        """Decorrelate; the weights are random until `learn`.

        Parameters
        ----------
        faces:
            Features of unlabelled faces (faces, channels, rows, cols).
        statistics:
            What is usual for each feature.
        """
        self._shape = faces.shape[1:]
        self._orientations = orientations
        self._parameters = parameters
        self._rng = rng
        halves = self._halves(faces, statistics)
        self._size = min(parameters.window, *halves.shape[2:])
        self._places = self._decorrelating(halves)
        self.inputs = np.stack(
            [self._seen(halves, p.top, p.left) @ p.directions for p in self._places], axis=2
        )
        self.network = self._untrained()

    def _halves(self, faces: Float32s, statistics: FeatureStatistics) -> Float32s:
        """Return z of the mean of both sides (faces, channels, rows, cols of the left half)."""
        usual, deviation = (a.reshape(self._shape) for a in (statistics.mean, statistics.deviation))
        z = (faces - usual) / deviation
        z = (z + mirrored(z, self._orientations)) / 2
        return np.ascontiguousarray(z[..., : (self._shape[2] + 1) // 2])

    def _seen(self, halves: Float32s, top: int, left: int) -> Float32s:
        """Return z of the window at `top`, `left` (faces, features)."""
        rows, cols = slice(top, top + self._size), slice(left, left + self._size)
        return halves[:, :, rows, cols].reshape(len(halves), -1)

    def _decorrelating(self, halves: Float32s) -> list[_Place]:
        size, stride = self._size, self._parameters.stride
        rows, cols = halves.shape[2:]
        return [
            _Place(top, left, self._directions(self._seen(halves, top, left)))
            for top in range(0, rows - size + 1, stride)
            for left in range(0, cols - size + 1, stride)
        ]

    def _directions(self, seen: Float32s) -> Float32s:
        """Return what turns z of a window (faces, features) into u (features, components)."""
        variances, vectors = np.linalg.eigh(np.cov(seen.T))
        largest = slice(-self._parameters.components, None)
        # A window in which all faces are alike says nothing, and must not divide by nothing.
        floor = max(self._parameters.regularisation * variances.mean(), LEAST_VARIANCE)
        directions = vectors[:, largest] / np.sqrt(np.maximum(variances[largest], 0) + floor)
        contrast = (seen @ directions).std(axis=0).mean()
        directions *= CONTRAST / max(contrast, LEAST_VARIANCE)
        return directions.astype(np.float32)

    def _untrained(self) -> Network:
        _, components, columns = self.inputs.shape
        windows = tuple(Window(k, k + 1, 0, 1) for k in range(columns))
        wiring = Wiring((2 * components, columns, 1), windows, self._parameters.column)
        weights = self._rng.uniform(0, 2, (len(wiring.pre_of_row), wiring.width))
        n_inputs, n_neurons = components * columns, wiring.n_post
        model = Model(
            labels=("none",),
            feature_spec="decorrelated",
            feature_shape=(components, columns, 1),
            statistics=FeatureStatistics(
                np.zeros(n_inputs, np.float32), np.ones(n_inputs, np.float32), len(self.inputs)
            ),
            stages=(Stage(wiring, weights.astype(np.float32), np.zeros(n_neurons, np.float32)),),
            neuron_label=np.full(n_neurons, UNNAMED, np.int32),
        )
        network = Network(model, self._parameters.learning)
        network.normalise()
        return network

    def learn(self, presentations: int, progress: Progress) -> None:
        """Show faces, drawn by lot, to neurons at rest that learn."""
        constants = self._parameters.learning
        for done in range(1, presentations + 1):
            if (done - 1) % max(presentations // RATES, 1) == 0:
                rate = 1 - (done - 1) / presentations
                window = STDPParameters(
                    rate * self._parameters.a_pre, rate * self._parameters.a_post
                )
                self.network.parameters = replace(constants, stdp=window)
            face = self.inputs[self._rng.integers(len(self.inputs))]
            self.network.advance(self.network.new_face(), face, N_STEPS, plastic=True)
            progress(done, presentations)

    def hidden_stage(self, theta: float, s_target: float) -> Stage:
        """Return the hidden layer that sees features instead of their decorrelated windows.

        Parameters
        ----------
        theta : threshold of all neurons above V_th, volts.
        s_target : L1 norm of the weights of each neuron.
        """
        channels, rows, cols = self._shape
        size = self._size
        stage = self.network.model.stages[0]
        tuned: dict[int, list[Float32s]] = {}
        for place, (_, block) in zip(self._places, stage.wiring.blocks(stage.weights), strict=True):
            half = len(block) // 2
            tuned.setdefault(place.top, []).append(self._tuning(place, block[:half] - block[half:]))
        width = len(next(iter(tuned.values()))) * self._parameters.column
        windows = tuple(Window(top, top + size, 0, cols) for top in tuned)
        wiring = Wiring((2 * channels, rows, cols), windows, width)
        weights = np.concatenate(
            [homeostasis.scaled(_on_and_off(parts), s_target) for parts in tuned.values()]
        )
        return Stage(wiring, weights, np.full(wiring.n_post, theta, np.float32))

    def _tuning(self, place: _Place, signed: Float32s) -> Float32s:
        """Return d_j of the neurons of a window (neurons, channels, window, cols of the map)."""
        channels, _, cols = self._shape
        size = self._size
        tuned = np.zeros((signed.shape[1], channels, size, cols), np.float32)
        direction = (place.directions @ signed).T.reshape(-1, channels, size, size)
        tuned[..., place.left : place.left + size] = direction
        return tuned + mirrored(tuned, self._orientations)


def _on_and_off(tuned: Sequence[Float32s]) -> Float32s:
    """Return the weights from ON, then OFF neurons (rows, neurons) of neurons of one window."""
    d = np.concatenate(tuned)
    both = np.concatenate([np.maximum(d, 0), np.maximum(-d, 0)], axis=1)
    return np.ascontiguousarray(both.reshape(len(d), -1).T)
