# %% [markdown]
# # Learning without labels
#
# A network with random weights sees two kinds of patterns, without being told which is which. Pair
# STDP with lateral inhibition makes its neurons respond to different ones. `fer train
# --unsupervised` does the same with faces.

# %%
import matplotlib.pyplot as plt
import numpy as np

from fer_snn import (
    Architecture,
    FeatureStatistics,
    Network,
    NetworkParameters,
    STDPParameters,
    untrained_model,
)

SHAPE = (2, 6, 6)
rng = np.random.default_rng(0)


def pattern(kind):
    """Return a map (channels, rows, cols) that is bright in its upper or its lower half."""
    values = rng.uniform(0.2, 0.4, SHAPE)
    values[:, 3 * kind : 3 * kind + 3] += 0.4
    return values.astype(np.float32)


kinds = rng.integers(0, 2, 200)
patterns = np.array([pattern(kind) for kind in kinds])
statistics = FeatureStatistics.of(patterns)
architecture = Architecture(hidden=(), neurons_per_label=2)
model = untrained_model(("a", "b"), "made up", SHAPE, statistics, architecture=architecture, seed=1)
rule = STDPParameters(a_pre=1e-3, a_post=-1.05e-3)
network = Network(model, NetworkParameters(stdp=rule, tau_w=0.0))

# %%
before = network.model.stages[-1].weights.copy()
state = network.new_face()
for each in patterns:
    network.advance(state, each, 60, plastic=True)
after = network.model.stages[-1].weights
print(f"mean change of a weight: {np.abs(after - before).mean():.3f}")
assert np.isfinite(after).all() and not np.array_equal(before, after)

# %% [markdown]
# How often each neuron fires for each kind, and what it responds to: the weights of its ON neurons
# minus those of its OFF neurons.

# %%
counts = np.array([network.present(each, 60).counts[-1] for each in patterns])
for neuron, spikes in enumerate(counts.T):
    rates = [spikes[kinds == kind].mean() for kind in (0, 1)]
    print(f"neuron {neuron}: {rates[0]:.1f} spikes for one kind, {rates[1]:.1f} for the other")
on, off = np.split(after.T.reshape(-1, 2 * SHAPE[0], *SHAPE[1:]), 2, axis=1)
figure, axes = plt.subplots(1, len(after.T), layout="constrained")
for axis, field in zip(axes, (on - off).sum(axis=1)):
    axis.imshow(field, cmap="RdBu_r")
