"""Processes: supervised, ended together, and cleaned up after."""
