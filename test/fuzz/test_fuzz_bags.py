"""Bags from anybody: what `fer bag info`, `play` and `diff` make of files that are damaged."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from fer.bags.difference import compare
from fer.bags.reading import METADATA, Bag, data_files, opened
from fer.bags.writer import Layout
from fer_common.core.errors import FerError
from fer_faults.fuzzing import damaged, fuzz
from fer_faults.ledger import Ledger
from fer_faults.machine import own_mb
from fer_testing.bags import EXPRESSIONS, SPIKES, answer, spikes, write_bag

pytestmark = pytest.mark.timeout(3600)

#: Room for what a bag may claim to need, and no more: who takes more breaks.
ROOM_BYTES = 1 << 30
GROWTH_MB = 100.0
LAYOUTS = {
    "MCAP": Layout(),
    "MCAP, compressed": Layout(compress=True),
    "SQLite": Layout("sqlite3"),
    "SQLite, compressed": Layout("sqlite3", compress=True),
}


@contextmanager
def little_room() -> Iterator[None]:
    """Let this process take so much more memory and not a byte beyond."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    room = psutil.Process().memory_info().vms + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def check_bag(path: Path, good: Bag) -> None:
    """Do with a bag what info, play and diff do: it is read, or refused with a reason."""
    try:
        with opened(path) as bag:
            assert bag.duration_s >= 0.0
            for message in bag.messages():
                bag.decode(message.topic, message.data)
            compare(bag, good)
    except FerError as error:
        assert str(error)


@pytest.fixture
def good(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    sent = {EXPRESSIONS: [answer(k) for k in range(5)], SPIKES: [spikes(k, k) for k in range(5)]}
    return write_bag(tmp_path / "good", sent, LAYOUTS[request.param])


def fuzz_file(good: Path, name: str, target: str, ledger: Ledger, share: int) -> None:
    """Damage one file of a bag.

    Parameters
    ----------
    share : this test is one of so many that share the inputs of the target; 0: the short form.
    """
    folder = good.with_name("bad")
    data = (good / name).read_bytes()

    shutil.copytree(good, folder)

    def check(damaged_data: bytes) -> None:
        (folder / name).write_bytes(damaged_data)
        check_bag(folder, sound)
        assert (folder / name).read_bytes() == damaged_data

    before_mb = own_mb(os.getpid())
    with opened(good) as sound, little_room():
        fuzz(target, damaged(data), check, ledger, bool(share), share or 2)
    assert own_mb(os.getpid()) - before_mb < GROWTH_MB


@pytest.mark.parametrize("good", LAYOUTS, indirect=True)
def test_bag_files(good: Path, ledger: Ledger, long: bool) -> None:
    name = data_files(good)[0].name
    # Two layouts for each kind of file.
    fuzz_file(good, name, f"bag files ({name.rpartition('.')[-1]})", ledger, 2 * long)


@pytest.mark.parametrize("good", ["MCAP", "SQLite"], indirect=True)
def test_descriptions_of_bags(good: Path, ledger: Ledger, long: bool) -> None:
    fuzz_file(good, METADATA, "metadata.yaml of bags", ledger, 2 * long)
