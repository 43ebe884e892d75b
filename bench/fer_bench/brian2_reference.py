"""Write the spike trains and weights of Brian2 that the tests of fer_snn compare with.

Runs in the peers' environment and imports nothing of fer:

    .fer/bench/bin/python bench/fer_bench/brian2_reference.py src/fer_snn/test/reference/brian2.npz

Brian2 computes in double precision. The arrays of the file, for case k:

    lif_k_values       tau_m, v_rest, v_th, v_reset, t_ref (seconds, volts)
    lif_k_v_inf        potential that each neuron tends to, volts (neurons)
    lif_k_spikes       whether a neuron fired in a step (steps, neurons)
    stdp_k_values      a_pre, a_post, tau_pre, tau_post, w_min, w_max
    stdp_k_pre, _post  spikes of both sides (steps, neurons)
    stdp_k_before, _after    weights (n_pre, n_post)
"""

from __future__ import annotations

import sys

import brian2 as b2
import numpy as np

DT_S = 1e-3
STEPS = 600
LIF_CASES = (
    (0.020, -0.070, -0.050, -0.075, 0.002),
    (0.020, -0.070, -0.050, -0.075, 0.0),
    (0.005, -0.065, -0.055, -0.065, 0.005),
    (0.100, -0.060, -0.045, -0.080, 0.001),
)
STDP_CASES = (
    (0.005, -0.002, 0.020, 0.020, -10.0, 10.0),
    (0.005, -0.00525, 0.010, 0.040, -10.0, 10.0),
    (-0.004, 0.003, 0.040, 0.010, -10.0, 10.0),
    (0.050, -0.060, 0.020, 0.020, 0.0, 1.0),
)
RATES = (0.02, 0.06, 0.15)
"""Probability of a spike in a step."""


def lif(values: tuple[float, ...], towards: np.ndarray) -> np.ndarray:
    """Return the spikes of neurons under constant currents (steps, neurons)."""
    tau_m, v_rest, v_th, v_reset, t_ref = values
    group = b2.NeuronGroup(
        len(towards),
        "dv/dt = (v_inf - v) / tau : 1 (unless refractory)\nv_inf : 1 (constant)",
        threshold=f"v >= {v_th}",
        reset=f"v = {v_reset}",
        # Brian2 counts the step of the spike among the refractory ones.
        refractory=(t_ref + DT_S) * b2.second,
        method="exact",
        namespace={"tau": tau_m * b2.second},
    )
    group.v, group.v_inf = v_rest, towards
    monitor = b2.SpikeMonitor(group)
    b2.Network(group, monitor).run(STEPS * DT_S * b2.second)
    return _raster(monitor, len(towards))


def stdp(
    values: tuple[float, ...], pre: np.ndarray, post: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """Return the weights after spikes (steps, neurons) of both sides.

    Both sides read the traces of earlier spikes: the order of the four paths says so.
    """
    a_pre, a_post, tau_pre, tau_post, w_min, w_max = values
    sides = [b2.SpikeGeneratorGroup(spikes.shape[1], *_events(spikes)) for spikes in (pre, post)]
    synapses = b2.Synapses(
        *sides,
        "w : 1\ndx/dt = -x / tau_x : 1 (event-driven)\ndy/dt = -y / tau_y : 1 (event-driven)",
        on_pre={"w_pre": f"w = clip(w + {a_post} * y, {w_min}, {w_max})", "x_pre": "x += 1"},
        on_post={"w_post": f"w = clip(w + {a_pre} * x, {w_min}, {w_max})", "y_post": "y += 1"},
        namespace={"tau_x": tau_pre * b2.second, "tau_y": tau_post * b2.second},
    )
    for order, path in enumerate(("w_pre", "w_post", "x_pre", "y_post")):
        getattr(synapses, path).order = order
    synapses.connect()
    synapses.w = before.ravel()
    b2.Network(*sides, synapses).run(STEPS * DT_S * b2.second)
    return np.array(synapses.w).reshape(before.shape)


def _events(spikes: np.ndarray) -> tuple[np.ndarray, b2.Quantity]:
    step, neuron = np.nonzero(spikes)
    return neuron, step * DT_S * b2.second


def _raster(monitor: b2.SpikeMonitor, neurons: int) -> np.ndarray:
    raster = np.zeros((STEPS, neurons), np.bool_)
    raster[np.rint(monitor.t / b2.second / DT_S).astype(int), monitor.i] = True
    return raster


def main() -> None:
    """Run all cases and write the file."""
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = DT_S * b2.second
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for k, neuron in enumerate(LIF_CASES):
        _, v_rest, v_th, *_ = neuron
        towards = v_rest + (v_th - v_rest) * np.linspace(0.9, 8, 28)
        arrays |= {
            f"lif_{k}_values": np.array(neuron),
            f"lif_{k}_v_inf": towards,
            f"lif_{k}_spikes": lif(neuron, towards),
        }
    for k, window in enumerate(STDP_CASES):
        pre, post = (rng.random((STEPS, 12)) < np.repeat(RATES, 4) for _ in range(2))
        before = rng.uniform(0.3, 0.7, (12, 12)).astype(np.float32)
        arrays |= {
            f"stdp_{k}_values": np.array(window),
            f"stdp_{k}_pre": pre,
            f"stdp_{k}_post": post,
            f"stdp_{k}_before": before,
            f"stdp_{k}_after": stdp(window, pre, post, before),
        }
    arrays["version"] = np.array(b2.__version__)
    np.savez_compressed(sys.argv[1], allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
