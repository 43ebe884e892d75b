"""Reads a bag with rosbags, without ROS, and plots the spikes of the expression layer.

./fer exec python3 examples/raster.py BAG raster.png
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from rosbags.highlevel import AnyReader

bag, picture = sys.argv[1:]
times_s, neurons = [], []
with AnyReader([Path(bag)]) as reader:
    spikes = [each for each in reader.connections if each.topic == "/fer/spikes"]
    for connection, _, data in reader.messages(spikes):
        message = reader.deserialize(data, connection.msgtype)
        stamp = message.header.stamp
        for train in message.trains:
            if train.layer == "expression":
                # Step k of n has the time stamp - (n - 1 - k) dt; see Spikes.msg.
                before = (message.steps - 1 - train.step) * message.dt
                times_s += list(stamp.sec + stamp.nanosec / 1e9 - before)
                neurons += list(train.neuron)
start_s = min(times_s)
figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
axes.scatter([time - start_s for time in times_s], neurons, s=4, marker="|", color="black")
axes.set(xlabel="time / s", ylabel="neuron")
figure.savefig(picture)
print(f"{len(times_s)} spikes in {picture}")
