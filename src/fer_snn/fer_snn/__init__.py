"""Spiking network of fer: neurons, plasticity, training, evaluation and the ROS node.

The core (everything but `node` and `messages`) imports no ROS. Read it in this order: `lif`,
`encoding`, `inhibition`, `threshold`, `stdp`, `homeostasis`, `network`, `learning`, `readout`.
"""
