"""The neuron against its closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.neurons import lif

P = lif.LIFParameters()
DT = 1e-3


def simulate(current: float, n_steps: int, parameters: lif.LIFParameters, dt: float) -> list[int]:
    state = lif.resting(1, parameters)
    constants = lif.discretise(parameters, dt)
    drive, theta = np.full(1, current, np.float32), np.zeros(1, np.float32)
    fired = []
    for step in range(n_steps):
        state, spikes = lif.step(state, drive, constants, theta)
        if spikes[0]:
            fired.append(step)
    return fired


def test_membrane_relaxes_exactly_however_long_the_step() -> None:
    state = lif.LIFState(np.full(1, -0.06, np.float32), np.zeros(1, np.int32))
    current = np.full(1, 0.01, np.float32)
    after, fired = lif.step(state, current, lif.discretise(P, 0.05), np.zeros(1, np.float32))
    v_inf = -0.070 + 0.01
    expected = v_inf + (-0.06 - v_inf) * math.exp(-0.05 / 0.020)
    assert after.v[0] == pytest.approx(expected, abs=1e-7)
    assert not fired[0]


@settings(max_examples=60, deadline=None)
@given(
    excess=st.floats(1.05, 8.0),
    tau_m=st.floats(0.005, 0.05),
    t_ref=st.integers(0, 5).map(lambda steps: steps * DT),
)
def test_spike_steps_are_those_of_the_closed_form(
    excess: float, tau_m: float, t_ref: float
) -> None:
    parameters = lif.LIFParameters(tau_m=tau_m, t_ref=t_ref)
    current = excess * parameters.rheobase
    expected = lif.spike_steps(current, 200, parameters, DT)
    simulated = simulate(current, 200, parameters, DT)
    # A potential that meets the threshold within rounding may do so a step earlier or later.
    assert abs(len(expected) - len(simulated)) <= 1
    assert abs(expected[0] - simulated[0]) <= 1


def test_rate_tends_to_the_closed_form_with_small_steps() -> None:
    current = 3 * P.rheobase
    spikes = simulate(current, 40_000, P, 5e-5)
    assert len(spikes) / 2.0 == pytest.approx(lif.firing_rate(current, P), rel=0.005)


def test_nothing_fires_at_or_below_the_rheobase() -> None:
    assert lif.firing_rate(P.rheobase, P) == 0
    assert lif.spike_steps(0.99 * P.rheobase, 1000, P, DT) == []
    assert simulate(0.99 * P.rheobase, 1000, P, DT) == []


def test_neuron_is_held_at_reset_for_the_refractory_period() -> None:
    state = lif.LIFState(np.full(1, -0.0501, np.float32), np.zeros(1, np.int32))
    current, theta = np.full(1, 1.0, np.float32), np.zeros(1, np.float32)
    constants = lif.discretise(P, DT)
    history = []
    for _ in range(4):
        state, fired = lif.step(state, current, constants, theta)
        history.append((bool(fired[0]), float(state.v[0])))
    reset = pytest.approx(-0.075)
    assert history[0] == (True, reset)
    assert history[1] == history[2] == (False, reset)
    assert history[3][0]


def test_adaptation_raises_the_threshold_of_one_neuron_only() -> None:
    state = lif.LIFState(np.full(2, -0.0501, np.float32), np.zeros(2, np.int32))
    theta = np.array([0.0, 0.01], np.float32)
    _, fired = lif.step(state, np.full(2, 0.03, np.float32), lif.discretise(P, DT), theta)
    assert fired.tolist() == [True, False]


@pytest.mark.parametrize(
    "wrong", [{"tau_m": 0.0}, {"r_m": -1.0}, {"t_ref": -1e-3}, {"v_reset": -0.05}, {"v_rest": 0.0}]
)
def test_impossible_constants_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        lif.LIFParameters(**wrong)
