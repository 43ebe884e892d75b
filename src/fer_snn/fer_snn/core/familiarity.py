"""How well a feature map fits a face in which an expression can be read.

A few linear neurons see the whole feature map. Each was taught with faces (+1) and with one kind of
picture in which nothing can be read (-1): faces upside down, covered or cut, statues, drawings. Its
weights are those at which the delta rule

    dw_i = eta (t - y) z_i - decay w_i        y = sum_i w_i z_i + b

comes to rest. z is the map standardised by the faces, limited to +-`LIMIT`. The rule is local: it
uses the input, the error of the neuron's own output, and the weight. The fit is the smallest
output. Outputs are scaled so that faces have a standard deviation of 1, and shifted so that the fit
of few faces lies below 0.

Reference: Widrow and Hoff, Adaptive switching circuits, 1960.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError
from fer_snn.core.neurons.lif import Float32s

PATH = Path(__file__).resolve().parents[1] / "models" / "familiarity.npz"
"""The neurons that the package ships."""

LIMIT = 4.0
"""Largest magnitude of a standardised feature, in standard deviations."""


class FamiliarityError(FerError):
    """A file that holds no such neurons."""


@dataclass(frozen=True, eq=False)
class Familiarity:
    """The neurons.

    Attributes
    ----------
    feature_spec : the features that they were taught with.
    mean, deviation : of each feature over faces (features).
    weights, bias : of each neuron, standard deviations of its output for faces (neurons, features),
        (neurons).
    """

    feature_spec: str
    mean: Float32s
    deviation: Float32s
    weights: Float32s
    bias: Float32s

    def fits(self, features: Float32s) -> NDArray[np.float64]:
        """Return the smallest output for feature maps (faces, channels, rows, cols), as (faces)."""
        flat = features.reshape(len(features), -1)
        z = np.clip((flat - self.mean) / self.deviation, -LIMIT, LIMIT)
        return np.asarray((z @ self._precise_weights + self.bias).min(axis=1))

    @cached_property
    def _precise_weights(self) -> NDArray[np.float64]:
        # Sums in single precision would depend on how the processor adds.
        return self.weights.T.astype(np.float64)

    def save(self, path: Path) -> None:
        """Write the neurons to a file, as a whole or not at all."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            feature_spec=np.array(self.feature_spec),
            mean=self.mean,
            deviation=self.deviation,
            weights=self.weights,
            bias=self.bias,
        )
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
            arrays = [file[name] for name in ("mean", "deviation", "weights", "bias")]
            loaded = Familiarity(str(file["feature_spec"]), *arrays)
    # A damaged archive raises errors of many kinds.
    except Exception as error:
        raise FamiliarityError(f"{path} cannot be read ({error}): install fer_snn again") from error
    n_features, n_neurons = loaded.mean.size, loaded.bias.size
    fitting = [(n_features,), (n_features,), (n_neurons, n_features), (n_neurons,)]
    if [each.shape for each in arrays] != fitting or not n_neurons:
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
