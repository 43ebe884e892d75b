"""What a network has learnt: all that a weights file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.neurons.lif import Float32s, Int32s
from fer_snn.core.readout import Calibration
from fer_snn.core.synapses.wiring import Wiring

_VECTOR = 8
"""Floats that a processor handles at once. A row that ends within a vector costs several more."""


@dataclass(frozen=True)
class Stage:
    """A layer after the feature layer, with the projection that drives it.

    Attributes
    ----------
    wiring : which neurons of the layer below are connected.
    weights : (rows, width) as `wiring` says; those that are given are copied.
    theta : adaptive threshold of each neuron, volts (neurons).
    room : (rows, width or a little more) what `weights` is the beginning of in each row; the rest
        means nothing, and only makes the rows whole vectors.
    """

    wiring: Wiring
    weights: Float32s
    theta: Float32s
    room: Float32s = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not have the shape of the wiring (ValueError)."""
        if self.weights.shape != (len(self.wiring.pre_of_row), self.wiring.width):
            raise ValueError("the weights do not have the shape of their wiring")
        if self.theta.shape != (self.wiring.n_post,):
            raise ValueError("the thresholds do not have the size of their layer")
        rows, width = self.weights.shape
        room = np.zeros((rows, -(-width // _VECTOR) * _VECTOR), dtype=np.float32)
        room[:, :width] = self.weights
        object.__setattr__(self, "room", room)
        object.__setattr__(self, "weights", room[:, :width])

    def copy(self) -> Stage:
        """Return a stage that shares no array with this one."""
        return replace(self, theta=self.theta.copy())


@dataclass(frozen=True)
class Model:
    """A trained network: identity, weights, and where they come from.

    Attributes
    ----------
    labels : what it can say, in the order of every score.
    feature_spec : the features that it was trained with.
    feature_shape : channels, rows, columns of the feature map.
    statistics : what is usual for each feature.
    stages : the layers after the feature layer.
    neuron_label : index into `labels` of each expression neuron, `readout.UNNAMED` for none.
    calibration : what a spike is worth in a still face, shown to neurons at rest.
    live_calibration : what it is worth in a stream, where the neurons never come to rest.
    name : of the model, for people.
    parameters : the constants that it was trained with.
    provenance : training data, seed, command, figures: what a model card tells.
    """

    labels: tuple[str, ...]
    feature_spec: str
    feature_shape: tuple[int, int, int]
    statistics: FeatureStatistics
    stages: tuple[Stage, ...]
    neuron_label: Int32s
    calibration: Calibration = field(default_factory=Calibration)
    live_calibration: Calibration = field(default_factory=Calibration)
    name: str = "untrained"
    parameters: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse parts that do not go together (ValueError)."""
        self._check_labels()
        n_features = int(np.prod(self.feature_shape))
        for array in (self.statistics.mean, self.statistics.variance):
            if array.shape != (n_features,):
                raise ValueError("the feature statistics do not have the shape of the feature map")
        channels, rows, cols = self.feature_shape
        if not self.stages or self.stages[0].wiring.map_shape != (2 * channels, rows, cols):
            raise ValueError(
                "the first projection does not see an ON and an OFF neuron per feature"
            )
        for below, above in zip(self.stages[:-1], self.stages[1:], strict=True):
            if above.wiring.n_pre != below.wiring.n_post:
                raise ValueError("the layers do not join")

    def _check_labels(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be there and differ")
        if not self.stages or self.neuron_label.shape != (self.stages[-1].wiring.n_post,):
            raise ValueError("the names do not have the size of the expression layer")
        if not -1 <= self.neuron_label.min() <= self.neuron_label.max() < len(self.labels):
            raise ValueError("a neuron has a label that is not there")

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Numbers of neurons of the layers, from the feature layer on."""
        return (self.stages[0].wiring.n_pre, *(stage.wiring.n_post for stage in self.stages))

    def with_label(self, label: str) -> Model:
        """Return a model that can also say `label`.

        It gets as many neurons as the first label has, each with the mean of the weights and of
        the thresholds of those that are there.
        """
        size = max(int((self.neuron_label == 0).sum()), 1)
        last = self.stages[-1]
        mean = np.repeat(last.weights.mean(axis=1, keepdims=True), size, axis=1)
        grown = Stage(
            replace(last.wiring, width=last.wiring.width + size),
            np.hstack((last.weights, mean)),
            np.append(last.theta, np.full(size, last.theta.mean())).astype(np.float32),
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
