"""Prototypes of parts of faces, learnt without labels by pair STDP.

Faces differ most in what does not depend on the expression: light, position and anatomy. Neurons
that compete for whole feature maps become selective for these. Therefore, each window of the map
is whitened first, as inhibitory interneurons do (King, Zylberberg and DeWeese, J. Neuroscience 33,
2013). With the covariance of its features C = V diag(e) V', the `components` directions with the
largest variance are kept and scaled to similar variance:

    u = diag(e + r mean(e))^(-1/2) V' z        r: regularisation

where z are the standardised features, averaged over both sides of the face, because expressions are
mostly symmetric. A column of neurons competes for the u of each window (`competition`).

The tuning of neuron j corresponds to a direction in the feature map, V diag(.) d_j. Its positive
part becomes the weights from the ON neurons of the features, its negative part those from the OFF
neurons, with equal weights on both sides of the face. The result is an ordinary hidden layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fer_snn import FeatureStatistics, Stage, WeightBounds, Wiring
from fer_snn.core.neurons.encoding import mirrored
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.synapses import homeostasis
from fer_snn.core.synapses.wiring import MapWindow
from fer_train.competition import CONTRAST, Competition, CompetitionParameters

MIN_VARIANCE = 1e-9

CALLS = 10
"""Number of times that the weights of the layer are scaled and clipped."""


@dataclass(frozen=True)
class PrototypeParameters:
    """How prototypes are learnt.

    Attributes
    ----------
    window, stride : size and distance of the windows, cells of the feature map.
    components, regularisation : constants of the whitening, see the module.
    competition : constants of the competition for a window.
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
    """A window in the left half of the map, and its whitening.

    Attributes
    ----------
    top, left : position of the window, cells.
    directions : whitening matrix (channels * window * window, components).
    """

    top: int
    left: int
    directions: Float32s


class PrototypeLayer:
    """Columns of neurons that compete for whitened windows, and the hidden layer made of them.

    Attributes
    ----------
    competition : the competing neurons, with u of the faces as inputs.
    """

    def __init__(
        self,
        faces: Float32s,
        statistics: FeatureStatistics,
        orientations: int,
        parameters: PrototypeParameters,
        rng: np.random.Generator,
    ) -> None:
        """Whiten the windows. The weights are random until `competition.learn`.

        Parameters
        ----------
        faces : features of unlabelled faces (faces, channels, rows, cols).
        statistics : mean and variance of each feature.
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
        """Return z, averaged over both sides (faces, channels, rows, cols of the left half)."""
        mean, deviation = (a.reshape(self._shape) for a in (statistics.mean, statistics.deviation))
        z = (faces - mean) / deviation
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
        """Return the matrix (features, components) that turns z of a window into u.

        Parameters
        ----------
        seen : z of the window (faces, features).
        """
        variances, vectors = np.linalg.eigh(np.cov(seen.T))
        largest = slice(-self._parameters.components, None)
        # If all faces are alike in a window, all variances are zero.
        floor = max(self._parameters.regularisation * variances.mean(), MIN_VARIANCE)
        directions = vectors[:, largest] / np.sqrt(np.maximum(variances[largest], 0) + floor)
        contrast = (seen @ directions).std(axis=0).mean()
        directions *= CONTRAST / max(contrast, MIN_VARIANCE)
        return directions.astype(np.float32)

    def hidden_stage(self, theta: float, bounds: WeightBounds) -> Stage:
        """Return the equivalent hidden layer, which sees features instead of whitened windows.

        Parameters
        ----------
        theta : threshold of all neurons above V_th, volts.
        bounds : bounds and L1 norm of the weights.
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
        """Return the tuning of the neurons of a window (neurons, channels, window, map cols)."""
        channels, _, cols = self._shape
        size = self._size
        tuned = np.zeros((heard.shape[1], channels, size, cols), np.float32)
        direction = (place.directions @ heard).T.reshape(-1, channels, size, size)
        tuned[..., place.left : place.left + size] = direction
        return tuned + mirrored(tuned, self._orientations)


def _bounded(weights: Float32s, bounds: WeightBounds) -> Float32s:
    """Return weights (rows, neurons), scaled to their norm within bounds."""
    w_min, w_max = np.float32(bounds.w_min), np.float32(bounds.w_max)
    # Each call makes up for what clipping took in the one before.
    for _ in range(CALLS):
        weights = homeostasis.scaled(weights, bounds.s_target, w_min, w_max)
    return weights


def _on_and_off(tuned: Sequence[Float32s]) -> Float32s:
    """Return the weights from ON, then OFF neurons (rows, neurons) for one window."""
    d = np.concatenate(tuned)
    both = np.concatenate([np.maximum(d, 0), np.maximum(-d, 0)], axis=1)
    return np.ascontiguousarray(both.reshape(len(d), -1).T)
