"""Bags as files: what is written can be read by others, whatever ended the recording."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from fer.bags.reading import data_files, opened
from fer.bags.repair import is_finished
from fer.bags.topics import BagError, definition
from fer.bags.writer import BagWriter, Layout
from fer_testing.bags import BEGIN_NS, EXPRESSIONS, SPIKES, answer, spikes, topic_of, write_bag
from fer_testing.ros import wait_for

LAYOUTS = {
    "mcap": Layout(),
    "mcap, compressed": Layout(compress=True),
    "sqlite3": Layout("sqlite3"),
    "sqlite3, compressed": Layout("sqlite3", compress=True),
}
KIND = "fer_interfaces/msg/ExpressionArray"
RATE_HZ = 200
#: Writes messages with their numbers and says so, until it is killed; a flush every 50 ms.
WRITE_FOR_EVER = f"""
import sys, time
from pathlib import Path
from fer_testing.bags import topic_of
from fer.bags.writer import BagWriter, Layout
writer = BagWriter(Path(sys.argv[1]), Layout(sys.argv[2], compress=True))
writer.add_topic(topic_of("/t", "{KIND}"))
print("ready", flush=True)
flushed_s, number = time.monotonic(), 0
while True:
    writer.write("/t", time.time_ns(), 0, number.to_bytes(8, "little") * 500)
    number += 1
    if time.monotonic() > flushed_s + 0.05:
        writer.flush()
        flushed_s = time.monotonic()
        print(number, flush=True)
    time.sleep(1 / {RATE_HZ})
"""
FILL_THE_DISK = f"""
import resource, sys
from pathlib import Path
from fer_testing.bags import topic_of
from fer.bags.writer import BagWriter, Layout
with BagWriter(Path(sys.argv[1]), Layout(sys.argv[2])) as writer:
    writer.add_topic(topic_of("/t", "{KIND}"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    for number in range(10_000):
        writer.write("/t", number, 0, bytes(1000))
        if number % 10 == 0:
            writer.flush()
"""


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_what_was_written_is_read(tmp_path: Path, layout: Layout) -> None:
    sent = [answer(k) for k in range(20)]
    folder = write_bag(tmp_path / "bag", {EXPRESSIONS: sent}, layout)
    with opened(folder) as bag:
        topic = bag.topics[EXPRESSIONS]
        assert (topic.type, topic.messages) == (KIND, 20)
        assert topic.qos[0].reliability.name == "RELIABLE"
        read = [bag.decode(m.topic, m.data) for m in bag.messages()]
        assert [m.header.stamp.nanosec for m in read] == [m.header.stamp.nanosec for m in sent]
        assert read[0].expressions[0].label == "smile"
        later = list(bag.messages([EXPRESSIONS], BEGIN_NS + 333_333_330))
        assert len(later) == 10


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_other_readers_need_nothing_but_the_bag(tmp_path: Path, layout: Layout) -> None:
    folder = write_bag(tmp_path / "bag", {SPIKES: [spikes(k, k) for k in range(4)]}, layout)
    with AnyReader([folder]) as reader:
        read = [reader.deserialize(data, c.msgtype) for c, _, data in reader.messages()]
    assert [m.trains[0].neuron.tolist() for m in read] == [[0], [1], [2], [3]]


def test_mcap_files_are_indexed_and_carry_definitions(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "bag", {SPIKES: [spikes(0)], EXPRESSIONS: [answer(0)]})
    with data_files(folder)[0].open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None and summary.statistics is not None
    assert summary.statistics.message_count == 2
    schemas = {schema.name: schema.data.decode() for schema in summary.schemas.values()}
    assert "MSG: fer_interfaces/SpikeTrain" in schemas["fer_interfaces/msg/Spikes"]
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())
    topics = metadata["rosbag2_bagfile_information"]["topics_with_message_count"]
    assert all(each["topic_metadata"]["type_description_hash"][:7] == "RIHS01_" for each in topics)


def test_long_recordings_are_split(tmp_path: Path) -> None:
    sent = {EXPRESSIONS: [answer(k) for k in range(30)]}
    by_time = write_bag(tmp_path / "time", sent, Layout(split_s=0.5))
    by_size = write_bag(tmp_path / "size", sent, Layout(split_bytes=500))
    assert len(data_files(by_time)) == 2
    assert len(data_files(by_size)) >= 5
    for folder in (by_time, by_size):
        with opened(folder) as bag:
            times = [m.received_ns for m in bag.messages()]
        assert times == sorted(times) and len(times) == 30


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_kill_loses_only_what_was_not_flushed(tmp_path: Path, storage: str) -> None:
    for attempt in range(3):
        folder = tmp_path / f"bag{attempt}"
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(folder), storage]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            said = process.stdout.readline()
            time.sleep(random.uniform(0.0, 0.2))
            process.send_signal(signal.SIGKILL)
            said = (said + process.stdout.read()).splitlines()[-1]
        with opened(folder) as bag:
            numbers = [int.from_bytes(m.data[:8], "little") for m in bag.messages()]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= int(said)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_full_disk_ends_the_recording_with_a_readable_bag(tmp_path: Path, storage: str) -> None:
    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path / "bag"), storage]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "BagError" in result.stderr and "cannot be written any more" in result.stderr
    with opened(tmp_path / "bag") as bag:
        times = [m.received_ns for m in bag.messages()]
    assert times == list(range(len(times)))
    assert len(times) > 150


@pytest.mark.parametrize("keep", [0, 5, 30, 500, 3000])
def test_whatever_is_left_of_a_file_is_read(tmp_path: Path, keep: int) -> None:
    folder = write_bag(tmp_path / "bag", {EXPRESSIONS: [answer(k) for k in range(20)]})
    path = data_files(folder)[0]
    path.write_bytes(path.read_bytes()[:keep])
    with opened(folder) as bag:
        assert not list(bag.messages())
        assert "counts 20 messages, 0 can be read" in bag.problems[-1] + bag.problems[0]


def test_a_bag_that_is_being_recorded_is_read_up_to_now(tmp_path: Path) -> None:
    for name, layout in LAYOUTS.items():
        with BagWriter(tmp_path / name, layout) as writer:
            writer.add_topic(topic_of("/t", KIND))
            for number in range(2):
                writer.write("/t", number, 0, bytes([number]))
                writer.flush()
                with opened(tmp_path / name) as bag:
                    assert [m.data[0] for m in bag.messages()] == list(range(number + 1))
        with opened(tmp_path / name) as bag:
            assert bag.message_count == 2 and not bag.problems


def test_messages_keep_their_order_whatever_the_clock_does(tmp_path: Path) -> None:
    for name, layout in LAYOUTS.items():
        folder = tmp_path / name
        with BagWriter(folder, layout) as writer:
            writer.add_topic(topic_of("/t", KIND))
            for k, time_ns in enumerate((5, 9, 7, 7, 20)):
                writer.write("/t", time_ns, 0, bytes([k]))
                writer.flush()
        with opened(folder) as bag:
            read = [(m.received_ns, m.data) for m in bag.messages()]
        times = (5, 9, 10, 11, 20)
        assert read == [(time_ns, bytes([k])) for k, time_ns in enumerate(times)]


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mcap").write_text("text, and not a bag at all")
    for name, reason in (
        ("none", "no bag"),
        ("empty", "no bag"),
        ("text.mcap", "no file of a bag"),
    ):
        with pytest.raises(BagError, match=reason), opened(tmp_path / name):
            pass
    write_bag(tmp_path / "bag", {EXPRESSIONS: [answer(0)]})
    with pytest.raises(BagError, match="there already"):
        BagWriter(tmp_path / "bag", Layout())


def test_a_guardian_finishes_the_bag_of_a_recorder_that_died(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "bag", {EXPRESSIONS: [answer(k) for k in range(20)]})
    path = data_files(folder)[0]
    path.write_bytes(path.read_bytes()[:-40])
    (folder / "metadata.yaml").unlink()
    command = [sys.executable, "-m", "fer.bags.guardian", str(folder)]
    guardian = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert guardian.stdin is not None
    guardian.stdin.close()
    wait_for(lambda: guardian.poll() is not None, "the end of the guardian")
    assert is_finished(path)
    with AnyReader([folder]) as reader:
        assert reader.message_count == 20
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None and summary.statistics is not None
    assert summary.statistics.message_count == 20
    assert len(summary.chunk_indexes) == len(summary.channels) == len(summary.schemas) == 1


def test_definitions_name_all_that_they_are_made_of() -> None:
    text = definition(KIND)
    for part in ("Expression", "RegionOfInterest", "Header", "Time"):
        assert f"/{part}\n" in text
    with pytest.raises(BagError, match="not installed"):
        definition("no_such_package/msg/Thing")
