"""Numeric libraries use one thread."""

from __future__ import annotations

import gc
import hashlib
import os

import pytest

from fer_common.core.process import THREAD_VARIABLES, end_start, page_out, pin_to_one_thread


def test_threads_are_pinned_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    pin_to_one_thread()
    assert [os.environ[variable] for variable in THREAD_VARIABLES] == ["3", *"1111"]


def test_a_library_that_is_paged_out_still_works() -> None:
    page_out("libcrypto")
    assert hashlib.new("sha3_256", b"x").hexdigest().startswith("741e")


def test_what_the_start_has_made_is_no_garbage() -> None:
    end_start()
    assert gc.isenabled() and gc.get_freeze_count() > 1000
