"""The network of fer in Brian2, as a process that is told what to do line by line.

Runs in the peers' environment and imports nothing of fer. Started as `python brian2_peer.py
CASE.npz CACHE_FOLDER`; each line of standard input is a number of steps to make in one `run`, the
answer is one line of JSON: CPU seconds of that call, those of its main loop alone (without what it
does before and after: namespaces, looking up compiled code), and spikes of both layers so far.

The case holds the constants by the names that they have below, the potential that each input
neuron tends to, `v_inf` (n_pre), and first weights, `w` (n_pre, n_post). `exponential_euler`
holds the drive constant within a step, as fer does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import brian2 as b2
import numpy as np

LIF = "dv/dt = (v_inf - v) / tau_m : 1 (unless refractory)\n"
INPUT = LIF + "v_inf : 1 (constant)\n"
OUTPUT = LIF + "v_inf = v_rest + current : 1\ncurrent : 1\nds/dt = -s / tau_s : 1\n"
RESET = "v = v_reset"

# Traces kept by the neurons, not by each synapse: what is fastest in Brian2.
X, Y = "dx/dt = -x / tau_pre : 1\n", "dy/dt = -y / tau_post : 1\n"
ON_PRE = "s_post += w\nw = clip(w + a_post * y_post, w_min, w_max)"
ON_POST = "w = clip(w + a_pre * x_pre, w_min, w_max)"


Inhibit = Callable[[dict[str, np.ndarray], b2.NeuronGroup], "b2.NetworkOperation | None"]


def build(
    case: dict[str, np.ndarray], inhibit: Inhibit
) -> tuple[b2.Network, list[b2.SpikeMonitor]]:
    """Return the network and the counters of the spikes of both layers.

    Parameters
    ----------
    inhibit : lets the output neurons compute their currents in each step; may return what does it.
    """
    times = ("tau_m", "tau_s", "tau_pre", "tau_post")
    values = ("v_rest", "v_th", "v_reset", "a_pre", "a_post", "w_min", "w_max")
    names = {name: float(case[name]) * b2.second for name in times}
    names |= {name: float(case[name]) for name in values}
    dt = b2.defaultclock.dt
    neuron = {
        "threshold": "v >= v_th",
        # Brian2 counts the step of the spike among the refractory ones.
        "refractory": float(case["t_ref"]) * b2.second + dt,
        "method": "exponential_euler",
        "namespace": names,
    }
    plastic = bool(case["plastic"])
    n_pre, n_post = case["w"].shape
    pre = b2.NeuronGroup(n_pre, INPUT + X * plastic, reset=RESET + "\nx += 1" * plastic, **neuron)
    post = b2.NeuronGroup(
        n_post, OUTPUT + Y * plastic, reset=RESET + "\ny += 1" * plastic, **neuron
    )
    pre.v = post.v = names["v_rest"]
    pre.v_inf = case["v_inf"]
    paths = {"on_pre": ON_PRE, "on_post": ON_POST} if plastic else {"on_pre": "s_post += w"}
    synapses = b2.Synapses(pre, post, "w : 1", namespace=names, **paths)
    synapses.connect()
    synapses.w = case["w"].ravel()
    counters = [b2.SpikeMonitor(group, record=False) for group in (pre, post)]
    inhibition = inhibit(case, post)
    parts = [pre, post, synapses, *counters, *([inhibition] if inhibition else [])]
    return b2.Network(parts), counters


def in_python(case: dict[str, np.ndarray], post: b2.NeuronGroup) -> b2.NetworkOperation:
    """Return what computes the currents of a group with NumPy."""
    drive, current = post.variables["s"], post.variables["current"]
    gain, beta, alpha = (float(case[name]) for name in ("gain", "beta", "alpha"))

    @b2.network_operation(when="before_groups")
    def inhibit() -> None:
        received = gain * drive.get_value()
        received -= beta * received.mean()
        winner = received.argmax()
        strongest = received[winner]
        if strongest > 0:
            received -= alpha * strongest
            received[winner] = strongest
        current.set_value(received)

    return inhibit


def main() -> None:
    """Build what the case says, then make steps until standard input ends."""
    case_file, cache = sys.argv[1:]
    b2.prefs.codegen.target = "cython"
    b2.prefs.codegen.runtime.cython.cache_dir = cache
    b2.BrianLogger.suppress_name("method_choice")
    case = dict(np.load(case_file))
    dt = float(case["dt"]) * b2.second
    b2.defaultclock.dt = dt
    network, counters = build(case, in_python)
    marks: list[float] = []

    def mark(*_: object) -> None:
        # Called by Brian2 as its main loop begins and as it ends.
        marks.append(time.process_time())

    for line in sys.stdin:
        marks.clear()
        begin_s = time.process_time()
        network.run(int(line) * dt, report=mark, report_period=1e6 * b2.second)
        answer = {
            "call_s": time.process_time() - begin_s,
            "loop_s": marks[-1] - marks[0],
            "spikes": [int(counter.num_spikes) for counter in counters],
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
