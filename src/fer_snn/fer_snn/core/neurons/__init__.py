"""Point neurons and what reaches them: LIF, adaptive threshold, inhibition, input currents."""
