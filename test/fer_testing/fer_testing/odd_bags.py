"""Bags as other recorders, kills and people leave them: std_msgs/String on /chatter."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

BEGIN_NS = 1_700_000_000_000_000_000
PERIOD_NS = 100_000_000
CHATTER, STRING = "/chatter", "std_msgs/msg/String"
_TYPES = get_typestore(Stores.ROS2_HUMBLE)
_NONE = QosTime(0, 0)
_QOS = Qos(
    *(QosHistory.KEEP_LAST, 10, QosReliability.RELIABLE, QosDurability.VOLATILE, _NONE, _NONE),
    *(QosLiveliness.AUTOMATIC, _NONE, False),
)
SQLITE, MCAP = StoragePlugin.SQLITE3, StoragePlugin.MCAP


def text(number: int, padding: int = 0) -> bytes:
    """Return a serialized std_msgs/String."""
    message = _TYPES.types[STRING](data=f"hello {number}" + " " * padding)
    return bytes(_TYPES.serialize_cdr(message, STRING))


def rosbag2(
    folder: Path,
    storage: Any = SQLITE,
    mode: Any = None,
    change: Callable[[dict[str, Any]], object] | None = None,
    *,
    first: int = 0,
    topic: str = CHATTER,
    padding: int = 0,
    count: int = 10,
) -> Path:
    """Write a bag as rosbag2 does, then change what metadata.yaml says."""
    writer = Writer(folder, version=8, storage_plugin=storage)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection(
            topic, STRING, typestore=_TYPES, offered_qos_profiles=[_QOS]
        )
        for k in range(first, first + count):
            writer.write(connection, BEGIN_NS + k * PERIOD_NS, text(k, padding))
    if change is not None:
        edit_metadata(folder, change)
    return folder


def edit_metadata(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what metadata.yaml says."""
    path = folder / "metadata.yaml"
    document = yaml.safe_load(path.read_text())
    change(document["rosbag2_bagfile_information"])
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def in_topic(**changes: Any) -> Callable[[dict[str, Any]], object]:
    """Return a change of what metadata.yaml says of the topic."""

    def change(information: dict[str, Any]) -> None:
        information["topics_with_message_count"][0]["topic_metadata"].update(changes)

    return change


def split(folder: Path, storage: Any = SQLITE, missing: int | None = None) -> Path:
    """Write a bag of three files whose metadata begins with the last one."""
    suffix = ".db3" if storage == SQLITE else ".mcap"
    parts = [
        rosbag2(folder.with_name(f"{folder.name}_part{k}"), storage, first=10 * k) for k in range(3)
    ]
    folder.mkdir()
    names = [f"{folder.name}_{k}{suffix}" for k in range(3)]
    for part, name in zip(parts, names, strict=True):
        shutil.copy(part / f"{part.name}{suffix}", folder / name)
    shutil.copy(parts[-1] / "metadata.yaml", folder)
    edit_metadata(
        folder, lambda each: each.update(relative_file_paths=names, message_count=30, files=[])
    )
    for part in parts:
        shutil.rmtree(part)
    if missing is not None:
        (folder / names[missing]).unlink()
    return folder


def mcap(
    path: Path,
    numbers: Iterable[int] = range(50),
    *,
    before: Callable[[McapWriter], object] = lambda writer: None,
    profile: str = "ros2",
    name: str = STRING,
    encoding: str = "ros2msg",
    definition: bytes = b"string data",
    qos: str = "",
    serialization: str = "cdr",
    topic: str = CHATTER,
    finish: bool = True,
    **options: Any,
) -> Path:
    """Write an MCAP file as some other recorder does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"chunk_size": 300, "compression": CompressionType.NONE, **options}
    with path.open("wb") as file:
        writer = McapWriter(file, **options)
        writer.start(profile=profile, library="another")
        before(writer)
        schema = writer.register_schema(name, encoding, definition) if name else 0
        channel = writer.register_channel(
            topic, serialization, schema, {"offered_qos_profiles": qos}
        )
        for k in numbers:
            time_ns = BEGIN_NS + k * PERIOD_NS
            writer.add_message(channel, time_ns, text(k), time_ns, sequence=k)
        if finish:
            writer.finish()
    return path


def cut(path: Path, share: float) -> Path:
    """Cut a file off."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damaged(path: Path, begin: float, size: int) -> Path:
    """Overwrite some bytes of a file."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * begin)
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    return path


def extras(writer: McapWriter) -> None:
    """Write what is no message: an attachment and two metadata records."""
    writer.add_metadata("rosbag2", {"serialized_metadata": "x"})
    writer.add_metadata("mine", {"key": "value"})
    writer.add_attachment(BEGIN_NS, BEGIN_NS + 1, "notes.txt", "text/plain", b"hello")


def another_topic(**options: Any) -> Callable[[McapWriter], None]:
    """Return what writes ten messages of a topic that ROS 2 does not understand."""

    def write(writer: McapWriter) -> None:
        given = {"name": STRING, "encoding": "ros2msg", "data": b"string data", **options}
        topic, serialization = given.pop("topic", "/odd"), given.pop("serialization", "cdr")
        schema = writer.register_schema(**given) if given["name"] else 0
        channel = writer.register_channel(topic, serialization, schema)
        for k in range(10):
            time_ns = BEGIN_NS + k * PERIOD_NS
            writer.add_message(channel, time_ns, text(k), time_ns)

    return write


def with_open_transaction(folder: Path, mode: str, count: int = 40) -> Path:
    """Write a SQLite bag whose last messages are in a log, or half written, beside it."""
    live = folder.with_name(f"{folder.name}_live")
    rosbag2(live, count=10)
    (live / "metadata.yaml").unlink()
    path = live / f"{live.name}.db3"
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA journal_mode = {mode}")
        database.execute("PRAGMA cache_size = 1")
        for k in range(10, count):
            row = (1, BEGIN_NS + k * PERIOD_NS, text(k, 5000))
            database.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES(?, ?, ?)", row)
            if mode == "wal":
                database.commit()
        # As it lies there when the recorder is killed now.
        shutil.copytree(live, folder)
    database.close()
    shutil.rmtree(live)
    return folder
