# %% [markdown]
# # How a face becomes spikes
#
# A picture, the aligned face in it, its Gabor energy, the currents of the ON and OFF neurons, the
# spikes of every layer, and the answer.

# %%
import cv2
import matplotlib.pyplot as plt
import numpy as np

from fer_camera.core.sources import demo_path
from fer_features.core.pipeline import FeaturePipeline
from fer_snn import Network, RecordedLayers, default_weights_path, load_weights
from fer_snn.core.neurons import encoding
from fer_snn.core.readout import label_means

capture = cv2.VideoCapture(str(demo_path()))
_, picture = capture.read()
capture.release()
(face,) = FeaturePipeline().process_still(picture)

# %% [markdown]
# The features: 8 orientations at 3 scales, in 12 x 12 cells. Here the energy of each cell, summed
# over orientations and scales.

# %%
model = load_weights(default_weights_path())
features = face.features.reshape(model.feature_shape)
plt.figure()
plt.imshow(features.sum(axis=0), cmap="gray")
plt.title("Gabor energy")
print("channels, rows, columns:", features.shape)

# %% [markdown]
# Each feature drives an ON and an OFF neuron by how far it is above or below its mean.

# %%
network = Network(model)
rheobase = network.parameters.lif.rheobase
currents = encoding.currents(features.ravel(), model.statistics, rheobase)
print(f"{(currents > rheobase).mean():.0%} of the feature neurons get enough current to fire")

# %% [markdown]
# 60 ms of the network, from rest.

# %%
layers = network.layer_names
activity = network.advance(
    network.new_face(), features, 60, RecordedLayers(spikes=layers, potentials=layers[-1:])
)
figure, axes = plt.subplots(len(layers), sharex=True, layout="constrained")
for name, axis in zip(layers, axes):
    neuron, step = activity.layers[name].events()
    axis.scatter(step, neuron, s=2, marker="|")
    axis.set_ylabel(name)
    print(f"{name}: {len(neuron)} spikes of {len(activity.layers[name].counts)} neurons")
axes[-1].set_xlabel("time / ms")

# %%
spikes = label_means(activity.counts[-1], model.neuron_label, len(model.labels))
print("spikes per neuron:", dict(zip(model.labels, spikes.round(2).tolist())))
assert np.argmax(spikes) >= 0 and spikes.sum() > 0
