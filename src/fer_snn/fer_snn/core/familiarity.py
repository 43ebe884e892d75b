"""How well a feature map fits a face in which an expression can be read.

A few neurons tell faces (+1) from one kind of picture each in which nothing can be read (-1): faces
upside down, covered or cut, statues, drawings. Their weights are those at which the delta rule

    dw_i = eta (t - y) x_i - decay w_i        y = sum_i w_i x_i + b

comes to rest. The rule is local: it uses the input, the error of the neuron's own output, and the
weight. The inputs are

- the map standardised by the faces, z, limited to +-`LIMIT`,
- hidden neurons with fixed random weights, max(0, sum_j v_j z_j - theta). Each has a copy in every
  window of `WINDOW` x `WINDOW` cells, `STRIDE` cells apart (Huang et al. 2006).

Every input is the sum of its values for the map and for the mirrored map, so both fit equally well.
The fit is the smallest output. Outputs are scaled so that faces have a standard deviation of 1, and
shifted so that the fit of few faces lies below 0.

References
----------
Widrow and Hoff, Adaptive switching circuits, 1960.
Huang, Zhu and Siew, Extreme learning machine, Neurocomputing 70, 2006.
"""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError
from fer_snn.core.neurons.encoding import mirrored, orientations_in
from fer_snn.core.neurons.lif import Float32s

PATH = Path(__file__).resolve().parents[1] / "models" / "familiarity.npz"
"""The neurons that the package ships."""

LIMIT = 4.0
"""Largest magnitude of a standardised feature, in standard deviations."""
WINDOW, STRIDE = 4, 2
"""Side of the window of a hidden neuron, and the distance of its copies, cells."""


class FamiliarityError(FerError):
    """A file that holds no such neurons."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """From feature maps to the inputs of the neurons.

    Attributes
    ----------
    feature_spec : the features that the neurons were taught with.
    mean, deviation : of each feature over faces (channels, rows, cols).
    hidden, threshold : weights v (window, hidden) and threshold theta (hidden) of the hidden
        neurons. A window is a part of a map (channels, `WINDOW`, `WINDOW`).
    """

    feature_spec: str
    mean: Float32s
    deviation: Float32s
    hidden: Float32s
    threshold: Float32s

    def __call__(self, features: Float32s) -> NDArray[np.float64]:
        """Return the inputs for maps (faces, channels, rows, cols), as (faces, inputs)."""
        z = np.clip((features.astype(np.float64) - self.mean) / self.deviation, -LIMIT, LIMIT)
        z = z.reshape(len(z), -1)
        plain, windows = self._cells
        drive = z.take(windows, axis=1) @ self._precise_hidden - self.threshold
        responses = np.maximum(drive, 0, out=drive).sum(axis=1).reshape(len(z), -1)
        return np.concatenate((z.take(plain, axis=1).sum(axis=1) / 2, responses), axis=1)

    @cached_property
    def _cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The features of half a map, and of each window, of the map and of its mirror image.

        As indices into the flat map (2, ...).
        """
        there = np.arange(self.mean.size).reshape(1, *self.mean.shape)
        orientations = orientations_in(self.feature_spec, len(self.mean))
        both = np.concatenate((there, mirrored(there, orientations)))
        view = np.lib.stride_tricks.sliding_window_view(both, (WINDOW, WINDOW), axis=(2, 3))
        windows = view[:, :, ::STRIDE, ::STRIDE].transpose(0, 2, 3, 1, 4, 5)
        half = (both.shape[-1] + 1) // 2
        return both[..., :half].reshape(2, -1), windows.reshape(2, -1, len(self.hidden))

    @cached_property
    def _precise_hidden(self) -> NDArray[np.float64]:
        # Sums in single precision would depend on how the processor adds.
        return self.hidden.astype(np.float64)

    @property
    def size(self) -> int:
        """Number of inputs."""
        return self(self.mean[None]).shape[1]


@dataclass(frozen=True, eq=False)
class Familiarity(Inputs):
    """The neurons.

    Attributes
    ----------
    weights, bias : of each neuron, standard deviations of its output for faces (neurons, inputs),
        (neurons).
    """

    weights: Float32s
    bias: Float32s

    def fits(self, features: Float32s) -> NDArray[np.float64]:
        """Return the smallest output for feature maps (faces, channels, rows, cols), as (faces)."""
        # One by one, because the windows of a face take 150 kB.
        outputs = [self(face[None]) @ self._precise_weights + self.bias for face in features]
        return np.array([each.min() for each in outputs])

    @cached_property
    def _precise_weights(self) -> NDArray[np.float64]:
        return self.weights.T.astype(np.float64)

    def save(self, path: Path) -> None:
        """Write the neurons to a file, as a whole or not at all."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **asdict(self))
        write_atomically(path, buffer.getvalue())


def load(path: Path = PATH) -> Familiarity:
    """Read neurons from a file.

    Raises
    ------
    FamiliarityError
        if the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            spec, *arrays = (file[field.name] for field in fields(Familiarity))
        loaded = Familiarity(str(spec), *arrays)
        sizes = [(loaded.threshold.size,), (loaded.bias.size, loaded.size), (loaded.bias.size,)]
    # A damaged archive raises errors of many kinds.
    except Exception as error:
        raise FamiliarityError(f"{path} cannot be read ({error}): install fer_snn again") from error
    if [each.shape for each in arrays[3:]] != sizes or not loaded.bias.size:
        raise FamiliarityError(f"{path} has arrays that do not fit: install fer_snn again")
    if not (all(np.isfinite(each).all() for each in arrays) and loaded.deviation.min() > 0):
        raise FamiliarityError(f"{path} has values that are not finite: install fer_snn again")
    return loaded


@lru_cache(maxsize=1)
def shipped() -> Familiarity:
    """Return the neurons that the package ships, read once."""
    return load()


def of_features(feature_spec: str) -> Familiarity | None:
    """Return the neurons that were taught with these features; None if there are none."""
    return shipped() if shipped().feature_spec == feature_spec else None
