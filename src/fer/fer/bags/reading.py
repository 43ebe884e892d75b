"""Reads bags, also those of others, and makes whole what a kill has left."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fer.bags.errors import BagError
from fer.bags.finishing import finish, is_finished, is_whole
from fer.bags.folder import data_files, locked

_NS_PER_S = 1_000_000_000


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
    """An open bag."""

    def __init__(self, reader: Reader, path: Path) -> None:
        self._reader = reader
        self.path = path
        self._types: Typestore | None = None

    @property
    def start_ns(self) -> int:
        """When the first message was received; 0 for an empty bag."""
        return self._reader.start_time if self._reader.message_count else 0

    @property
    def duration_s(self) -> float:
        """Time from the first message to the last."""
        return max(self._reader.duration - 1, 0) / _NS_PER_S

    @property
    def topics(self) -> dict[str, RecordedTopic]:
        """Every topic by name, in the order of the names."""
        found: dict[str, RecordedTopic] = {}
        for connection in sorted(self._reader.connections, key=lambda each: each.topic):
            before = found.get(connection.topic)
            offered = tuple(_extension(connection).offered_qos_profiles)
            found[connection.topic] = RecordedTopic(
                connection.topic,
                connection.msgtype,
                connection.msgcount + (before.messages if before else 0),
                offered + (before.qos if before else ()),
            )
        return found

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
        try:
            for connection, received_ns, data in self._reader.messages(chosen, start=from_ns):
                yield RecordedMessage(connection.topic, received_ns, bytes(data))
        except (ReaderError, apsw.Error) as error:
            raise BagError(f"bag {self.path} is broken: {error}") from error

    def decode(self, topic: str, data: bytes) -> Any:
        """Return a message as an object with its fields, by the definition in the bag."""
        if self._types is None:
            self._types = get_typestore(Stores.EMPTY)
            for connection in self._reader.connections:
                self._types.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        kind = self.topics[topic].kind
        return self._types.deserialize_cdr(data, kind)


def _extension(connection: Connection) -> Any:
    return connection.ext


@contextmanager
def opened(path: Path) -> Iterator[Bag]:
    """Open a bag, or one file of a bag; what a kill has left unfinished is made whole first.

    Raises
    ------
    BagError
        if there is no bag, it is still being recorded, or it cannot be read.
    """
    _make_whole(path)
    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, OSError, apsw.Error) as error:
        raise BagError(f"{path} is no bag that can be read: {error}") from error
    try:
        yield Bag(reader, path)
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
