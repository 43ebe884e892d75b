"""Fixtures of the tests."""

from fer_testing.ros import graph, ros_domain

__all__ = ["graph", "ros_domain"]
