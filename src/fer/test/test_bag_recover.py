"""`fer bag recover`: everything that can be read goes to a new bag, and the old one stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from fer.bags.reading import METADATA, data_files, opened
from fer.cli import main
from fer_testing.bag_kinds import KINDS, LACKING, Kind
from fer_testing.odd_bags import BEGIN_NS, CHATTER, extras, mcap

#: rosbags refuses a whole bag for one topic that is not ROS 2's, and for odd text.
REFUSED_BY_ROSBAGS = (
    *("no profile", "no definition", "table of an old version", "comment in Latin-1"),
    *(name for name, kind in KINDS.items() if kind.left_out[1] or "quality of" in name),
)
READ_BY_ROSBAGS = {k: kind for k, kind in KINDS.items() if k not in REFUSED_BY_ROSBAGS}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_what_can_be_read_is_in_the_new_bag(
    tmp_path: Path, kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kind.make(tmp_path / "bag")
    with opened(path) as bag:
        before = [(m.topic, m.received_ns, m.data) for m in bag.messages()]
        topics = {name: (t.type, t.definition, t.qos) for name, t in bag.topics.items()}
    assert main(["bag", "recover", str(path), "-o", str(tmp_path / "new")]) == 0
    said = capsys.readouterr()
    assert kind.says in said.err
    with opened(tmp_path / "new") as bag:
        assert not bag.problems and not bag.notes
        assert [(m.topic, m.received_ns, m.data) for m in bag.messages()] == before
        assert {name: (t.type, t.definition, t.qos) for name, t in bag.topics.items()} == topics
        assert all(file.is_finished for file in bag.files)
    assert {path.suffix for path in (tmp_path / "new").iterdir()} <= {".yaml", ".mcap", ".db3"}


@pytest.mark.parametrize("kind", READ_BY_ROSBAGS.values(), ids=list(READ_BY_ROSBAGS))
def test_other_readers_take_the_new_bag(tmp_path: Path, kind: Kind) -> None:
    path = kind.make(tmp_path / "bag")
    assert main(["bag", "recover", str(path), "-o", str(tmp_path / "new")]) == 0
    with AnyReader([tmp_path / "new"]) as reader:
        assert reader.message_count >= kind.readable
        assert sum(1 for _ in reader.messages()) == reader.message_count


def test_every_record_is_kept_as_it_was(tmp_path: Path) -> None:
    path = mcap(
        tmp_path / "bag" / "a.mcap", before=extras, qos="- {depth: 3}", profile="mine", finish=False
    )
    assert main(["bag", "recover", str(path.parent), "-o", str(tmp_path / "new")]) == 0
    with data_files(tmp_path / "new")[0].open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        header, summary = reader.get_header(), reader.get_summary()
        assert (header.profile, header.library) == ("mine", "another")
        assert summary is not None and summary.statistics is not None
        assert [each.name for each in reader.iter_metadata()] == ["rosbag2", "mine"]
        (attachment,) = reader.iter_attachments()
        assert (attachment.name, attachment.data) == ("notes.txt", b"hello")
        assert (attachment.create_time, attachment.log_time) == (BEGIN_NS, BEGIN_NS + 1)
        (channel,) = summary.channels.values()
        assert (channel.topic, channel.metadata) == (
            CHATTER,
            {"offered_qos_profiles": "- {depth: 3}"},
        )
        messages = [message for _, _, message in reader.iter_messages()]
        assert [each.sequence for each in messages] == list(range(summary.statistics.message_count))


def test_what_a_user_wrote_into_the_metadata_stays(tmp_path: Path) -> None:
    folder = KINDS["rosbag2, MCAP"].make(tmp_path / "bag")
    text = (folder / METADATA).read_text().replace("custom_data: null", "custom_data: {run: '7'}")
    (folder / METADATA).write_text(text)
    assert main(["bag", "recover", str(folder), "-o", str(tmp_path / "new")]) == 0
    assert "run: '7'" in (tmp_path / "new" / METADATA).read_text()


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    folder = LACKING["killed, metadata first"].make(tmp_path / "bag")
    before = data_files(folder)[0].read_bytes()
    assert main(["bag", "recover", str(folder), "-o", str(folder)]) == 2
    assert data_files(folder)[0].read_bytes() == before
    (tmp_path / "text.mcap").write_text("text, and not a bag at all")
    assert main(["bag", "recover", str(tmp_path / "text.mcap"), "-o", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".*"))


def test_recording_over_a_broken_bag_leaves_it_alone(tmp_path: Path, ros_domain: int) -> None:
    folder = LACKING["killed, metadata first"].make(tmp_path / "bag")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["bag", "record", "-o", str(folder)]) == 2
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_recovered_database_needs_no_log(tmp_path: Path) -> None:
    folder = KINDS["WAL"].make(tmp_path / "bag")
    assert main(["bag", "recover", str(folder), "-o", str(tmp_path / "new")]) == 0
    (path,) = data_files(tmp_path / "new")
    assert not list((tmp_path / "new").glob("*-wal"))
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert database.execute("SELECT count(*) FROM messages").fetchone()[0] == 40
    database.close()
