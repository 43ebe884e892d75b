"""Prototypes of parts of faces, learnt without labels by pair STDP.

Faces differ most in what says nothing of expressions: light, frame, build. Neurons that compete
for whole feature maps come to stand for these. So every window of the map is decorrelated first,
as inhibitory interneurons do (King, Zylberberg and DeWeese, J. Neuroscience 33, 2013): of the
covariance of its features C = V diag(e) V', the `components` largest directions are kept and
brought to like variance,

    u = diag(e + r mean(e))^(-1/2) V' z        r: regularisation

where z are the features less what is usual for them, and the mean of both sides of the face: an
expression shows on both alike. A column of neurons competes for the u of each window
(`competition`).

What neuron j is tuned to is a direction in the feature map, too: V diag(.) d_j. Its positive part
becomes the weights from the ON neurons of the features, its negative part those from the OFF
neurons, alike on both sides of the face. That is an ordinary hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fer_snn.core.model import Stage
from fer_snn.core.network import WeightBounds
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.synapses import homeostasis
from fer_snn.core.synapses.wiring import MapWindow, Wiring
from fer_train.competition import CONTRAST, Competition, CompetitionParameters
from fer_train.faces import mirrored

LEAST_VARIANCE = 1e-9


@dataclass(frozen=True)
class PrototypeParameters:
    """How prototypes are learnt.

    Attributes
    ----------
    window, stride : size of the windows and the distance between them, cells of the feature map.
    components, regularisation : of the decorrelation; see the module.
    competition : how a column competes for a window.
    """

    window: int = 4
    stride: int = 2
    components: int = 60
    regularisation: float = 1.0
    competition: CompetitionParameters = field(
        default_factory=lambda: CompetitionParameters(column=64)
    )


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
    competition : of the columns for u of the faces.
    """

    def __init__(
        self,
        faces: Float32s,
        statistics: FeatureStatistics,
        orientations: int,
        parameters: PrototypeParameters,
        rng: np.random.Generator,
    ) -> None:
        """Decorrelate; the weights are random until `competition.learn`.

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
        halves = self._halves(faces, statistics)
        self._size = min(parameters.window, *halves.shape[2:])
        self._places = self._decorrelating(halves)
        inputs = np.stack(
            [self._seen(halves, p.top, p.left) @ p.directions for p in self._places], axis=2
        )
        self.competition = Competition(inputs, parameters.competition, rng)

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

    def hidden_stage(self, theta: float, bounds: WeightBounds) -> Stage:
        """Return the hidden layer that sees features instead of their decorrelated windows.

        Parameters
        ----------
        theta : threshold of all neurons above V_th, volts.
        bounds : what the weights are held to, as in every lesson to come.
        """
        channels, rows, cols = self._shape
        size = self._size
        tuned: dict[int, list[Float32s]] = {}
        for place, heard in zip(self._places, self.competition.tuned(), strict=True):
            tuned.setdefault(place.top, []).append(self._tuning(place, heard))
        width = len(next(iter(tuned.values()))) * self._parameters.competition.column
        windows = tuple(MapWindow(top, top + size, 0, cols) for top in tuned)
        wiring = Wiring((2 * channels, rows, cols), windows, width)
        weights = np.concatenate([_bounded(_on_and_off(parts), bounds) for parts in tuned.values()])
        return Stage(wiring, weights, np.full(wiring.n_post, theta, np.float32))

    def _tuning(self, place: _Place, heard: Float32s) -> Float32s:
        """Return d_j of the neurons of a window (neurons, channels, window, cols of the map)."""
        channels, _, cols = self._shape
        size = self._size
        tuned = np.zeros((heard.shape[1], channels, size, cols), np.float32)
        direction = (place.directions @ heard).T.reshape(-1, channels, size, size)
        tuned[..., place.left : place.left + size] = direction
        return tuned + mirrored(tuned, self._orientations)


def _bounded(weights: Float32s, bounds: WeightBounds) -> Float32s:
    """Return weights (rows, neurons), scaled to their norm, clipped, and scaled again."""
    scaled = homeostasis.scaled(weights, bounds.s_target)
    return homeostasis.scaled(np.minimum(scaled, np.float32(bounds.w_max)), bounds.s_target)


def _on_and_off(tuned: Sequence[Float32s]) -> Float32s:
    """Return the weights from ON, then OFF neurons (rows, neurons) of neurons of one window."""
    d = np.concatenate(tuned)
    both = np.concatenate([np.maximum(d, 0), np.maximum(-d, 0)], axis=1)
    return np.ascontiguousarray(both.reshape(len(d), -1).T)
