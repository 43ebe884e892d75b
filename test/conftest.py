"""What the tests of the whole graph share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer.bringup.environment import graph_environment
from fer.cli import main
from fer_bench import machine, page
from fer_faults import ledger as record
from fer_testing.message_packages import messages_folder, messages_of_others
from fer_testing.ros import graph, ros_domain
from fer_testing.whole_graph import end_commands

__all__ = ["graph", "messages_folder", "messages_of_others", "ros_domain"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "test" / "reliability.json"


@pytest.fixture(scope="session")
def ledger(request: pytest.FixtureRequest) -> Iterator[record.Ledger]:
    """The record of all injected faults; written into the page with --figures."""
    ledger = record.Ledger(timed=request.config.getoption("--long"))
    yield ledger
    if request.config.getoption("--figures"):
        ledger.rows = record.load(RESULTS) | ledger.rows
        ledger.save(RESULTS)
        text = record.table(list(ledger.rows.values()), machine.describe_today())
        page.replace(ROOT / record.PAGE, "figures", text)


@pytest.fixture(autouse=True)
def no_command_outlives_its_test() -> Iterator[None]:
    """End what a failed test has left running, which would disturb the tests behind it."""
    yield
    end_commands()


@pytest.fixture
def done(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what runs a short command in this process and returns what it says."""
    # A command sets up the environment that the graph has.
    for name, value in graph_environment(os.environ).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object, code: int = 0) -> str:
        assert main([str(argument) for argument in arguments]) == code
        said = capsys.readouterr()
        return said.out + said.err

    return run
