"""Untrained networks: random weights, ready to learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_snn.core.model import Model, Stage
from fer_snn.core.network import NetworkParameters
from fer_snn.core.neurons.encoding import FeatureStatistics
from fer_snn.core.synapses.wiring import Wiring, tiling

REFERENCE_FAN_IN = 300
"""Number of inputs of an expression neuron for which `Architecture.mean_weight` holds."""


@dataclass(frozen=True)
class HiddenLayer:
    """An untrained hidden layer.

    Attributes
    ----------
    window, stride : size of the receptive fields of the columns and distance between their
        centres, cells of the map below.
    width : number of neurons in each column.
    """

    window: int
    stride: int
    width: int


@dataclass(frozen=True)
class Architecture:
    """The layers of an untrained network.

    Attributes
    ----------
    hidden : the hidden layers, from the feature layer on.
    neurons_per_label : number of expression neurons of each label.
    hidden_theta : initial threshold of the hidden neurons above V_th, in rheobases (times R_m).
    theta_spread : the thresholds of the neurons of a label are spread around V_th by this many
        rheobases, so that the neurons respond to different amounts of evidence.
    mean_weight : initial mean weight to the expression layer for `REFERENCE_FAN_IN` inputs.
    """

    hidden: tuple[HiddenLayer, ...] = (HiddenLayer(4, 2, 96), HiddenLayer(4, 2, 128))
    neurons_per_label: int = 4
    hidden_theta: float = 1.3
    theta_spread: float = 0.5
    mean_weight: float = 0.1


def untrained_model(
    labels: tuple[str, ...],
    feature_spec: str,
    feature_shape: tuple[int, int, int],
    statistics: FeatureStatistics,
    parameters: NetworkParameters | None = None,
    architecture: Architecture | None = None,
    seed: int | np.random.Generator = 0,
    hidden: Stage | None = None,
) -> Model:
    """Return a model with random weights.

    Parameters
    ----------
    labels, feature_spec, feature_shape, statistics : as in `Model`.
    parameters, architecture : constants of the neurons, and the layers; None for the defaults.
    seed : seed, or the generator to draw from.
    hidden : a hidden layer that exists already; None draws one as `architecture` says.
    """
    parameters, architecture = parameters or NetworkParameters(), architecture or Architecture()
    rng = np.random.default_rng(seed)
    channels, rows, cols = feature_shape
    if hidden is None:
        stages = _hidden_stages((2 * channels, rows, cols), parameters, architecture, rng)
    else:
        stages = [hidden]
    hidden_size = sum(stage.wiring.n_post for stage in stages)
    below = (hidden_size, 1, 1) if stages else (2 * channels, rows, cols)
    skips = len(stages) > 1
    stages.append(_expression_stage(below, len(labels), parameters, architecture, rng, skips))
    neuron_label = np.repeat(np.arange(len(labels)), architecture.neurons_per_label)
    return Model(
        labels=labels,
        feature_spec=feature_spec,
        feature_shape=feature_shape,
        statistics=statistics,
        stages=tuple(stages),
        neuron_label=neuron_label.astype(np.int32),
    )


def _hidden_stages(
    below: tuple[int, int, int],
    parameters: NetworkParameters,
    architecture: Architecture,
    rng: np.random.Generator,
) -> list[Stage]:
    stages: list[Stage] = []
    # Without normalisation, weights still have to begin somewhere.
    norm = parameters.hidden_weights.s_target or NetworkParameters().hidden_weights.s_target
    for layer in architecture.hidden:
        _, rows, cols = below
        windows = tiling(rows, cols, layer.window, layer.stride)
        wiring = Wiring(below, windows, layer.width, by_column=bool(stages))
        theta = np.full(wiring.n_post, architecture.hidden_theta * parameters.lif.rheobase_v)
        weights = rng.uniform(0, 2, (len(wiring.pre_of_row), wiring.width))
        fan_in = np.diff(wiring.first_row)
        weights *= np.repeat(norm / fan_in, fan_in)[:, None]
        stages.append(Stage(wiring, weights.astype(np.float32), theta.astype(np.float32)))
        below = (layer.width, -(-rows // layer.stride), -(-cols // layer.stride))
    return stages


def _expression_stage(
    below: tuple[int, int, int],
    n_labels: int,
    parameters: NetworkParameters,
    architecture: Architecture,
    rng: np.random.Generator,
    skips: bool,
) -> Stage:
    size = architecture.neurons_per_label
    wiring = Wiring.fully_connected(below, n_labels * size)
    mean = architecture.mean_weight * REFERENCE_FAN_IN / wiring.n_pre
    weights = rng.uniform(0.5, 1.5, (wiring.n_pre, wiring.n_post)) * mean
    offsets = (2 * np.arange(size) - (size - 1)) / size * architecture.theta_spread
    theta = np.tile(offsets * parameters.lif.rheobase_v, n_labels)
    return Stage(wiring, weights.astype(np.float32), theta.astype(np.float32), skips)
