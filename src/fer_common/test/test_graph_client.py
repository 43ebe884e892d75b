"""A node for a command: its callbacks run by themselves, and what they raise is not lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import NoReturn

import pytest

from fer_common.ros.graph_client import GraphClient
from fer_testing.ros import wait_for


@pytest.fixture
def ended_by_sigterm() -> Iterator[None]:
    """As in a command: SIGTERM raises in the main thread."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


def test_callbacks_run_beside_the_block(ros_domain: int) -> None:
    called: list[int] = []
    with GraphClient() as client:
        client.node.create_timer(0.01, lambda: called.append(1))
        wait_for(lambda: len(called) > 1, "a timer")


def test_an_error_in_a_callback_ends_the_block_and_is_raised(
    ros_domain: int, ended_by_sigterm: None
) -> None:
    def fail() -> NoReturn:
        raise ValueError("in a callback")

    with pytest.raises(ValueError, match="in a callback"), GraphClient() as client:
        client.node.create_timer(0.01, fail)
        wait_for(lambda: False, "SIGTERM")
