"""What a network has learnt: everything that a weights file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import ReadoutCalibration
from fer_snn.core.synapses.wiring import Wiring

_VECTOR = 8
"""Number of floats in a SIMD vector. Rows that end within a vector are several times slower."""


@dataclass(eq=False)
class Stage:
    """A layer after the feature layer, with the projection that drives it.

    Attributes
    ----------
    wiring : which neurons of the layer below are connected.
    weights : (rows, width), laid out as `wiring` says. The constructor copies them.
    theta : adaptive threshold of each neuron, volts (neurons).
    skips : whether all hidden layers below drive the layer, one behind the other in the order of
        the map, and not only the layer directly below.
    padded_weights : (rows, at least width). Each row starts with a row of `weights`, which is a
        view of it; the padding makes the rows whole vectors and has no meaning.
    """

    wiring: Wiring
    weights: Float32s
    theta: Float32s
    skips: bool = False
    padded_weights: Float32s = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not have the shape of the wiring (ValueError)."""
        if self.weights.shape != (len(self.wiring.pre_of_row), self.wiring.width):
            raise ValueError("the weights do not have the shape of their wiring")
        if self.theta.shape != (self.wiring.n_post,):
            raise ValueError("the thresholds do not have the size of their layer")
        rows, width = self.weights.shape
        self.padded_weights = np.zeros((rows, -(-width // _VECTOR) * _VECTOR), dtype=np.float32)
        self.padded_weights[:, :width] = self.weights
        self.weights = self.padded_weights[:, :width]

    def copy(self) -> Stage:
        """Return a stage that shares no array with this one."""
        return replace(self, theta=self.theta.copy())


@dataclass(frozen=True)
class Model:
    """A trained network: identity, weights, and where they come from.

    Attributes
    ----------
    labels : the expressions that it knows, in the order of every score.
    feature_spec : the features that it was trained with.
    feature_shape : channels, rows, columns of the feature map.
    statistics : mean and variance of each feature.
    stages : the layers after the feature layer.
    neuron_label : index into `labels` of each expression neuron; `readout.UNNAMED` for none.
    calibration : turns spikes into confidence for still faces shown to neurons at rest.
    live_calibration : the same for a stream, where neurons never come to rest.
    name : name of the model, for people.
    parameters : the constants that it was trained with.
    provenance : training data, seed, command and results, as a model card gives them.
    """

    labels: tuple[str, ...]
    feature_spec: str
    feature_shape: tuple[int, int, int]
    statistics: FeatureStatistics
    stages: tuple[Stage, ...]
    neuron_label: Int32s
    calibration: ReadoutCalibration = field(default_factory=ReadoutCalibration)
    live_calibration: ReadoutCalibration = field(default_factory=ReadoutCalibration)
    name: str = "untrained"
    parameters: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together (ValueError)."""
        self._check_labels()
        n_features = int(np.prod(self.feature_shape))
        for array in (self.statistics.mean, self.statistics.variance):
            if array.shape != (n_features,):
                raise ValueError("the feature statistics do not have the shape of the feature map")
        channels, rows, cols = self.feature_shape
        if not self.stages or self.stages[0].wiring.map_shape != (2 * channels, rows, cols):
            raise ValueError("the first projection needs one ON and one OFF neuron per feature")
        for k, stage in enumerate(self.stages):
            if stage.wiring.n_pre != sum(self.sizes[layer] for layer in self.below(k)):
                raise ValueError("a layer has another size than the projection above it")

    def _check_labels(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must not be empty or repeated")
        if not self.stages or self.neuron_label.shape != (self.stages[-1].wiring.n_post,):
            raise ValueError("neuron_label does not have the size of the expression layer")
        if not -1 <= self.neuron_label.min() <= self.neuron_label.max() < len(self.labels):
            raise ValueError("a neuron has a label that does not exist")

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of neurons of each layer, starting with the feature layer."""
        return (self.stages[0].wiring.n_pre, *(stage.wiring.n_post for stage in self.stages))

    def below(self, stage: int) -> tuple[int, ...]:
        """Return the numbers of the layers that drive the layer of a stage; 0 for features."""
        if self.stages[stage].skips:
            return tuple(range(1, stage + 1))
        return (stage,)

    def presynaptic(self, stage: int, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the values (..., n_pre) of the presynaptic neurons of a stage.

        Parameters
        ----------
        values : a value of each neuron of each layer (..., neurons), from the feature layer on.
        """
        parts = [values[layer] for layer in self.below(stage)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)

    def by_layer(self, stage: int, values: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """Return values (..., n_pre) of the presynaptic neurons of a stage for each layer below.

        It is the inverse of `presynaptic`.
        """
        below = self.below(stage)
        ends = np.cumsum([self.sizes[layer] for layer in below])
        return dict(zip(below, np.split(values, ends[:-1], axis=-1), strict=True))

    def receptive_fields(self) -> Float32s:
        """Return the receptive field of each label in the feature layer (labels, n_feature).

        It is the mean, over the neurons of the label, of the product of all projections. Where
        there are hidden layers, only the differences between the neurons of a column count:
        feed-forward inhibition takes away what they have in common.
        """
        labels = np.arange(len(self.labels))
        member = (self.neuron_label == labels[:, None]).astype(np.float32)
        fields = member / np.maximum(member.sum(axis=1, keepdims=True), np.float32(1))
        seen = [np.zeros((len(labels), size), dtype=np.float32) for size in self.sizes]
        seen[-1] = fields
        for k in reversed(range(len(self.stages))):
            stage = self.stages[k]
            weights = stage.weights
            if len(self.stages) > 1:
                weights = weights - weights.mean(axis=1, keepdims=True)
            fields = stage.wiring.back_projected(weights, seen[k + 1])
            for layer, part in self.by_layer(k, fields).items():
                seen[layer] += part
        return seen[0]

    def with_label(self, label: str) -> Model:
        """Return a model with one more label.

        The label gets as many neurons as the first label has. Each starts with the mean weights and
        the mean threshold of the neurons that exist.
        """
        size = max(int((self.neuron_label == 0).sum()), 1)
        last = self.stages[-1]
        mean = np.repeat(last.weights.mean(axis=1, keepdims=True), size, axis=1)
        grown = Stage(
            replace(last.wiring, width=last.wiring.width + size),
            np.hstack((last.weights, mean)),
            np.append(last.theta, np.full(size, last.theta.mean())).astype(np.float32),
            last.skips,
        )
        return replace(
            self,
            labels=(*self.labels, label),
            stages=(*self.stages[:-1], grown),
            neuron_label=np.append(
                self.neuron_label, np.full(size, len(self.labels), dtype=np.int32)
            ),
        )

    def copy(self) -> Model:
        """Return a model that shares no array with this one."""
        stages = tuple(stage.copy() for stage in self.stages)
        return replace(self, stages=stages, neuron_label=self.neuron_label.copy())
