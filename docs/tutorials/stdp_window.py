# %% [markdown]
# # The STDP window, measured
#
# A synapse between two neurons that fire once each: how its weight changes with the time between
# the spikes. The closed form is $A_{pre} e^{-\Delta t / \tau_{pre}}$ if the presynaptic neuron
# fires first, and $A_{post} e^{\Delta t / \tau_{post}}$ if it fires last.

# %%
import matplotlib.pyplot as plt
import numpy as np

from fer_snn import STDPParameters, Wiring
from fer_snn.core.synapses import stdp
from fer_snn.core.synapses.stdp import PairSTDP

DT, STEPS = 1e-3, 201
rule = STDPParameters(a_pre=0.005, a_post=-0.00525, w_min=-1.0, w_max=1.0)


def change(pre_step, post_step):
    """Return the change of a weight after one spike of each side."""
    weights = np.zeros((1, 1), np.float32)
    traces = np.zeros((2, 1), np.float32)
    wiring = Wiring.fully_connected((1, 1, 1), 1)
    learning = PairSTDP(wiring, weights, *traces, STEPS, stdp.discretise(rule, DT))
    for step in range(STEPS):
        arrived, fired = np.array([step == pre_step]), np.array([step == post_step])
        learning.potentiate(arrived)
        learning.depress(arrived)
        learning.end_step(arrived, fired)
    learning.settle()
    return float(weights[0, 0])


# %%
intervals = np.arange(-80, 81, 4)
measured = np.array([change(100, 100 + int(k)) for k in intervals])
expected = np.array([stdp.window(k * DT, rule) for k in intervals])
plt.figure()
plt.plot(intervals, expected, label="closed form")
plt.plot(intervals, measured, ".", label="measured")
plt.xlabel("post - pre / ms")
plt.ylabel("change of the weight")
plt.legend()
print(f"largest difference: {np.abs(measured - expected).max():.1e}")
assert np.allclose(measured, expected, atol=1e-6)
