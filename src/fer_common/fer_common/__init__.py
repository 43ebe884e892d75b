"""Shared by the nodes: parameter tables, lifecycle base class, images, stamps, diagnostics."""
