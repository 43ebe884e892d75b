"""Reads bags, also those of others, and makes whole what a kill has left."""

from __future__ import annotations

import sqlite3
import struct
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import zstandard
from mcap.exceptions import McapError
from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore
from yaml import YAMLError

from fer.bags.errors import BagError
from fer.bags.finishing import finish, is_finished, is_whole
from fer.bags.folder import data_files, locked

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError
else:
    from backports.zstd import ZstdError

_NS_PER_S = 1_000_000_000
#: What libraries that trust a file raise where it is damaged.
_NONSENSE = (
    ReaderError,
    SerdeError,
    TypesysError,
    McapError,
    ZstdError,
    zstandard.ZstdError,
    YAMLError,
    apsw.Error,
    sqlite3.Error,
    struct.error,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class RecordedTopic:
    """A topic of a bag: its type, its number of messages, and the profiles that were offered."""

    name: str
    kind: str
    messages: int
    qos: tuple[Qos, ...]


@dataclass(frozen=True)
class RecordedMessage:
    """A message of a bag: when it was received, and its serialized bytes."""

    topic: str
    received_ns: int
    data: bytes


class Bag:
    """An open bag.

    Attributes
    ----------
    path : its folder or file.
    start_ns : when the first message was received; 0 for an empty bag.
    duration_s : time from the first message to the last.
    topics : every topic by name, in the order of the names.
    """

    def __init__(self, reader: Reader, path: Path) -> None:
        self._reader = reader
        self._types: Typestore | None = None
        self.path = path
        self.start_ns: int = reader.start_time if reader.message_count else 0
        self.duration_s: float = max(reader.duration - 1, 0) / _NS_PER_S
        self.topics = _topics(reader.connections)

    def messages(
        self, topics: Collection[str] | None = None, from_ns: int | None = None
    ) -> Iterator[RecordedMessage]:
        """Yield the messages of some topics (None: of all) in the order in which they came.

        Raises
        ------
        BagError
            where the file is broken.
        """
        chosen = [c for c in self._reader.connections if topics is None or c.topic in topics]
        if not chosen:
            return
        with understood(self.path):
            for connection, received_ns, data in self._reader.messages(chosen, start=from_ns):
                yield RecordedMessage(connection.topic, received_ns, bytes(data))

    def decode(self, topic: str, data: bytes) -> Any:
        """Return a message as an object with its fields, by the definition in the bag.

        Raises
        ------
        BagError
            where bytes or definition are broken.
        """
        with understood(self.path):
            if self._types is None:
                self._types = self._definitions()
            return self._types.deserialize_cdr(data, self.topics[topic].kind)

    def _definitions(self) -> Typestore:
        types = get_typestore(Stores.EMPTY)
        for connection in self._reader.connections:
            types.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        return types


def _topics(connections: Iterable[Connection]) -> dict[str, RecordedTopic]:
    found: dict[str, RecordedTopic] = {}
    for connection in sorted(connections, key=lambda each: each.topic):
        before = found.get(connection.topic)
        offered = tuple(_extension(connection).offered_qos_profiles)
        found[connection.topic] = RecordedTopic(
            connection.topic,
            connection.msgtype,
            connection.msgcount + (before.messages if before else 0),
            offered + (before.qos if before else ()),
        )
    return found


def _extension(connection: Connection) -> Any:
    return connection.ext


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Turn what libraries raise at bytes that make no sense to them into a BagError."""
    try:
        yield
    except _NONSENSE as error:
        said = str(error) or type(error).__name__
        raise BagError(f"bag {path} is broken or no bag: {said}") from error


@contextmanager
def opened(path: Path) -> Iterator[Bag]:
    """Open a bag, or one file of a bag; what a kill has left unfinished is made whole first.

    Raises
    ------
    BagError
        if there is no bag, it is still being recorded, or it cannot be read.
    """
    with understood(path):
        _make_whole(path)
        reader = Reader(path)
        reader.open()
    try:
        with understood(path):
            bag = Bag(reader, path)
        yield bag
    finally:
        reader.close()


def _make_whole(path: Path) -> None:
    if not path.exists():
        raise BagError(f"there is no bag {path}: name a folder that was recorded, or a file in it")
    if path.is_file() and is_finished(path):
        return
    folder = path if path.is_dir() else path.parent
    if not data_files(folder):
        raise BagError(f"{folder} holds no bag: name a folder with .mcap or .db3 files")
    if is_whole(folder):
        return
    with locked(folder) as ours:
        if not ours:
            raise BagError(f"bag {folder} is still being recorded: end that first")
        finish(folder)
