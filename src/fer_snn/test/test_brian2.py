"""Neurons and STDP against spike trains and weights that Brian2 computed in double precision.

`bench/fer_bench/brian2_reference.py` wrote them, and says what the arrays are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_snn.core.neurons import lif
from fer_snn.core.synapses import stdp
from fer_snn.core.synapses.stdp import PairSTDP
from fer_snn.core.synapses.wiring import Wiring

DT = 1e-3
CASES = range(4)
REFERENCE = np.load(Path(__file__).parent / "reference" / "brian2.npz")
#: Of single precision, over some hundred changes of a weight.
ROUNDING = 2e-6


def of(kind: str, case: int, name: str) -> np.ndarray:
    return np.asarray(REFERENCE[f"{kind}_{case}_{name}"])


@pytest.mark.parametrize("case", CASES)
def test_neurons_fire_in_the_same_steps(case: int) -> None:
    tau_m, v_rest, v_th, v_reset, t_ref = map(float, of("lif", case, "values"))
    parameters = lif.LIFParameters(tau_m, 1.0, v_rest, v_th, v_reset, t_ref)
    expected = of("lif", case, "spikes")
    current = (of("lif", case, "v_inf") - v_rest).astype(np.float32)
    constants = lif.discretise(parameters, DT)
    state = lif.resting(len(current), parameters)
    silent = np.zeros(len(current), np.float32)
    got = np.zeros_like(expected)
    for step in range(len(expected)):
        state, got[step] = lif.step(state, current, constants, silent)
    assert expected.any(axis=0).sum() >= 26
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("case", CASES)
def test_weights_are_the_same(case: int) -> None:
    parameters = stdp.STDPParameters(*map(float, of("stdp", case, "values")))
    pre, post = of("stdp", case, "pre"), of("stdp", case, "post")
    weights, expected = of("stdp", case, "before").copy(), of("stdp", case, "after")
    x, y = np.zeros(12, np.float32), np.zeros(12, np.float32)
    wiring = Wiring.fully_connected((12, 1, 1), 12)
    learning = PairSTDP(wiring, weights, x, y, len(pre), stdp.discretise(parameters, DT))
    for arrived, fired in zip(pre, post, strict=True):
        learning.potentiate(arrived)
        learning.depress(arrived)
        learning.end_step(arrived, fired)
    learning.settle()
    np.testing.assert_allclose(weights, expected, rtol=0, atol=ROUNDING)
    assert np.abs(expected - of("stdp", case, "before")).max() > 0.1
