"""Options and fixtures that every package's tests share."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from fer_common.core.process import pin_to_one_thread

# As in every program of fer. On busy cores the threads of BLAS wait for each other: features of
# faces took ten times as long.
pin_to_one_thread()
# As in every program. OpenCV reads it when it is loaded, which a test may do before our modules do.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

# The same examples in every run, so that a change that fails is the change that broke it. Look for
# new ones with `pytest --hypothesis-profile default`. No deadline: a busy machine is no failure.
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")

# A shell that runs the tests in the background lets them ignore SIGINT, and they would hand that
# down to every process that they start and ask to end.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Processes that tests start say where they were when they crashed.
os.environ.setdefault("PYTHONFAULTHANDLER", "1")

# They find the helpers of the tests, as the tests themselves do.
_HELPERS = str(Path(__file__).parent / "test" / "fer_testing")
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_HELPERS, os.environ.get("PYTHONPATH")]))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fer")
    group.addoption(
        "--long", action="store_true", help="try every fault many times, fuzz with 10,000 inputs"
    )
    group.addoption(
        "--figures", action="store_true", help="write what the faults came to, docs/reliability.md"
    )
    group.addoption("--kills", type=int, default=2, help="how often to kill a recording or a save")
    group.addoption(
        "--endurance", type=float, default=0.0, metavar="SECONDS", help="length of the long run"
    )


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--long"))


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often to kill a recording or a save."""
    return int(request.config.getoption("--kills"))
