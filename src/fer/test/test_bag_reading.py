"""Bags of others, whatever state they are in: all that is left is read, and nothing is changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fer.bags.reading import opened
from fer.bags.topics import BagError
from fer.cli import main
from fer_testing.bag_kinds import KINDS, LACKING, WHOLE, Kind
from fer_testing.odd_bags import CHATTER, mcap

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {
    f"os.{name}" for name in ("remove", "rename", "rmdir", "mkdir", "truncate", "link", "utime")
}


class Audit:
    """Takes note of what this process does to the files in a folder."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.writes: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is None:
            return
        touched = [str(each) for each in arguments if isinstance(each, (str, bytes, Path))]
        if not any(str(self.folder) in each for each in touched):
            return
        if event == "open":
            _, mode, flags = arguments
            writes = (mode and set(mode) & set("wax+")) or (flags or 0) & _WRITING
        elif event == "sqlite3.connect":
            writes = "mode=ro" not in touched[0]
        else:
            writes = event in _CHANGES
        if writes:
            self.writes.append(f"{event} {arguments}")


AUDIT = Audit()
sys.addaudithook(AUDIT)


def state(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Return digest, time and mode of everything in a folder, and of the folder."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        data = path.read_bytes() if path.is_file() else b""
        stat = path.stat()
        found[str(path)] = hashlib.sha256(data).hexdigest(), stat.st_mtime_ns, stat.st_mode
    return found


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Check that nothing in a folder is opened for writing, changed, made or removed."""
    before = state(folder)
    AUDIT.folder, AUDIT.writes = folder, []
    try:
        yield
    finally:
        AUDIT.folder = None
    assert not AUDIT.writes
    assert state(folder) == before


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_reading_changes_nothing(
    tmp_path: Path, kind: Kind, ros_domain: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    path = kind.make(tmp_path / "folder" / "bag")
    with unchanged(tmp_path / "folder"):
        assert main(["bag", "info", str(path)]) == 0
        main(["bag", "diff", str(path), str(path)])
        code = main(["bag", "play", str(path), "--wait", "0", "--rate", "100000"])
        with opened(path) as bag:
            list(bag.messages())
            problems = bag.problems
    shown = capsys.readouterr()
    assert kind.says in shown.out + "".join(problems)
    # Nothing is left out without a word and an exit code.
    complete = f"played {kind.readable} messages" in shown.err and not kind.says
    assert code == 0 if complete and not kind.left_out[1] else code in (0, 1, 2)
    if kind.left_out[1]:
        topic, reason = kind.left_out
        assert code == 1
        left_out = [line for line in shown.err.splitlines() if line.startswith("left out")]
        assert len(left_out) == 1 and reason in left_out[0]
        assert f"left out 10 messages of {topic}: " in left_out[0]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_all_that_can_be_read_is_read(tmp_path: Path, kind: Kind) -> None:
    with opened(kind.make(tmp_path / "bag")) as bag:
        read = list(bag.messages())
        names = [name for name in bag.topics if name.lstrip("/") == CHATTER.lstrip("/")]
        count = sum(message.topic in names for message in read)
        assert count >= kind.readable
        assert len(read) == bag.message_count or bag.problems
        times = [message.received_ns for message in read]
        assert times == sorted(times)
        assert kind in LACKING.values() or not bag.problems
        for message in read:
            if kind.readable and message.topic in names:
                assert bag.decode(message.topic, message.data).data.startswith("hello")


@pytest.mark.parametrize("kind", WHOLE.values(), ids=list(WHOLE))
def test_a_whole_bag_lacks_nothing(tmp_path: Path, kind: Kind) -> None:
    with opened(kind.make(tmp_path / "bag")) as bag:
        assert bag.message_count == kind.readable


def test_a_folder_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    folder = WHOLE["no metadata"].make(tmp_path / "bag")
    folder.chmod(0o555)
    try:
        with opened(folder) as bag:
            assert bag.message_count == 10
    finally:
        folder.chmod(0o755)


def test_one_file_of_a_bag_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    folder = WHOLE["split, begins with the last"].make(tmp_path / "bag")
    mcap(folder / "killed.mcap", finish=False)
    with unchanged(folder):
        assert main(["bag", "info", str(folder / "bag_1.db3")]) == 0
        assert main(["bag", "info", str(folder / "killed.mcap")]) == 0
    with opened(folder / "bag_1.db3") as bag:
        assert bag.message_count == 10


def test_a_bag_of_ros_1_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "old.bag"
    path.write_bytes(b"#ROSBAG V2.0\n" + bytes(5000))
    for each in (path, tmp_path):
        with pytest.raises(BagError, match=r"ROS 1.*rosbags-convert"), opened(each):
            pass


def test_no_temporary_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for number, name in enumerate(("WAL", "compressed files, MCAP", "half copied, SQLite")):
        with opened(KINDS[name].make(tmp_path / f"bag{number}")) as bag:
            list(bag.messages())
    assert not list(temporary.iterdir())
