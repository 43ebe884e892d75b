"""Files are replaced as a whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fer_common.core import atomic
from fer_common.core.errors import ConfigurationError


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


def test_a_folder_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "run.1"
    with pytest.raises(ValueError, match="half"), atomic.whole_folder(folder) as unfinished:
        (unfinished / "a").touch()
        raise ValueError("half")
    assert not any(folder.parent.iterdir())
    with atomic.whole_folder(folder) as unfinished:
        (unfinished / "a").touch()
        assert not folder.exists()
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert list(folder.parent.iterdir()) == [folder]
    with pytest.raises(OSError), atomic.whole_folder(folder) as unfinished:
        (unfinished / "b").touch()
    assert [path.name for path in folder.iterdir()] == ["a"]
