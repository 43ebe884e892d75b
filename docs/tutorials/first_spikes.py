# %% [markdown]
# # First spikes
#
# A leaky integrate-and-fire neuron under a constant current: its potential, its spikes, and its
# f-I curve. The potential follows $\tau_m \dot V = -(V - V_{rest}) + R_m I$. At $V_{th}$ the
# neuron fires, and is held at $V_{reset}$ for $t_{ref}$.

# %%
import matplotlib.pyplot as plt
import numpy as np

from fer_snn import LIFParameters
from fer_snn.core.neurons import lif

DT = 1e-3
neuron = LIFParameters()
constants = lif.discretise(neuron, DT)


def run(currents, steps):
    """Return potentials (V) and spikes of one neuron for each current (A), both (steps, n)."""
    currents = np.asarray(currents, np.float32)
    state, theta = lif.resting(len(currents), neuron), np.zeros(len(currents), np.float32)
    potentials, spikes = [], []
    for _ in range(steps):
        state, fired = lif.step(state, currents, constants, theta)
        potentials.append(state.v)
        spikes.append(fired)
    return np.array(potentials), np.array(spikes)


# %% [markdown]
# One neuron at 1.5 times the smallest current that makes it fire (its rheobase).

# %%
potentials, spikes = run([1.5 * neuron.rheobase], 200)
plt.figure()
plt.plot(1e3 * potentials[:, 0])
plt.xlabel("time / ms")
plt.ylabel("potential / mV")
print(f"{spikes.sum()} spikes in 200 ms")

# %% [markdown]
# The period of a neuron with $V_\infty = V_{rest} + R_m I$ is
# $T = t_{ref} + \tau_m \ln \frac{V_\infty - V_{reset}}{V_\infty - V_{th}}$. In steps of 1 ms a
# spike comes up to one step later than that.

# %%
currents = neuron.rheobase * np.linspace(1.05, 4, 40)
_, spikes = run(currents, 2000)
# Between the first spike and the last: the first comes from rest, not from reset.
steps = [np.flatnonzero(train) for train in spikes.T]
measured_hz = np.array([(len(s) - 1) / ((s[-1] - s[0]) * DT) for s in steps])
v_inf = neuron.v_rest + neuron.r_m * currents
period_s = neuron.t_ref + neuron.tau_m * np.log((v_inf - neuron.v_reset) / (v_inf - neuron.v_th))
plt.figure()
plt.plot(currents / neuron.rheobase, 1 / period_s, label="closed form")
plt.plot(currents / neuron.rheobase, measured_hz, ".", label="measured")
plt.xlabel("current / rheobase")
plt.ylabel("rate / Hz")
plt.legend()
late_s = 1 / measured_hz - period_s
print(f"spikes come 0 to {1e3 * late_s.max():.2f} ms later than the closed form")
assert late_s.min() > -1e-5 and late_s.max() < DT
