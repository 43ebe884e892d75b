"""Kinds of bags that a reader meets, each with what is to be found in it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcap.writer import CompressionType, IndexType
from rosbags.rosbag2 import CompressionMode

from fer_testing.odd_bags import (
    CHATTER,
    MCAP,
    SQLITE,
    another_topic,
    cut,
    damaged,
    extras,
    in_topic,
    mcap,
    rosbag2,
    split,
    with_open_transaction,
)


@dataclass(frozen=True)
class Kind:
    """A kind of bag: how to make it in a folder, and what is to be found in it.

    Attributes
    ----------
    make : makes it in an empty folder, and returns its path.
    readable : least number of messages of /chatter that are read.
    says : part of what is said about what it lacks; empty: it lacks nothing.
    left_out : a topic that cannot be played, and part of the reason.
    """

    make: Callable[[Path], Path]
    readable: int = 10
    says: str = ""
    left_out: tuple[str, str] = ("", "")


def _mcap_folder(folder: Path, **options: Any) -> Path:
    mcap(folder / f"{folder.name}_0.mcap", **options)
    return folder


def _cut_mcap(folder: Path, share: float = 0.6, **options: Any) -> Path:
    cut(mcap(folder / f"{folder.name}_0.mcap", **options), share)
    return folder


def _edited(folder: Path, work: Callable[[Path], object], **options: Any) -> Path:
    work(rosbag2(folder, **options))
    return folder


def _odd(**options: Any) -> Callable[[Path], Path]:
    return lambda path: mcap(path / "odd.mcap", range(10), before=another_topic(**options))


def _as_version_1(folder: Path) -> None:
    """Take away what the first version of the tables did not have."""
    with sqlite3.connect(folder / f"{folder.name}.db3") as database:
        for table in ("schema", "metadata", "message_definitions"):
            database.execute(f"DROP TABLE {table}")
        for column in ("offered_qos_profiles", "type_description_hash"):
            database.execute(f"ALTER TABLE topics DROP COLUMN {column}")
    database.close()


def _with_zeros(path: Path) -> Path:
    path.write_bytes(path.read_bytes() + bytes(5000))
    return path


def _emptied(path: Path) -> Path:
    (split(path) / f"{path.name}_1.db3").write_bytes(b"")
    return path


def _replaced(path: Path) -> Path:
    (split(path) / f"{path.name}_1.db3").write_text("this is text, and no database at all")
    return path


_FILE, _MESSAGE = CompressionMode.FILE, CompressionMode.MESSAGE
_PARTIAL_QOS = "- {reliability: reliable, durability: transient_local, history: keep_last}\n"

WHOLE = {
    "rosbag2, SQLite": Kind(rosbag2),
    "rosbag2, MCAP": Kind(lambda path: rosbag2(path, MCAP)),
    "split, begins with the last": Kind(split, 30),
    "split, begins with the last, MCAP": Kind(lambda path: split(path, MCAP), 30),
    "compressed files, SQLite": Kind(lambda path: rosbag2(path, SQLITE, _FILE)),
    "compressed files, MCAP": Kind(lambda path: rosbag2(path, MCAP, _FILE)),
    "compressed messages, SQLite": Kind(lambda path: rosbag2(path, SQLITE, _MESSAGE)),
    "compressed messages, MCAP": Kind(lambda path: rosbag2(path, MCAP, _MESSAGE)),
    "one file with compressed messages": Kind(
        lambda path: rosbag2(path, SQLITE, _MESSAGE) / f"{path.name}.db3"
    ),
    "one compressed file": Kind(lambda path: rosbag2(path, MCAP, _FILE) / f"{path.name}.mcap.zstd"),
    "compressed messages, no metadata": Kind(
        lambda path: _edited(
            path, lambda bag: (bag / "metadata.yaml").unlink(), storage=MCAP, mode=_MESSAGE
        )
    ),
    "compressed files, metadata says not": Kind(
        lambda path: rosbag2(
            path, MCAP, _FILE, lambda each: each.update(compression_mode="", compression_format="")
        )
    ),
    "no metadata": Kind(lambda path: _edited(path, lambda bag: (bag / "metadata.yaml").unlink())),
    "empty metadata": Kind(
        lambda path: _edited(path, lambda bag: (bag / "metadata.yaml").write_text(""))
    ),
    "metadata is no YAML": Kind(
        lambda path: _edited(path, lambda bag: (bag / "metadata.yaml").write_text("{:\t["))
    ),
    "quality of service emptied": Kind(
        lambda path: rosbag2(path, change=in_topic(offered_qos_profiles=""))
    ),
    "quality of service of others": Kind(
        lambda path: rosbag2(path, MCAP, change=in_topic(offered_qos_profiles=[{"depth": 3}]))
    ),
    "another type in the metadata": Kind(
        lambda path: rosbag2(path, change=in_topic(type="std_msgs/String"))
    ),
    "another topic in the metadata": Kind(lambda path: rosbag2(path, change=in_topic(name="/x"))),
    "no topics in the metadata": Kind(
        lambda path: rosbag2(path, change=lambda each: each.update(topics_with_message_count=[]))
    ),
    "files named twice": Kind(
        lambda path: rosbag2(
            path, change=lambda each: each.update(relative_file_paths=[f"{path.name}.db3"] * 2)
        )
    ),
    "no file named": Kind(
        lambda path: rosbag2(path, change=lambda each: each.update(relative_file_paths=[]))
    ),
    "path with a folder": Kind(
        lambda path: rosbag2(
            path, change=lambda each: each.update(relative_file_paths=[f"else/{path.name}.db3"])
        )
    ),
    "storage identifier empty": Kind(
        lambda path: rosbag2(path, MCAP, change=lambda each: each.update(storage_identifier=""))
    ),
    "storage identifier wrong": Kind(
        lambda path: rosbag2(path, change=lambda each: each.update(storage_identifier="mcap"))
    ),
    "version 99": Kind(lambda path: rosbag2(path, change=lambda each: each.update(version=99))),
    "file renamed": Kind(
        lambda path: _edited(path, lambda bag: next(bag.glob("*.db3")).rename(bag / "other.db3"))
    ),
    "file with the ending of the other storage": Kind(
        lambda path: _edited(path, lambda bag: next(bag.glob("*.db3")).rename(bag / "a.mcap"))
    ),
    "file compressed, but not removed": Kind(
        lambda path: _edited(
            path,
            lambda bag: shutil.copy(next(bag.glob("*.mcap")), bag / f"{bag.name}.mcap.zstd"),
            storage=MCAP,
        )
    ),
    "odd characters in the path": Kind(
        lambda path: rosbag2(path).rename(path.with_name("a b?c#d%20e"))
    ),
    "topic without a slash": Kind(lambda path: rosbag2(path, topic="chatter")),
    "table of an old version": Kind(lambda path: _edited(path, _as_version_1)),
    "no chunks": Kind(lambda path: _mcap_folder(path, use_chunking=False), 50),
    "chunks, LZ4": Kind(lambda path: _mcap_folder(path, compression=CompressionType.LZ4), 50),
    "chunks, Zstandard": Kind(
        lambda path: _mcap_folder(path, compression=CompressionType.ZSTD), 50
    ),
    "attachments and metadata records": Kind(lambda path: _mcap_folder(path, before=extras), 50),
    "no summary": Kind(
        lambda path: _mcap_folder(
            path,
            index_types=IndexType.NONE,
            repeat_channels=False,
            repeat_schemas=False,
            use_statistics=False,
            use_summary_offsets=False,
        ),
        50,
    ),
    "no channels in the summary": Kind(
        lambda path: _mcap_folder(path, repeat_channels=False, repeat_schemas=False), 50
    ),
    "no message index": Kind(lambda path: _mcap_folder(path, index_types=IndexType.CHUNK), 50),
    "out of order": Kind(lambda path: _mcap_folder(path, numbers=[5, 3, 9, 0, 1, 2, 8, 7, 6, 4])),
    "out of order, no chunks": Kind(
        lambda path: _mcap_folder(path, numbers=[5, 3, 9, 0, 1, 2, 8, 7, 6, 4], use_chunking=False)
    ),
    "no profile": Kind(lambda path: _mcap_folder(path, profile=""), 50),
    "partial quality of service": Kind(lambda path: _mcap_folder(path, qos=_PARTIAL_QOS), 50),
    "quality of service is no YAML": Kind(lambda path: _mcap_folder(path, qos="{:\t["), 50),
    "quality of service is no list": Kind(lambda path: _mcap_folder(path, qos="depth: 3"), 50),
    "comment in Latin-1": Kind(
        lambda path: _mcap_folder(path, definition=b"# \xb0C\nstring data"), 50
    ),
    "IDL": Kind(
        lambda path: _mcap_folder(
            path,
            encoding="ros2idl",
            definition=b"=" * 80
            + b"\nIDL: std_msgs/msg/String\n"
            + b"module std_msgs { module msg { struct String { string data; }; }; };\n",
        ),
        50,
    ),
    "no definition": Kind(lambda path: _mcap_folder(path, encoding="", definition=b""), 50),
    "WAL": Kind(lambda path: with_open_transaction(path, "wal"), 40),
    "open transaction": Kind(lambda path: with_open_transaction(path, "delete"), 10),
}
LACKING = {
    "killed, metadata first": Kind(
        lambda path: _cut_mcap(path, before=extras, finish=False), 25, "cut off"
    ),
    "killed, no chunks": Kind(
        lambda path: _cut_mcap(path, use_chunking=False, finish=False), 25, "cut off"
    ),
    "half copied, Zstandard": Kind(
        lambda path: _cut_mcap(path, compression=CompressionType.ZSTD), 20, "cut off"
    ),
    "only a header": Kind(lambda path: _cut_mcap(path, 0.01), 0, "cut off"),
    "half copied, SQLite": Kind(
        lambda path: _edited(
            path, lambda bag: cut(bag / f"{bag.name}.db3", 0.6), padding=5000, count=40
        ),
        5,
        "not sound",
    ),
    "half copied, compressed file": Kind(
        lambda path: _edited(
            path,
            lambda bag: cut(bag / f"{bag.name}.mcap.zstd", 0.7),
            storage=MCAP,
            mode=_FILE,
            count=2000,
        ),
        0,
        "counts 2000 messages",
    ),
    "a chunk is damaged": Kind(
        lambda path: (
            damaged(
                mcap(path / "x.mcap", range(300), compression=CompressionType.ZSTD), 0.3, 60
            ).parent
        ),
        200,
        "damaged",
    ),
    "zeros at the end": Kind(
        lambda path: _with_zeros(mcap(path / "x.mcap", finish=False)).parent, 40, "cut off"
    ),
    "a file is missing": Kind(
        lambda path: split(path, SQLITE, 1), 20, "counts 30 messages, 20 can be read"
    ),
    "a file is empty": Kind(_emptied, 20, "counts 30 messages, 20 can be read"),
    "a file is something else": Kind(_replaced, 20, "neither MCAP nor SQLite"),
}
ODD_TOPICS = {
    "JSON": Kind(
        _odd(name="foxglove.Log", encoding="jsonschema", data=b"{}", serialization="json"),
        left_out=("/odd", "json"),
    ),
    "no schema": Kind(_odd(name=""), left_out=("/odd", "does not say its type")),
    "type of two parts": Kind(_odd(name="std_msgs/String"), left_out=("/odd", "package/msg/Name")),
    "type that is no name": Kind(_odd(name="a b/msg/\u00e9"), left_out=("/odd", "package/msg/")),
    "type that is not installed": Kind(
        _odd(name="nowhere_msgs/msg/Thing"), left_out=("/odd", "not installed")
    ),
    "ROS 1 serialization": Kind(_odd(serialization="ros1"), left_out=("/odd", "ros1")),
    "protobuf": Kind(
        _odd(name="a.b.C", encoding="protobuf", serialization="protobuf"),
        left_out=("/odd", "protobuf"),
    ),
    "service events": Kind(
        _odd(topic="/add/_service_event", name="std_srvs/srv/SetBool_Event"),
        left_out=("/add/_service_event", "service events"),
    ),
    "action": Kind(
        _odd(topic="/a/_action/feedback", name="a_msgs/action/Do_FeedbackMessage"),
        left_out=("/a/_action/feedback", "package/msg/Name"),
    ),
    "name with a space": Kind(_odd(topic="/a b"), left_out=("/a b", "topic name")),
    "name with a digit first": Kind(_odd(topic="/1a"), left_out=("/1a", "topic name")),
    "empty name": Kind(_odd(topic=""), left_out=("", "topic name")),
    "two types on a topic": Kind(
        lambda path: mcap(
            path / "odd.mcap",
            range(10),
            before=another_topic(topic=CHATTER, name="std_msgs/msg/Header"),
        ),
        0,
        left_out=("/chatter (std_msgs/msg/String)", "of type std_msgs/msg/Header too"),
    ),
}
KINDS = WHOLE | LACKING | ODD_TOPICS
