"""Spiking network of fer: neurons, synapses, plasticity, read-out, recogniser and the ROS node."""
