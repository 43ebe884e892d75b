# %% [markdown]
# # Record, replay and analyse a bag
#
# In a terminal, beside `./fer up --source demo`:
#
# ```sh
# ./fer bag record -o run --duration 10
# ./fer bag play run --graph --record again   # the same pictures through new nodes
# ./fer bag diff run again                    # the same spikes, bit for bit
# ```
#
# Then the spikes and answers of the bag, with times by the rule of the stamps.

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from fer.bags.reading import opened
from fer_train import export, recording

bag = Path(sys.argv[1] if len(sys.argv) > 1 else "run")
with opened(bag) as recorded:
    tables = export.tables(recording.read(recorded))
for name, columns in tables.items():
    print(f"{name}: {len(columns['time_ns'])} rows of {', '.join(columns)}")

# %% [markdown]
# The rate of each neuron, and how regular it fires: the coefficient of variation of the intervals
# between its spikes is 0 for a clock and 1 for a Poisson process.

# %%
spikes = tables["spikes"]
time_s = (spikes["time_ns"] - spikes["time_ns"].min()) / 1e9
for neuron in np.unique(spikes["neuron"]):
    train_s = np.sort(time_s[spikes["neuron"] == neuron])
    intervals_s = np.diff(train_s)
    if len(intervals_s) > 1:
        variation = intervals_s.std() / intervals_s.mean()
        print(f"neuron {neuron}: {len(train_s) / time_s.max():.1f} Hz, variation {variation:.2f}")

# %%
figure, axis = plt.subplots()
axis.scatter(time_s, spikes["neuron"], s=2, marker="|")
axis.set(xlabel="time / s", ylabel="neuron")

# %% [markdown]
# How long each answer lasted.

# %%
answers = tables["expressions"]
for label in np.unique(answers["label"]):
    print(f"{label}: {(answers['label'] == label).mean():.0%} of the answers")
