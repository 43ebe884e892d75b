"""Bags that others left behind, cut off at any byte, damaged, or still being recorded."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from mcap.writer import CompressionType

from fer.bags.reading import Bag, data_files, opened
from fer.bags.repair import recover
from fer_faults.ledger import Ledger
from fer_testing.bag_kinds import KINDS, LACKING, ODD_TOPICS, WHOLE
from fer_testing.odd_bags import extras, mcap, rosbag2

pytestmark = pytest.mark.timeout(1800)

GROUPS = {
    "bag of another recorder": WHOLE,
    "bag that lacks something": LACKING,
    "bag with a topic that ROS 2 cannot play": ODD_TOPICS,
}
FILES = {
    "MCAP": lambda path: mcap(path / "a.mcap", before=extras),
    "MCAP, Zstandard": lambda path: mcap(path / "a.mcap", compression=CompressionType.ZSTD),
    "MCAP, LZ4": lambda path: mcap(path / "a.mcap", compression=CompressionType.LZ4),
    "MCAP, no chunks": lambda path: mcap(path / "a.mcap", use_chunking=False),
    "SQLite": lambda path: data_files(rosbag2(path, count=50, padding=3000))[0],
}
#: A recorder that another program might be: it flushes when it likes.
RECORD_FOR_EVER = """
import sys, time
from pathlib import Path
from fer_testing.odd_bags import mcap
def numbers():
    k = 0
    while True:
        yield k
        k += 1
        time.sleep(0.001)
        print(k, flush=True)
mcap(Path(sys.argv[1]), numbers(), use_chunking=sys.argv[2] == "chunks")
"""


def everything(bag: Bag) -> list[bytes]:
    return [message.data for message in bag.messages()]


@pytest.mark.parametrize("group", GROUPS)
def test_bags_of_others(tmp_path: Path, ledger: Ledger, group: str) -> None:
    for number, kind in enumerate(GROUPS[group].values()):
        with ledger.trial(group), opened(kind.make(tmp_path / f"bag{number}")) as bag:
            assert len(everything(bag)) >= kind.readable


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_anywhere(
    tmp_path: Path, ledger: Ledger, long: bool, name: str
) -> None:
    path = FILES[name](tmp_path / "bag")
    data = path.read_bytes()
    with opened(path) as bag:
        whole = everything(bag)
    step = 7 if long else 97
    before = 0
    for size in range(0, len(data), step if "MCAP" in name else 512):
        path.write_bytes(data[:size])
        with ledger.trial(f"bag cut off ({name})"):
            with opened(path) as bag:
                read = everything(bag)
                assert len(read) == bag.message_count
                assert bag.problems or len(read) in (0, len(whole))
            assert path.read_bytes() == data[:size]
            if "MCAP" in name:
                assert read == whole[: len(read)] and len(read) >= before
                before = len(read)
            else:
                assert set(read) <= set(whole)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_damaged_anywhere(
    tmp_path: Path, ledger: Ledger, long: bool, name: str
) -> None:
    path = FILES[name](tmp_path / "bag")
    data = path.read_bytes()
    source = random.Random(7)
    for trial in range(300 if long else 30):
        start = source.randrange(100, len(data))
        broken = data[:start] + source.randbytes(20) + data[start + 20 :]
        path.write_bytes(broken)
        with ledger.trial(f"bag damaged in the middle ({name})"):
            with opened(path) as bag:
                read = len(everything(bag))
            recover(path, tmp_path / f"new{trial}")
            with opened(tmp_path / f"new{trial}") as bag:
                # What lies on a page that is damaged may be found by the index alone.
                assert len(everything(bag)) >= read - 5 * (name == "SQLite")
            assert path.read_bytes() == broken


@pytest.mark.parametrize("chunks", ["chunks", "no chunks"])
def test_a_bag_that_another_program_records(tmp_path: Path, ledger: Ledger, chunks: str) -> None:
    path = tmp_path / "live" / "a.mcap"
    command = [sys.executable, "-c", RECORD_FOR_EVER, str(path), chunks]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            read = 0
            for _ in range(20):
                for _ in range(50):
                    assert process.stdout.readline()
                with ledger.trial("bag that is being recorded"), opened(path.parent) as bag:
                    assert len(everything(bag)) >= read
                    read = bag.message_count
        finally:
            process.kill()
    # Nobody has written between the records of the other program.
    with opened(path) as bag:
        assert [int(data[8:-1].split()[1]) for data in everything(bag)] == list(
            range(bag.message_count)
        )
        assert bag.message_count >= read > 0


def test_every_kind_has_a_group() -> None:
    assert sum(len(group) for group in GROUPS.values()) == len(KINDS)
