"""Signals that come at a bad moment wait for a better one."""

from __future__ import annotations

import signal

import pytest

from fer.processes.signals import StopRequests
from fer_common.core.process import blocked_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_held_signals_come_afterwards(number: signal.Signals) -> None:
    with StopRequests() as stop:
        with blocked_signals():
            signal.raise_signal(number)
            assert stop.count == 0
        assert stop.count == 1
