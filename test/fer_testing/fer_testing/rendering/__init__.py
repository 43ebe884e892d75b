"""Renders synthetic heads with any of eight expressions."""
