"""Segments of dead processes are removed, and no others."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from fer.processes import shared_memory
from fer.processes.shared_memory import free_bytes, remove_abandoned

SIZE = 4096


def make_segment(folder: Path, name: str, age_s: float = 60.0) -> Path:
    segment, lock = folder / name, folder / f"{name}_el"
    segment.write_bytes(bytes(SIZE))
    lock.touch()
    made_s = lock.stat().st_mtime - age_s
    os.utime(lock, (made_s, made_s))
    return lock


@pytest.mark.parametrize("library", ["fastdds", "fastrtps"])
def test_what_nobody_locks_is_removed(tmp_path: Path, library: str) -> None:
    make_segment(tmp_path, f"{library}_00a2800dd3c0a996")
    make_segment(tmp_path, f"{library}_00d1f2dea7fd6658")
    (tmp_path / f"{library}_00d1f2dea7fd6658").unlink()
    assert remove_abandoned(tmp_path) == SIZE
    assert not list(tmp_path.iterdir())


def test_what_is_in_use_or_has_just_been_made_stays(tmp_path: Path) -> None:
    lock = make_segment(tmp_path, "fastdds_00a2800dd3c0a996")
    make_segment(tmp_path, "fastdds_00d1f2dea7fd6658", age_s=0.0)
    with lock.open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        assert remove_abandoned(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("name", ["fastdds_port7411", "other_00a2800dd3c0a996", "fastdds_1"])
def test_other_files_stay(tmp_path: Path, name: str) -> None:
    make_segment(tmp_path, name)
    assert remove_abandoned(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_files_of_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_segment(tmp_path, "fastdds_00a2800dd3c0a996")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert remove_abandoned(tmp_path) == 0


def test_a_folder_that_is_missing_is_no_fault(tmp_path: Path) -> None:
    assert remove_abandoned(tmp_path / "missing") == 0


def test_free_is_what_the_folder_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path)
    free = free_bytes()
    assert free is not None and 0 < free <= shutil.disk_usage(tmp_path).total
    monkeypatch.setattr(shared_memory, "FOLDER", tmp_path / "missing")
    assert free_bytes() is None
