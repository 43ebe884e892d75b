"""The files of a bag, MCAP and SQLite, written so that a kill costs the last chunk at most."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml
import zstandard
from mcap.writer import CompressionType
from mcap.writer import Writer as ChunkWriter
from rosbags.interfaces import Qos
from rosbags.rosbag2.metadata import dump_qos_v9

#: A chunk is closed when it has grown to this, or earlier by `flush`.
CHUNK_BYTES = 4 * 1024 * 1024
#: Profile, encodings and distribution that stand in the files.
PROFILE, ENCODING, SCHEMA_ENCODING, LIBRARY = "ros2", "cdr", "ros2msg", "fer"

#: As rosbag2 makes it, version 4.
SQL_SCHEMA = f"""
BEGIN;
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata_version INTEGER NOT NULL,
    metadata TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
    serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL,
    type_description_hash TEXT NOT NULL);
CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL,
    encoding TEXT NOT NULL, encoded_message_definition TEXT NOT NULL,
    type_description_hash TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX timestamp_idx ON messages (timestamp ASC);
INSERT INTO schema(schema_version, ros_distro) VALUES (4, '{LIBRARY}');
COMMIT;
"""


@dataclass(frozen=True)
class Topic:
    """A topic in a bag.

    Attributes
    ----------
    name : absolute.
    kind : type, as "sensor_msgs/msg/Image".
    definition : text of the type and of those within it.
    type_hash : of the type, as "RIHS01_...".
    qos : profile that each publisher offered.
    """

    name: str
    kind: str
    definition: str
    type_hash: str
    qos: tuple[Qos, ...] = ()

    @property
    def qos_text(self) -> str:
        """The profiles as YAML, as the files hold them."""
        return yaml.safe_dump(dump_qos_v9(list(self.qos)), sort_keys=False)


class Storage(Protocol):
    """One file of a bag that is being written. Raises OSError when it cannot write."""

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic before its first message."""

    def write(self, topic: Topic, received_ns: int, sent_ns: int, data: bytes) -> None:
        """Add a message; a kill does not lose it after the next `flush`."""

    def flush(self) -> None:
        """Hand everything so far to the operating system."""

    def close(self) -> None:
        """Finish the file."""

    def abandon(self) -> None:
        """Let go of the file as it is."""


class _Unbuffered:
    """A file that keeps nothing back: after a failed write there is nothing left to fail again."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        self._position = 0

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            written = os.write(self._descriptor, rest)
            self._position += written
            rest = rest[written:]
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        os.close(self._descriptor)


class McapStorage:
    """An MCAP file in chunks that stand for themselves.

    Parameters
    ----------
    path : file to make.
    compress : compress each chunk by Zstandard.
    """

    def __init__(self, path: Path, compress: bool) -> None:
        self._file = _Unbuffered(path)
        self._writer = ChunkWriter(
            self._file,  # type: ignore[arg-type]
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD if compress else CompressionType.NONE,
        )
        self._writer.start(profile=PROFILE, library=LIBRARY)
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic before its first message."""
        if topic.kind not in self._schemas:
            self._schemas[topic.kind] = self._writer.register_schema(
                topic.kind, SCHEMA_ENCODING, topic.definition.encode()
            )
        metadata = {"offered_qos_profiles": topic.qos_text, "topic_type_hash": topic.type_hash}
        self._channels[topic.name] = self._writer.register_channel(
            topic.name, ENCODING, self._schemas[topic.kind], metadata
        )

    def write(self, topic: Topic, received_ns: int, sent_ns: int, data: bytes) -> None:
        """Add a message; a kill does not lose it after the next `flush`."""
        self._writer.add_message(self._channels[topic.name], received_ns, data, sent_ns)

    def flush(self) -> None:
        """Close the present chunk."""
        self._writer.flush()

    def close(self) -> None:
        """Close the present chunk and write the index."""
        self._writer.finish()
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._file.close()


class SqliteStorage:
    """A SQLite file; what comes between two calls of `flush` is one transaction.

    Parameters
    ----------
    path : file to make.
    compress : compress each message by Zstandard.
    """

    def __init__(self, path: Path, compress: bool) -> None:
        self._compressor = zstandard.ZstdCompressor() if compress else None
        self._topics: dict[str, int] = {}
        self._kinds: set[str] = set()
        self._pending: list[tuple[int, int, bytes]] = []
        # Opened and closed in one thread, written in another, but never in two at a time.
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA synchronous = NORMAL")
        with _as_os_error():
            self._database.executescript(SQL_SCHEMA)

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic before its first message."""
        if topic.kind not in self._kinds:
            self._kinds.add(topic.kind)
            self._insert(
                "message_definitions(topic_type, encoding, encoded_message_definition, "
                "type_description_hash)",
                [(topic.kind, SCHEMA_ENCODING, topic.definition, topic.type_hash)],
            )
        number = self._topics[topic.name] = len(self._topics) + 1
        row = (number, topic.name, topic.kind, ENCODING, topic.qos_text, topic.type_hash)
        self._insert("topics", [row])

    def write(self, topic: Topic, received_ns: int, sent_ns: int, data: bytes) -> None:
        """Keep a message for the next transaction."""
        if self._compressor is not None:
            data = self._compressor.compress(data)
        self._pending.append((self._topics[topic.name], received_ns, data))

    def flush(self) -> None:
        """End the present transaction."""
        pending, self._pending = self._pending, []
        self._insert("messages(topic_id, timestamp, data)", pending)

    def close(self) -> None:
        """End the present transaction and the file."""
        self.flush()
        self._database.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._database.close()

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        marks = ", ".join("?" * len(rows[0]))
        with _as_os_error(), self._database:
            self._database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise what SQLite says of a full disk as the OSError that it is."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error)) from error
