"""A network as a graph of the Neuromorphic Intermediate Representation, for other simulators.

    Input --> LIF (features) --> Linear --> CubaLIF (hidden) --> Linear --> CubaLIF --> Output

The input is the current of each ON and OFF neuron, amperes: `encoding.currents` of a feature map.
The output is the spikes of the expression layer. Potentials count from rest, where simulators
start. A spike is a pulse of 1 that lasts one step of dt, so with w_in = tau_syn / dt it raises the
synaptic current by the weight.

| of fer | in the graph |
| --- | --- |
| gain and feed-forward inhibition, w_ij - beta mean_k(w_ik) | exact, in the Linear nodes |
| refractory time | a lower reset (`lowered_reset`), exact for one input current, near others |
| lateral inhibition (alpha) | refused |
| learning, glances, several faces, read-out | left out; metadata name the label of each neuron |

Reference: Pedersen et al., Neuromorphic intermediate representation: a unified instruction set for
interoperable brain-inspired computing, Nature Communications 15, 8122, 2024.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

import nir
import numpy as np

from fer_common.core.errors import ConfigurationError
from fer_snn import DriveParameters, LIFParameters, Model, Network, NetworkParameters, Stage, Wiring
from fer_snn.core.constants import checked_constants
from fer_snn.core.network import FEATURE
from fer_snn.core.neurons.lif import Float32s
from fer_snn.core.parameters import network_parameters, trained_values

TYPICAL = 2.0
"""Input of a neuron that fires, in rheobases."""
SAME = 1e-5
"""Relative difference of constants that count as equal."""


def lowered_reset(lif: LIFParameters, dt: float) -> float:
    """Return a reset, volts above rest, from which a potential reaches V_reset after t_ref.

    So it stands for both in a neuron that has no refractory time. The input is `TYPICAL`.
    """
    v_inf = TYPICAL * lif.rheobase_v
    t_ref = round(lif.t_ref / dt) * dt
    return v_inf - (v_inf - (lif.v_reset - lif.v_rest)) * math.exp(t_ref / lif.tau_m)


def own_parameters(model: Model) -> NetworkParameters:
    """Return the constants that a model was trained with."""
    return network_parameters(trained_values(model)[0])


def to_bytes(model: Model) -> bytes:
    """Return a network as a NIR file."""
    file = io.BytesIO()
    nir.write(file, to_graph(model, own_parameters(model)))
    return file.getvalue()


def to_graph(model: Model, parameters: NetworkParameters) -> nir.NIRGraph:
    """Return the graph of a network.

    Raises
    ------
    ConfigurationError
        if the network has lateral inhibition.
    """
    lif, dt = parameters.lif, parameters.dt
    network = Network(model, parameters)
    model, names = network.model, network.layer_names
    drives = [parameters.hidden] * (len(model.stages) - 1) + [parameters.expression]
    common = {"r": lif.r_m, "v_leak": 0.0, "v_reset": lowered_reset(lif, dt)}
    v_th = np.full(model.sizes[0], lif.rheobase_v, np.float32)
    nodes: dict[str, Any] = {
        "input": nir.Input(np.array([len(v_th)])),
        FEATURE: nir.LIF(v_threshold=v_th, **_filled(len(v_th), tau=lif.tau_m, **common)),
    }
    edges = [("input", FEATURE)]
    for k, (name, stage, drive) in enumerate(zip(names[1:], model.stages, drives, strict=True)):
        if drive.alpha:
            raise ConfigurationError(
                f"layer '{name}' has lateral inhibition (alpha is {drive.alpha:g}), which NIR "
                "cannot express: train with 0"
            )
        v_th = stage.theta + np.float32(lif.rheobase_v)
        synapse = {"tau_syn": drive.tau_s, "w_in": drive.tau_s / dt, "tau_mem": lif.tau_m}
        nodes[name] = nir.CubaLIF(v_threshold=v_th, **_filled(len(v_th), **synapse, **common))
        currents = _currents(stage, drive, lif.rheobase)
        for layer, weight in model.by_layer(k, currents).items():
            linear = f"{names[layer]}_to_{name}"
            nodes[linear] = nir.Linear(weight=weight)
            edges += [(names[layer], linear), (linear, name)]
    nodes["output"] = nir.Output(np.array([model.sizes[-1]]))
    metadata = {
        "labels": ",".join(model.labels),
        "neuron_label": model.neuron_label,
        "feature_spec": model.feature_spec,
        "dt": dt,
        "t_ref": lif.t_ref,
        "v_reset": lif.v_reset - lif.v_rest,
    }
    return nir.NIRGraph(nodes, [*edges, (names[-1], "output")], metadata=metadata)


def _filled(size: int, **constants: float) -> dict[str, Float32s]:
    return {name: np.full(size, value, np.float32) for name, value in constants.items()}


def _currents(stage: Stage, drive: DriveParameters, rheobase: float) -> Float32s:
    """Return the current for each unit of drive, amperes (n_post, n_pre), after inhibition."""
    weights = stage.wiring.matrix(stage.weights).T
    columns = weights.reshape(-1, stage.wiring.width, stage.wiring.n_pre)
    inhibited = columns - np.float32(drive.beta) * columns.mean(axis=1, keepdims=True)
    return np.float32(drive.gain * rheobase) * inhibited.reshape(weights.shape)


def read(path: Path, like: Model) -> Model:
    """Return a network with the weights and thresholds of a NIR file.

    Parameters
    ----------
    like : gives what a graph cannot hold: the labels of the neurons, and the features.

    Raises
    ------
    ConfigurationError
        if the graph is not as above, has neurons with different constants, or does not have as
        many neurons for features and expressions as `like`.
    """
    try:
        graph = nir.read(path)
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise ConfigurationError(f"{path} is no NIR file: {error}") from error
    layers = _layers(graph, path)
    sizes = [layer.node.v_threshold.size for layer in layers]
    if (sizes[0], sizes[-1]) != (like.sizes[0], like.sizes[-1]):
        raise ConfigurationError(
            f"{path} has {sizes[0]} feature and {sizes[-1]} expression neurons, but its labels and "
            f"features are those of a network with {like.sizes[0]} and {like.sizes[-1]}: name "
            "weights of the same size with --like"
        )
    imported = _model(layers, like, path)
    if not {"t_ref", "v_reset"} <= graph.metadata.keys():
        return imported
    # What the lowered reset of a graph that `to_graph` made stands for.
    v_rest = own_parameters(like).lif.v_rest
    told = {
        "t_ref": float(graph.metadata["t_ref"]),
        "v_reset": v_rest + float(graph.metadata["v_reset"]),
    }
    return replace(imported, parameters=checked_constants({**imported.parameters, **told}))


class _Layer(NamedTuple):
    """A layer of neurons, and what drives it.

    Attributes
    ----------
    node : the neurons.
    weights : (neurons, n_pre), those of several layers side by side; empty for features.
    skips : as in `Stage`.
    """

    node: Any
    weights: Float32s
    skips: bool = False


def _layers(graph: nir.NIRGraph, path: Path) -> list[_Layer]:
    """Return the layers of a graph, from the features on."""
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for origin, name in graph.edges:
        before[name].append(origin)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise ConfigurationError(f"{path}: layers drive each other in a circle") from error
    kinds = [type(graph.nodes[name]) for name in order]
    neurons = [name for name in order if isinstance(graph.nodes[name], (nir.LIF, nir.CubaLIF))]
    deep = [graph.nodes[name] for name in neurons[1:]]
    if not (
        set(kinds) == {nir.Input, nir.LIF, nir.Linear, nir.CubaLIF, nir.Output}
        and isinstance(graph.nodes[neurons[0]], nir.LIF)
        and all(isinstance(node, nir.CubaLIF) for node in deep)
    ):
        found = ", ".join(kind.__name__ for kind in kinds)
        raise ConfigurationError(
            f"{path} has the nodes {found}: give Input, LIF, then Linear and CubaLIF for each "
            "layer, then Output"
        )
    outputs = [before[name] for name, kind in zip(order, kinds, strict=True) if kind is nir.Output]
    first = [graph.nodes[name] for name in before[neurons[0]]]
    if [type(node) for node in first] != [nir.Input] or outputs != [neurons[-1:]]:
        raise ConfigurationError(
            f"{path} branches: one Input has to drive the LIF layer, and the last layer one Output"
        )
    layers = [_Layer(graph.nodes[neurons[0]], np.empty((0, 0), np.float32))]
    for number, (name, node) in enumerate(zip(neurons[1:], deep, strict=True)):
        # By the layer before the projection, since several may come in any order.
        linears = {tuple(before[each]): graph.nodes[each] for each in before[name]}
        below = [(each,) for each in neurons[: number + 1]]
        for driving in (below[-1:], below[1:]):
            if len(linears) == len(before[name]) and set(linears) == set(driving) != set():
                weights = np.hstack([linears[each].weight for each in driving])
                layers.append(_Layer(node, weights, driving != below[-1:]))
                break
        else:
            raise ConfigurationError(
                f"{path}: layer '{name}' has to be driven, through one Linear each, by the layer "
                "below it or by all hidden layers below it"
            )
    return layers


def _model(found: Sequence[_Layer], like: Model, path: Path) -> Model:
    def common(nodes: Sequence[Any], *names: str) -> float:
        """Return the value that a constant has in all neurons."""
        values = np.concatenate(
            [getattr(n, name) for n in nodes for name in names if name in vars(n)]
        )
        if np.ptp(values) > SAME * np.abs(values).max():
            raise ConfigurationError(
                f"{path}: {names[0]} differs between neurons, but here all have the same"
            )
        return float(values[0])

    known, layers = own_parameters(like), [layer.node for layer in found]
    rest, v_rest, r_m = common(layers, "v_leak"), known.lif.v_rest, common(layers, "r")
    rheobase_v = common(layers[:1], "v_threshold") - rest
    currents = [
        layer.weights * (layer.node.w_in * known.dt / layer.node.tau_syn)[:, None]
        for layer in found[1:]
    ]
    reset = common(layers, "v_reset")
    # With this gain the largest weight is 1. Inhibition, if there was any, is in the weights.
    gain = max(float(np.abs(each).max()) for each in currents) * r_m / rheobase_v
    constants = {
        **like.parameters,
        **{"tau_m": common(layers, "tau", "tau_mem"), "r_m": r_m, "t_ref": 0.0},
        **{"v_th": v_rest + rheobase_v, "v_reset": v_rest + reset - rest},
    }
    for prefix, nodes in (("hidden_", layers[1:-1]), ("", layers[-1:])):
        own = {
            "gain": gain,
            "beta": 0.0,
            "alpha": 0.0,
            "w_min": -1.0,
            "w_max": 1.0,
            "s_target": 0.0,
        }
        if nodes:
            own["tau_s"] = common(nodes, "tau_syn")
        constants |= {prefix + name: value for name, value in own.items()}
    stages: list[Stage] = []
    below = like.stages[0].wiring.map_shape
    for layer, current in zip(found[1:], currents, strict=True):
        wiring = Wiring.fully_connected(
            below if not stages else (current.shape[1], 1, 1), len(current)
        )
        theta = (layer.node.v_threshold - rest - rheobase_v).astype(np.float32)
        weight = (current.T * (r_m / rheobase_v / gain)).astype(np.float32)
        stages.append(Stage(wiring, weight, theta, layer.skips))
    return replace(
        like,
        stages=tuple(stages),
        parameters=checked_constants(constants),
        name=path.stem,
        provenance={"imported": path.name},
    )
