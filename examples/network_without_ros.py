"""Shows a face to the spiking network, without ROS, and prints its spikes and its answer.

The face is a feature map: the one that the network associates most with "smile". Needs NumPy and,
for speed, numba:  PYTHONPATH=src/fer_snn:src/fer_common python3 examples/network_without_ros.py
"""

import numpy as np

from fer_snn import (
    FaceInput,
    FeatureFrame,
    Recogniser,
    RecordedLayers,
    default_weights_path,
    load_weights,
)

model = load_weights(default_weights_path())
on, off = np.split(model.receptive_fields()[model.labels.index("smile")], 2)
mean, deviation = model.statistics.mean, model.statistics.deviation
pattern = (on - off) / (on - off).std()
# Half a standard deviation: a stronger pattern is no face any more, and the answer is undecided.
face = np.maximum(mean + 0.5 * deviation * pattern, 0).reshape(model.feature_shape)

recogniser, recording = Recogniser(model), RecordedLayers(spikes=("expression",))
for k in range(1, 4):
    faces = [FaceInput(id=1, area_px=100 * 100, features=face)]
    result = recogniser.process(FeatureFrame(k * 33_333_333, faces, recording)).faces[0]
    neuron, step = result.activity.layers["expression"].events()
    print(f"frame {k}: {len(neuron)} spikes, as neuron@step:")
    print("  ", *(f"{n}@{s}" for n, s in zip(neuron[:20], step[:20], strict=True)), "...")
    label = model.labels[result.answer.best] if result.answer.decided else "undecided"
    print(f"   {label}, confidence {result.answer.confidence:.2f}")
