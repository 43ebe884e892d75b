"""The neuron against its closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_snn.core.neurons import lif

P = lif.LIFParameters()
DT = 1e-3


def steps_to_threshold(v: float, current: float, parameters: lif.LIFParameters, dt: float) -> float:
    """Return the number of steps until V reaches the threshold under a constant current, or inf.

    Solves V_inf + (V - V_inf) exp(-k dt / tau_m) >= V_th for the smallest whole k >= 1.
    """
    v_inf = parameters.v_rest + parameters.r_m * current
    if v_inf <= parameters.v_th:
        return math.inf
    crossing = parameters.tau_m * math.log((v_inf - v) / (v_inf - parameters.v_th))
    return max(1, math.ceil(crossing / dt))


def spike_steps(
    current: float, n_steps: int, parameters: lif.LIFParameters, dt: float
) -> list[int]:
    """Return the steps (from 0) in which a neuron at rest fires under a constant current."""
    fired: list[int] = []
    wait = steps_to_threshold(parameters.v_rest, current, parameters, dt)
    period = round(parameters.t_ref / dt) + steps_to_threshold(
        parameters.v_reset, current, parameters, dt
    )
    while wait <= n_steps:
        fired.append(int(wait) - 1)
        wait += period
    return fired


def firing_rate(current: float, parameters: lif.LIFParameters) -> float:
    """Return the steady firing rate under a constant current in continuous time, hertz.

    f = 1 / (t_ref + tau_m ln((V_inf - V_reset) / (V_inf - V_th))), and 0 at or below the rheobase.
    """
    v_inf = parameters.v_rest + parameters.r_m * current
    if v_inf <= parameters.v_th:
        return 0.0
    climb = math.log((v_inf - parameters.v_reset) / (v_inf - parameters.v_th))
    return 1.0 / (parameters.t_ref + parameters.tau_m * climb)


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
    expected = spike_steps(current, 200, parameters, DT)
    simulated = simulate(current, 200, parameters, DT)
    # A potential that meets the threshold within rounding may do so a step earlier or later.
    assert abs(len(expected) - len(simulated)) <= 1
    assert abs(expected[0] - simulated[0]) <= 1


def test_rate_tends_to_the_closed_form_with_small_steps() -> None:
    current = 3 * P.rheobase
    spikes = simulate(current, 200_000, P, 1e-5)
    assert len(spikes) / 2.0 == pytest.approx(firing_rate(current, P), rel=0.005)


def test_nothing_fires_at_or_below_the_rheobase() -> None:
    assert firing_rate(P.rheobase, P) == 0
    assert spike_steps(0.99 * P.rheobase, 1000, P, DT) == []
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
