"""Offline work: training, evaluation, ablation and figures. A robot need not install it."""
