"""The steps of one frame: compiled by Numba where it works, and the NumPy reference."""
