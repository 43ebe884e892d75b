"""Options and fixtures that every package's tests share."""

import pytest

from fer_common.testing import graph, ros_domain

__all__ = ["graph", "ros_domain"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fer")
    group.addoption(
        "--long", action="store_true", help="try every fault many times, fuzz with 10,000 inputs"
    )
    group.addoption(
        "--figures", action="store_true", help="write what the faults came to, docs/reliability.md"
    )
    group.addoption(
        "--endurance", type=float, default=0.0, metavar="SECONDS", help="length of the long run"
    )


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))
