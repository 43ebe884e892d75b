"""Weights files: format, folder of named weights, transfer in pieces, autosave."""
