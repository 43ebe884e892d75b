"""Stamps, statistics and files that are old or new."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_common.core import atomic
from fer_common.core.errors import ConfigurationError
from fer_common.core.process import THREAD_VARIABLES, pin_to_one_thread
from fer_common.core.stamps import split_ns, to_ns
from fer_common.core.statistics import WINDOW_S, StreamStatistics, quantile
from fer_common.ros.endpoints import LossCounter


@given(st.integers(-(2**60), 2**60))
def test_stamp_there_and_back(stamp_ns: int) -> None:
    sec, nanosec = split_ns(stamp_ns)
    assert 0 <= nanosec < 10**9
    assert to_ns(SimpleNamespace(sec=sec, nanosec=nanosec)) == stamp_ns


def test_quantiles_are_by_nearest_rank() -> None:
    values = [3.0, 1.0, 4.0, 2.0]
    assert [quantile(values, share) for share in (0.0, 0.5, 0.75, 0.99, 1.0)] == [1, 2, 3, 4, 4]
    assert math.isnan(quantile([], 0.5))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1000), min_size=1), st.floats(0, 1))
def test_a_quantile_is_a_value_that_enough_others_do_not_exceed(
    values: list[float], fraction: float
) -> None:
    result = quantile(values, fraction)
    assert result in values
    assert sum(value <= result for value in values) >= math.ceil(fraction * len(values))


def test_nothing_yet() -> None:
    statistics = StreamStatistics()
    assert statistics.rate_hz(1.0) == 0
    assert statistics.age_s(1.0) == math.inf
    assert math.isnan(statistics.latency_ms(0.5))


def test_rate_latency_and_age() -> None:
    statistics = StreamStatistics()
    for k in range(301):
        statistics.add(k / 30, latency_s=0.001 * (k % 10), work_s=0.002, skipped=k % 2)
    now_s = 10.0
    assert statistics.rate_hz(now_s) == pytest.approx(30, rel=0.02)
    assert statistics.age_s(now_s + 3) == pytest.approx(3)
    assert statistics.latency_ms(0.5) == pytest.approx(5, abs=1)
    assert statistics.latency_ms(1.0) == pytest.approx(9)
    assert statistics.work_ms(0.99) == pytest.approx(2)
    assert (statistics.processed, statistics.skipped) == (301, 150)


def test_rate_is_right_from_the_first_second_on() -> None:
    statistics = StreamStatistics()
    for k in range(31):
        statistics.add(100 + k / 30)
    assert statistics.rate_hz(101.0) == pytest.approx(30, rel=0.05)


def test_rate_falls_to_nothing_when_the_stream_ends() -> None:
    statistics = StreamStatistics()
    for k in range(100):
        statistics.add(k / 30)
    assert statistics.rate_hz(100 / 30 + 2 * WINDOW_S) == 0
    assert statistics.age_s(100.0) == pytest.approx(100 - 99 / 30)


def test_what_is_older_than_the_window_neither_counts_nor_takes_room() -> None:
    statistics = StreamStatistics()
    for k in range(3000):
        slow = k < 1500
        statistics.add(k / 30, latency_s=1.0 if slow else 0.01, work_s=0.5 if slow else 0.002)
    now_s = 2999 / 30
    assert statistics.latency_ms(1.0) == pytest.approx(10)
    assert statistics.work_ms(1.0) == pytest.approx(2)
    assert statistics.rate_hz(now_s) == pytest.approx(30, rel=0.02)
    assert len(statistics._done) <= 30 * WINDOW_S + 1
    assert statistics.processed == 3000
    # The last frame stays, for the age.
    assert statistics.age_s(now_s + 1000.0) == pytest.approx(1000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 3), min_size=2, max_size=60))
def test_rate_is_never_more_than_what_came(gaps_s: list[float]) -> None:
    statistics = StreamStatistics()
    now_s = 0.0
    for gap_s in gaps_s:
        now_s += gap_s
        statistics.add(now_s)
    now_s += 1.0
    assert 0 <= statistics.rate_hz(now_s) <= len(gaps_s) * (1 + 1e-9)


def test_drops_are_counted_by_reason() -> None:
    statistics = StreamStatistics()
    for reason in ("step", "size", "step"):
        statistics.drop(reason)
    assert statistics.dropped == {"step": 2, "size": 1}


def test_file_is_replaced_whole_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    before = os.umask(0o022)
    try:
        atomic.write_atomically(path, b"old")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    atomic.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, step, full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_can_be_written_is_tried_without_a_trace(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"old")
    atomic.check_writable(old)
    atomic.check_writable(tmp_path / "new")
    for bad, reason in (
        (tmp_path, "Is a directory"),
        (old / "file", "Not a directory"),
        (tmp_path / "folder" / "file", "No such file or directory"),
    ):
        with pytest.raises(ConfigurationError, match=f"cannot be written .{reason}"):
            atomic.check_writable(bad)
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"old"


def test_threads_are_pinned_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    pin_to_one_thread()
    assert [os.environ[variable] for variable in THREAD_VARIABLES] == ["3", "1", "1", "1"]


def test_missing_messages_are_counted_for_each_publisher() -> None:
    losses = LossCounter()

    def missed(number: int | None, publisher: str | None = "a") -> int:
        return losses.lost_before(
            {"publication_sequence_number": number, "publisher_gid": publisher}
        )

    assert [missed(number) for number in (7, 8, 12, 13)] == [0, 0, 3, 0]
    # Another publisher counts for itself, and so does one that begins anew.
    assert [missed(90, "b"), missed(92, "b"), missed(1, "b")] == [0, 1, 0]
    assert missed(None) == missed(5, None) == losses.lost_before({}) == 0
