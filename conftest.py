"""Fixtures that every package's tests share."""

from hypothesis import settings

from fer_common.testing import graph, ros_domain

__all__ = ["graph", "ros_domain"]

# The same examples in every run, so that a change that fails is the change that broke it. Look for
# new ones with `pytest --hypothesis-profile default`.
settings.register_profile("reproducible", derandomize=True)
settings.load_profile("reproducible")
