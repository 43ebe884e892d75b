"""Networks as NIR graphs: another simulator gives the same answers, and they can be read back."""

from __future__ import annotations

from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_common.core.errors import ConfigurationError
from fer_snn import Architecture, HiddenLayer, Model, Network, NetworkParameters
from fer_snn.core.neurons import encoding
from fer_snn.core.readout import label_means
from fer_testing.networks import small_model, synthetic, trained_model

nir = pytest.importorskip("nir")
from fer_train import nir_graph  # noqa: E402

DT, STEPS = 1e-3, 60
FACES, _ = synthetic(30, seed=3)


def simulate(graph: Any, current: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
    """Return the spikes of each neuron, by the equations of NIR alone, in double precision.

    A spike acts in the step in which it is fired, and currents are held within a step.
    """
    neurons = {n: node for n, node in graph.nodes.items() if hasattr(node, "v_threshold")}
    v = {name: node.v_leak.astype(float) for name, node in neurons.items()}
    drive = {name: np.zeros(len(potential)) for name, potential in v.items()}
    counts = {name: np.zeros(len(potential), np.int64) for name, potential in v.items()}
    before = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    order = [name for name in TopologicalSorter(before).static_order() if before[name]]
    for _ in range(STEPS):
        out = {"input": current.astype(float)}
        for name in order:
            node, arriving = graph.nodes[name], sum(out[each] for each in before[name])
            if name not in neurons:
                out[name] = node.weight @ arriving if isinstance(node, nir.Linear) else arriving
                continue
            if isinstance(node, nir.CubaLIF):
                faded = drive[name] * np.exp(-DT / node.tau_syn)
                arriving = drive[name] = faded + node.w_in * DT / node.tau_syn * arriving
            tau = node.tau_mem if isinstance(node, nir.CubaLIF) else node.tau
            v_inf = node.v_leak + node.r * arriving
            v[name] = v_inf + (v[name] - v_inf) * np.exp(-DT / tau)
            fired = v[name] > node.v_threshold
            v[name][fired] = node.v_reset[fired]
            counts[name] += fired
            out[name] = fired
    return counts


def answers(model: Model, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    means = label_means(counts, model.neuron_label, len(model.labels))
    return np.asarray(means.argmax(axis=-1))


def ours(model: Model, parameters: NetworkParameters) -> list[NDArray[np.int64]]:
    """Return the spikes of each layer (faces, neurons)."""
    network = Network(model, parameters)
    counts = [network.present(face, STEPS).counts for face in FACES]
    return [np.array(layer) for layer in zip(*counts, strict=True)]


def theirs(model: Model, graph: Any) -> dict[str, NDArray[np.int64]]:
    rheobase = nir_graph.own_parameters(model).lif.rheobase
    currents = [encoding.currents(face.ravel(), model.statistics, rheobase) for face in FACES]
    counts = [simulate(graph, current) for current in currents]
    return {name: np.array([each[name] for each in counts]) for name in counts[0]}


@pytest.fixture(scope="module")
def model() -> Model:
    return trained_model()


@pytest.fixture
def file(model: Model, tmp_path: Path) -> Path:
    path = tmp_path / "network.nir"
    path.write_bytes(nir_graph.to_bytes(model))
    return path


def test_another_simulator_gives_the_same_answers(model: Model, file: Path) -> None:
    graph = nir.read(file)
    layers, got = ours(model, nir_graph.own_parameters(model)), theirs(model, graph)
    same = answers(model, layers[-1]) == answers(model, got["expression"])
    assert same.mean() >= 0.95
    assert got["feature"].sum() == pytest.approx(layers[0].sum(), rel=0.05)
    # Their input is far stronger than that for which the lower reset is exact, so they fire more.
    assert np.corrcoef(got["expression"].ravel(), layers[-1].ravel())[0, 1] > 0.9
    assert graph.metadata["labels"].split(",") == list(model.labels)
    np.testing.assert_array_equal(graph.metadata["neuron_label"], model.neuron_label)


def test_without_a_refractory_time_every_spike_is_the_same(model: Model) -> None:
    free = replace(model, parameters={"t_ref": 0.0})
    parameters = nir_graph.own_parameters(free)
    got = theirs(free, nir_graph.to_graph(free, parameters))
    expected = dict(zip(got, ours(free, parameters), strict=True))
    for name in got:
        # In double precision a potential may reach the threshold a step later.
        assert np.abs(got[name] - expected[name]).sum() <= 1e-3 * expected[name].sum(), name


def test_the_lowered_reset_makes_up_for_the_refractory_time() -> None:
    lif = NetworkParameters().lif
    v_inf = nir_graph.TYPICAL * lif.rheobase_v
    begin = nir_graph.lowered_reset(lif, DT)
    after = v_inf + (begin - v_inf) * np.exp(-lif.t_ref / lif.tau_m)
    assert after == pytest.approx(lif.v_reset - lif.v_rest)


def test_a_graph_becomes_a_network_again(model: Model, file: Path) -> None:
    back = nir_graph.read(file, model)
    known = ours(model, nir_graph.own_parameters(model))
    for expected, got in zip(known, ours(back, nir_graph.own_parameters(back)), strict=True):
        # Weights differ by their rounding, so a few potentials reach the threshold a step later.
        assert np.abs(got - expected).sum() <= 2e-3 * expected.sum()
    assert (back.labels, back.feature_spec) == (model.labels, model.feature_spec)


def test_a_deep_network_comes_back_with_what_skips_layers(tmp_path: Path) -> None:
    hidden = (HiddenLayer(3, 3, 8), HiddenLayer(2, 1, 8))
    deep = small_model(Architecture(hidden=hidden, neurons_per_label=2))
    path = tmp_path / "deep.nir"
    path.write_bytes(nir_graph.to_bytes(deep))
    back = nir_graph.read(path, deep)
    assert [stage.skips for stage in back.stages] == [False, False, True]
    known = ours(deep, nir_graph.own_parameters(deep))
    for expected, got in zip(known, ours(back, nir_graph.own_parameters(back)), strict=True):
        assert np.abs(got - expected).sum() <= 2e-3 * expected.sum()
    assert known[1].sum() and known[2].sum()

    graph = nir.read(path)
    graph.edges.remove(("hidden_to_expression", "expression"))
    del graph.nodes["hidden_to_expression"]
    graph.edges.remove(("hidden", "hidden_to_expression"))
    assert not nir_graph.read(altered(path, graph), deep).stages[-1].skips
    graph.edges.append(("feature_to_hidden", "hidden_2"))
    with pytest.raises(ConfigurationError, match="layer 'hidden_2' has to be driven"):
        nir_graph.read(altered(path, graph), deep)
    graph.edges[-1] = ("hidden_2", "hidden_to_hidden_2")
    with pytest.raises(ConfigurationError, match="in a circle"):
        nir_graph.read(altered(path, graph), deep)


def test_lateral_inhibition_is_refused(model: Model) -> None:
    with pytest.raises(ConfigurationError, match="'expression' has lateral inhibition"):
        nir_graph.to_bytes(replace(model, parameters={"alpha": 0.5}))


def altered(file: Path, graph: Any) -> Path:
    nir.write(file, graph)
    return file


def test_what_cannot_be_imported(model: Model, file: Path) -> None:
    graph = nir.read(file)
    size = np.array([len(graph.nodes["feature"].v_threshold)])
    chain = [graph.nodes["feature"], graph.nodes["feature_to_hidden"], graph.nodes["hidden"]]
    for nodes, what in (
        (chain, "32 expression neurons"),
        (chain[:2], "has the nodes Input, LIF, Linear, Output"),
        ([nir.Scale(np.ones(size)), *chain], "has the nodes Input, Scale, LIF"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            nir_graph.read(altered(file, nir.NIRGraph.from_list(*nodes)), model)
    graph.nodes["second"] = nir.Output(np.array([len(graph.nodes["hidden"].v_threshold)]))
    graph.edges.append(("hidden", "second"))
    with pytest.raises(ConfigurationError, match="branches"):
        nir_graph.read(altered(file, graph), model)


def test_neurons_that_differ_are_refused(model: Model, file: Path) -> None:
    graph = nir.read(file)
    graph.nodes["hidden"].tau_mem[3] *= 2
    with pytest.raises(ConfigurationError, match="tau differs between neurons"):
        nir_graph.read(altered(file, graph), model)


def test_another_file_is_no_graph(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "text.nir"
    path.write_text("no graph")
    with pytest.raises(ConfigurationError, match="is no NIR file"):
        nir_graph.read(path, model)
