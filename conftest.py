"""Fixtures that every package's tests share."""

from fer_common.testing import graph, ros_domain

__all__ = ["graph", "ros_domain"]
