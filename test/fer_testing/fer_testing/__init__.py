"""Helpers for the tests of all packages. Not installed with them."""
