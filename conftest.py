"""Fixtures that every package's tests share."""

import pytest

from fer_common.testing import graph, ros_domain

__all__ = ["graph", "ros_domain"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=2, help="how often to kill, for test_kills.py")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills"))
