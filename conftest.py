"""Fixtures that every package's tests share."""

import pytest
from hypothesis import settings

from fer_common.testing import graph, ros_domain

__all__ = ["graph", "ros_domain"]

# The same examples in every run, so that a change that fails is the change that broke it. Look for
# new ones with `pytest --hypothesis-profile default`.
settings.register_profile("reproducible", derandomize=True)
settings.load_profile("reproducible")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=2, help="how often to kill, for test_kills.py")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills"))
