"""Run a NIR graph in Brian2, from what the graph says alone.

Runs in the peers' environment and imports nothing of fer. Started as `python nir_peer.py GRAPH.nir
CASE.npz RESULT.npz`. The case holds `dt` (seconds), `steps`, and the input currents of each face
(faces, neurons); the result, by the name of each node, the number of spikes (faces, neurons).

Brian2 integrates the equations of NIR exactly. A spike reaches the next layer one step later, so a
run has one more step for each layer.
"""

from __future__ import annotations

import sys
from typing import Any

import brian2 as b2
import nir
import numpy as np

MEMBRANE = "dv/dt = (v_leak - v + r * current) / tau : 1\n"
CONSTANTS = "v_leak : 1\nv_threshold : 1\nv_reset : 1\nr : 1\ntau : second\n"
DRIVEN = "dcurrent/dt = -current / tau_syn : 1\ntau_syn : second\nw_in : 1\n"
#: Relative difference that two equal time constants get.
APART = 1e-6
ON_PRE = "current_post += w * w_in_post * dt / tau_syn_post"


def neurons(node: Any) -> b2.NeuronGroup:
    """Return the neurons of a LIF or CubaLIF node."""
    driven = isinstance(node, nir.CubaLIF)
    group = b2.NeuronGroup(
        node.v_threshold.size,
        MEMBRANE + CONSTANTS + (DRIVEN if driven else "current : 1\n"),
        threshold="v > v_threshold",
        reset="v = v_reset",
        method="exact",
    )
    for name in ("v_leak", "v_threshold", "v_reset", "r"):
        setattr(group, name, getattr(node, name))
    group.tau = (node.tau_mem if driven else node.tau) * b2.second
    if driven:
        # The exact solution divides by the difference of the two time constants.
        equal = np.isclose(node.tau_syn, node.tau_mem, rtol=APART)
        group.tau_syn = np.where(equal, (1 + APART) * node.tau_syn, node.tau_syn) * b2.second
        group.w_in = node.w_in
    return group


def synapses(weight: np.ndarray, before: b2.NeuronGroup, after: b2.NeuronGroup) -> b2.Synapses:
    """Return the synapses of a Linear node. A spike is a pulse of 1 that lasts one step."""
    result = b2.Synapses(before, after, "w : 1", on_pre=ON_PRE)
    post, pre = np.nonzero(weight)
    result.connect(i=pre, j=post)
    result.w = weight[post, pre]
    return result


def main() -> None:
    """Run all faces."""
    graph_file, case_file, result_file = sys.argv[1:]
    graph, case = nir.read(graph_file), np.load(case_file)
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = float(case["dt"]) * b2.second
    groups = {
        name: neurons(node)
        for name, node in graph.nodes.items()
        if isinstance(node, (nir.LIF, nir.CubaLIF))
    }
    source = {after: before for before, after in graph.edges}
    target = {before: after for before, after in graph.edges}
    projections = [
        synapses(node.weight, groups[source[name]], groups[target[name]])
        for name, node in graph.nodes.items()
        if isinstance(node, nir.Linear)
    ]
    monitors = {name: b2.SpikeMonitor(group, record=False) for name, group in groups.items()}
    network = b2.Network(*groups.values(), *projections, *monitors.values())
    network.store()
    fed = next(after for before, after in graph.edges if isinstance(graph.nodes[before], nir.Input))
    counts: dict[str, list[np.ndarray]] = {name: [] for name in groups}
    for currents in case["currents"]:
        network.restore()
        groups[fed].current = currents
        network.run((int(case["steps"]) + len(groups) - 1) * b2.defaultclock.dt)
        for name, monitor in monitors.items():
            counts[name].append(np.array(monitor.count))
    np.savez_compressed(
        result_file, allow_pickle=False, **{k: np.array(v) for k, v in counts.items()}
    )


if __name__ == "__main__":
    main()
