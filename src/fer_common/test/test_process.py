"""Numeric libraries use one thread."""

from __future__ import annotations

import os

import pytest

from fer_common.core.process import THREAD_VARIABLES, pin_to_one_thread


def test_threads_are_pinned_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    pin_to_one_thread()
    assert [os.environ[variable] for variable in THREAD_VARIABLES] == ["3", "1", "1", "1"]
