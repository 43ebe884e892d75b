"""Synapses: connectivity, STDP, homeostasis and the three-factor rule."""
