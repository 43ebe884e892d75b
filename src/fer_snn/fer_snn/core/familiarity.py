"""How well a feature map fits a face in which an expression can be read.

One linear neuron sees the whole feature map. It was taught with faces (+1) and with pictures in
which nothing can be read (-1): faces upside down, behind sunglasses or a mask, cut below the nose,
and drawings. Its weights are those at which the delta rule

    dw_i = eta (t - y) z_i - decay w_i        y = sum_i w_i z_i + b

comes to rest. z is the map standardised by the faces, limited to +-`LIMIT`. The rule is local: it
uses the input, the error of the neuron's own output, and the weight. The output is shifted and
scaled so that faces that were not used for learning have a standard deviation of 1, and at most 2 %
of each kind of them lie below 0.

Reference: Widrow and Hoff, Adaptive switching circuits, 1960.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError
from fer_snn.core.neurons.lif import Float32s

PATH = Path(__file__).resolve().parents[1] / "models" / "familiarity.npz"
"""The neuron that the package ships."""

LIMIT = 4.0
"""Largest magnitude of a standardised feature, in standard deviations."""


class FamiliarityError(FerError):
    """A file that holds no such neuron."""


@dataclass(frozen=True, eq=False)
class Familiarity:
    """The neuron.

    Attributes
    ----------
    feature_spec : the features that it was taught with.
    mean, deviation : of each feature over faces (features).
    weights, bias : of the neuron, standard deviations of its output for faces (features).
    """

    feature_spec: str
    mean: Float32s
    deviation: Float32s
    weights: Float32s
    bias: float

    def fits(self, features: Float32s) -> NDArray[np.float64]:
        """Return the output for feature maps (faces, channels, rows, cols), as (faces)."""
        flat = features.reshape(len(features), -1)
        z = np.clip((flat - self.mean) / self.deviation, -LIMIT, LIMIT)
        return np.asarray(z.astype(np.float64) @ self.weights.astype(np.float64) + self.bias)

    def save(self, path: Path) -> None:
        """Write the neuron to a file, as a whole or not at all."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            feature_spec=np.array(self.feature_spec),
            mean=self.mean,
            deviation=self.deviation,
            weights=self.weights,
            bias=np.array(self.bias),
        )
        write_atomically(path, buffer.getvalue())


def load(path: Path = PATH) -> Familiarity:
    """Read a neuron from a file.

    Raises
    ------
    FamiliarityError
        if the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, deviation, weights = (file[name] for name in ("mean", "deviation", "weights"))
            loaded = Familiarity(
                str(file["feature_spec"]), mean, deviation, weights, float(file["bias"])
            )
    # A damaged archive raises errors of many kinds.
    except Exception as error:
        raise FamiliarityError(f"{path} cannot be read ({error}): install fer_snn again") from error
    if not mean.shape == deviation.shape == weights.shape == (mean.size,):
        raise FamiliarityError(f"{path} has arrays that do not fit: install fer_snn again")
    if not (np.isfinite([mean, deviation, weights]).all() and deviation.min() > 0):
        raise FamiliarityError(f"{path} has values that are not finite: install fer_snn again")
    return loaded


@lru_cache(maxsize=1)
def shipped() -> Familiarity:
    """Return the neuron that the package ships, read once."""
    return load()


def of_features(feature_spec: str) -> Familiarity | None:
    """Return the neuron that was taught with these features; None if there is none."""
    return shipped() if shipped().feature_spec == feature_spec else None
