from __future__ import annotations

import math

import pytest

from fer_bench.plain import A_POST, A_PRE, TAU_POST, TAU_PRE, Neuron, PlainNetwork, Synapse


@pytest.mark.parametrize(
    ("difference", "change"),
    [
        (0.005, A_PRE * math.exp(-0.005 / TAU_PRE)),
        (-0.005, A_POST * math.exp(-0.005 / TAU_POST)),
        (0.0, 0.0),
    ],
)
def test_a_pair_of_spikes_changes_the_weight_by_the_window(
    difference: float, change: float
) -> None:
    synapse = Synapse(Neuron(), Neuron(), 0.5)
    synapse.pre.last_spike, synapse.post.last_spike = 1.0, 1.0 + difference
    synapse.learn(max(1.0, 1.0 + difference))
    assert synapse.weight == pytest.approx(0.5 + change)
    synapse.learn(2.0)
    assert synapse.weight == pytest.approx(0.5 + change)


def test_the_network_fires_under_strong_input_and_rests_without() -> None:
    network = PlainNetwork(20, 2, gain=0.05)
    for _ in range(50):
        network.step([0.0] * 20, plastic=True)
    assert math.isinf(network.post[0].last_spike)
    for _ in range(50):
        network.step([0.1] * 20, plastic=True)
    assert not math.isinf(network.post[0].last_spike)
