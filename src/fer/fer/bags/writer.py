"""Writes a bag: files in a folder, split where asked, readable whatever ends the recording."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import zstandard
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter

from fer.bags.mcap_file import CHUNK_BYTES, LIBRARY, PROFILE, UnbufferedFile
from fer.bags.repair import finish
from fer.bags.sqlite_file import SCHEMA
from fer.bags.topics import CDR, ROS2MSG, BagError, Topic
from fer_common.core.stamps import NANOSECONDS


class _McapStorage:
    """An MCAP file that is being written, in chunks that can be read on their own.

    After a flush a kill loses nothing of what was written. Methods raise OSError.
    """

    suffix = ".mcap"

    def __init__(self, path: Path, compress: bool) -> None:
        self._file: Any = path.open("x+b", buffering=0)
        self._sink = UnbufferedFile(self._file)
        self._writer = McapWriter(
            self._sink,  # type: ignore[arg-type]
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD if compress else CompressionType.NONE,
        )
        self._writer.start(profile=PROFILE, library=LIBRARY)
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self.size = self._sink.tell
        self.flush = self._writer.flush
        self.abandon = self._file.close

    def add_topic(self, topic: Topic) -> None:
        if topic.type not in self._schemas:
            self._schemas[topic.type] = self._writer.register_schema(
                topic.type, ROS2MSG, topic.definition.encode()
            )
        metadata = {"offered_qos_profiles": topic.qos_text, "topic_type_hash": topic.type_hash}
        self._channels[topic.name] = self._writer.register_channel(
            topic.name, CDR, self._schemas[topic.type], metadata
        )

    def write(self, topic: Topic, received_ns: int, sent_ns: int, data: bytes) -> None:
        self._writer.add_message(self._channels[topic.name], received_ns, data, sent_ns)

    def close(self) -> None:
        self._writer.finish()
        self._file.close()


class _SqliteStorage:
    """The same as a SQLite file: what comes between two calls of `flush` is one transaction."""

    suffix = ".db3"

    def __init__(self, path: Path, compress: bool) -> None:
        self._compressor = zstandard.ZstdCompressor() if compress else None
        self._path = path
        self._topics: dict[str, int] = {}
        self._types: set[str] = set()
        self._pending: list[tuple[int, int, bytes]] = []
        # Opened and closed in one thread, written in another, but never in two at a time.
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA synchronous = NORMAL")
        self.abandon = self._database.close
        with _as_os_error():
            self._database.executescript(f"BEGIN; {SCHEMA} COMMIT;")

    def add_topic(self, topic: Topic) -> None:
        if topic.type not in self._types:
            self._types.add(topic.type)
            self._insert(
                "message_definitions(topic_type, encoding, encoded_message_definition, "
                "type_description_hash)",
                [(topic.type, ROS2MSG, topic.definition, topic.type_hash)],
            )
        number = self._topics[topic.name] = len(self._topics) + 1
        row = (number, topic.name, topic.type, CDR, topic.qos_text, topic.type_hash)
        self._insert("topics", [row])

    def write(self, topic: Topic, received_ns: int, sent_ns: int, data: bytes) -> None:
        if self._compressor is not None:
            data = self._compressor.compress(data)
        self._pending.append((self._topics[topic.name], received_ns, data))

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        self._insert("messages(topic_id, timestamp, data)", pending)

    def size(self) -> int:
        return self._path.stat().st_size

    def close(self) -> None:
        self.flush()
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


_Storage: TypeAlias = "_McapStorage | _SqliteStorage"
_Work: TypeAlias = Callable[[Any], object]
FORMATS: dict[str, type[_McapStorage | _SqliteStorage]] = {
    "mcap": _McapStorage,
    "sqlite3": _SqliteStorage,
}


@dataclass(frozen=True)
class Layout:
    """How a bag is stored.

    Attributes
    ----------
    storage : one of `FORMATS`.
    split_s, split_bytes : begin another file after so long, or at this size on disk; 0: never.
    """

    storage: str = "mcap"
    compress: bool = False
    split_s: float = 0.0
    split_bytes: int = 0


class BagWriter:
    """A bag that is being written, for use in a `with` block.

    Raises
    ------
    BagError
        if the folder is there already, cannot be made, or (later) cannot be written; the bag is
        then closed, and readable.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder = folder
        self.messages = 0
        self._layout = layout
        self._topics: dict[str, Topic] = {}
        self._file: _Storage | None = None
        self._files = 0
        self._closed_bytes = 0
        self._start_ns: int | None = None
        self._last_ns = -1
        self._pending_bytes = 0
        try:
            folder.mkdir(parents=True)
            self._open()
        except FileExistsError:
            raise BagError(f"{folder} is there already: name another folder") from None
        except OSError as error:
            raise BagError(f"bag {folder} cannot be written: {error.strerror}") from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """How many bytes are on disk."""
        return self._closed_bytes + (self._file.size() if self._file is not None else 0)

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic before its first message."""
        self._topics[topic.name] = topic
        self._guarded(lambda file: file.add_topic(topic))

    def write(self, name: str, received_ns: int, sent_ns: int, data: bytes) -> None:
        """Add a message of a topic; times in ns since the epoch.

        Times only grow, so that readers, which sort by time, keep the order in which messages came:
        what DDS had to send twice has a later time than what was sent after it.
        """
        received_ns = self._last_ns = max(received_ns, self._last_ns + 1)
        if self._is_full(received_ns):
            self._split()
        if self._start_ns is None:
            self._start_ns = received_ns
        topic = self._topics[name]
        self._guarded(lambda file: file.write(topic, received_ns, sent_ns, data))
        self._pending_bytes += len(data)
        self.messages += 1

    def flush(self) -> None:
        """Make what was written so far safe from a kill."""
        self._pending_bytes = 0
        self._guarded(lambda file: file.flush())

    def close(self) -> None:
        """Finish the bag; does nothing the second time."""
        if self._file is not None:
            self._guarded(lambda file: file.close())
            self._end()

    def _is_full(self, now_ns: int) -> bool:
        layout, file = self._layout, self._file
        if self._start_ns is None or file is None:
            return False
        if 0 < layout.split_s * NANOSECONDS <= now_ns - self._start_ns:
            return True
        # What is pending may become smaller on its way to the disk.
        if 0 < layout.split_bytes <= file.size() + self._pending_bytes:
            self.flush()
            return layout.split_bytes <= file.size()
        return False

    def _split(self) -> None:
        self._guarded(lambda file: file.close())
        self._guarded(lambda file: self._open())

    def _open(self) -> None:
        self._closed_bytes = self.size
        make = FORMATS[self._layout.storage]
        path = self.folder / f"{self.folder.name}_{self._files}{make.suffix}"
        self._file = make(path, self._layout.compress)
        self._files += 1
        self._start_ns, self._pending_bytes = None, 0
        for topic in self._topics.values():
            self._file.add_topic(topic)

    def _guarded(self, work: _Work) -> None:
        if self._file is None:
            raise BagError(f"bag {self.folder} is closed")
        try:
            work(self._file)
        except OSError as error:
            with suppress(OSError):
                self._file.abandon()
            self._end()
            raise BagError(
                f"bag {self.folder} cannot be written any more ({error.strerror}): "
                f"it holds what came before"
            ) from error

    def _end(self) -> None:
        self._closed_bytes = self.size
        self._file = None
        finish(self.folder)
