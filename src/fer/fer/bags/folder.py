"""The folder of a bag: its files in order, its metadata.yaml, and who is writing in it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml
import zstandard
from rosbags.interfaces import Connection
from rosbags.rosbag2.metadata import dump_qos_v9
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from fer.bags.storage import ENCODING, LIBRARY
from fer_common.core.atomic import write_atomically

METADATA = "metadata.yaml"
_TURN_S = 0.02
#: Version of metadata.yaml, as rosbag2 of Jazzy and later writes it.
_VERSION = 9
#: How the files of a bag end, and what rosbag2 calls their storage.
STORAGES = {".mcap": "mcap", ".db3": "sqlite3"}
_READERS: dict[str, Any] = {".mcap": McapReader, ".db3": Sqlite3Reader}


def data_files(folder: Path) -> list[Path]:
    """Return the files with messages, in the order of their numbers."""
    found = [path for path in folder.iterdir() if path.suffix in STORAGES]
    return sorted(found, key=lambda path: (len(path.name), path.name))


@contextmanager
def locked(folder: Path, within_s: float = 0.0) -> Iterator[bool]:
    """Hold the folder against other writers of fer.

    Yields
    ------
    Whether it is ours; False when somebody else keeps it for longer than `within_s` seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    deadline_s = time.monotonic() + within_s
    try:
        while not (ours := _try_lock(descriptor)) and time.monotonic() < deadline_s:
            time.sleep(_TURN_S)
        yield ours
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_metadata(folder: Path) -> None:
    """Write metadata.yaml from what the files say of themselves.

    Raises
    ------
    OSError
        if it cannot be written.
    """
    files = data_files(folder)
    contents = [_contents(path) for path in files]
    topics: dict[str, Connection] = {}
    counts: dict[str, int] = {}
    for connections, _ in contents:
        for connection in connections:
            topics.setdefault(connection.topic, connection)
            counts[connection.topic] = counts.get(connection.topic, 0) + connection.msgcount
    by_message = any(map(_has_compressed_messages, files))
    spans = [span for _, span in contents]
    information = {
        "version": _VERSION,
        "storage_identifier": STORAGES[files[0].suffix],
        "relative_file_paths": [path.name for path in files],
        **_span(spans),
        "topics_with_message_count": [
            {"topic_metadata": _topic(topic), "message_count": counts[name]}
            for name, topic in topics.items()
        ],
        "compression_format": "zstd" if by_message else "",
        "compression_mode": "MESSAGE" if by_message else "",
        "files": [
            {"path": path.name, **_span([span])} for path, span in zip(files, spans, strict=True)
        ],
        "custom_data": None,
        "ros_distro": LIBRARY,
    }
    text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    write_atomically(folder / METADATA, text.encode())


def _has_compressed_messages(path: Path) -> bool:
    if path.suffix != ".db3":
        return False
    with closing(sqlite3.connect(path)) as database:
        row = database.execute("SELECT data FROM messages LIMIT 1").fetchone()
    # A serialized message begins with a zero.
    return row is not None and row[0][:4] == zstandard.FRAME_HEADER


#: First and last time in ns, and the number of messages.
_Span = tuple[int, int, int]


def _contents(path: Path) -> tuple[Sequence[Connection], _Span]:
    reader = _READERS[path.suffix](path)
    reader.open()
    try:
        seen = reader.metadata
        return list(reader.connections), (seen.start_time, seen.end_time - 1, seen.message_count)
    finally:
        reader.close()


def _span(spans: Sequence[_Span]) -> dict[str, Any]:
    full = [span for span in spans if span[2]]
    first = min((span[0] for span in full), default=0)
    last = max((span[1] for span in full), default=0)
    return {
        "duration": {"nanoseconds": last - first},
        "starting_time": {"nanoseconds_since_epoch": first},
        "message_count": sum(span[2] for span in spans),
    }


def _topic(connection: Connection) -> dict[str, Any]:
    return {
        "name": connection.topic,
        "type": connection.msgtype,
        "serialization_format": ENCODING,
        "offered_qos_profiles": dump_qos_v9(connection.ext.offered_qos_profiles),  # type: ignore[union-attr]
        "type_description_hash": connection.digest or _type_hash(connection),
    }


def _type_hash(connection: Connection) -> str:
    types = get_typestore(Stores.EMPTY)
    types.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
    return types.hash_rihs01(connection.msgtype)
