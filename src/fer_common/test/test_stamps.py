"""Stamps in nanoseconds and as messages."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from fer_common.core.stamps import split_ns, to_ns


@given(st.integers(-(2**60), 2**60))
def test_stamp_there_and_back(stamp_ns: int) -> None:
    sec, nanosec = split_ns(stamp_ns)
    assert 0 <= nanosec < 10**9
    assert to_ns(SimpleNamespace(sec=sec, nanosec=nanosec)) == stamp_ns
