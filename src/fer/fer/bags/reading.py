"""Reads bags of any recorder, whatever state they are in, and changes nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any, NamedTuple, TypeAlias

import apsw
import yaml
import zstandard
from mcap.writer import MCAP0_MAGIC
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

from fer.bags.mcap_file import DAMAGE, McapFile
from fer.bags.sqlite_file import SqliteFile, copying, temporary_folder
from fer.bags.time_order import Stamped, in_time_order
from fer.bags.topics import ROS2MSG, BagError, Topic, definition
from fer_common.core.stamps import NANOSECONDS

METADATA = "metadata.yaml"
#: How the files of a bag end, and what rosbag2 calls their storage.
STORAGES = {".mcap": "mcap", ".db3": "sqlite3"}
COMPRESSED, _ROS1 = ".zstd", ".bag"
_SQLITE_MAGIC, _ROS1_MAGIC = b"SQLite format 3\0", b"#ROSBAG V"
_IDL = ("ros2idl", "omgidl")
#: What rosbag2 puts before the definition of each type.
_IDL_HEADING = re.compile(r"^(=+|IDL: .*)$", re.MULTILINE)
#: What libraries that trust a file raise where it is damaged.
_NONSENSE = (ReaderError, SerdeError, TypesysError, apsw.Error, sqlite3.Error, OSError, *DAMAGE)


BagFile: TypeAlias = "McapFile | SqliteFile"


class RecordedMessage(NamedTuple):
    """A message of a bag: when it was received, and its serialized bytes."""

    topic: str
    received_ns: int
    data: bytes


class Bag:
    """An open bag.

    Attributes
    ----------
    path : its folder or file.
    files : its files that can be read.
    topics : every topic by name, in the order of the names.
    notes : what is odd about it, but loses nothing.
    losses : what it lacks, as far as can be seen without the messages.
    start_ns : when the first message was received; 0 for an empty bag.
    duration_s : time from the first message to the last.
    """

    def __init__(self, path: Path, files: Sequence[BagFile]) -> None:
        self.path = path
        self.files = files
        self.notes: list[str] = []
        self.losses: list[str] = []
        topics: dict[str, Topic] = {}
        self._names = [
            {channel: _add(topics, topic) for channel, topic in file.topics.items()}
            for file in files
        ]
        self.topics = dict(sorted(topics.items()))
        self._types: dict[str, Typestore] = {}
        full = [file for file in files if file.end_ns]
        self.start_ns: int = min((file.start_ns for file in full), default=0)
        end_ns = max((file.end_ns for file in full), default=0)
        self.duration_s: float = (end_ns - self.start_ns) / NANOSECONDS

    @property
    def message_count(self) -> int:
        """How many messages can be read."""
        return sum(topic.messages for topic in self.topics.values())

    @property
    def problems(self) -> list[str]:
        """What cannot be read, as far as it is known by now, with the names of the files."""
        damage = [f"{file.path.name}: {text}" for file in self.files for text in file.problems]
        return [*self.losses, *damage]

    def messages(
        self, topics: Collection[str] | None = None, from_ns: int = 0
    ) -> Iterator[RecordedMessage]:
        """Yield the messages of some topics (None: of all) in the order in which they came.

        Raises
        ------
        BagError
            where a file is broken.
        """

        def named(file: BagFile, names: Mapping[int, str]) -> Iterator[Stamped]:
            for time_ns, channel, data in file.messages(names.keys(), from_ns):
                yield time_ns, names[channel], data

        due = []
        for file, names in zip(self.files, self._names, strict=True):
            chosen = {k: name for k, name in names.items() if topics is None or name in topics}
            if file.end_ns >= from_ns and any(file.topics[k].messages for k in chosen):
                due.append((file.start_ns, partial(named, file, chosen)))
        with understood(self.path):
            for received_ns, name, data in in_time_order(due):
                yield RecordedMessage(name, received_ns, _plain(data))

    def decode(self, topic: str, data: bytes) -> Any:
        """Return a message as an object with its fields, by the definition in the bag.

        Raises
        ------
        BagError
            where bytes or definition are broken, or there is no definition.
        """
        with understood(self.path):
            if topic not in self._types:
                self._types[topic] = message_types(self.topics[topic])
            return self._types[topic].deserialize_cdr(data, self.topics[topic].type)


def _add(topics: dict[str, Topic], topic: Topic) -> str:
    """Add a channel to the topics of a bag, and return the name of its topic."""
    name = topic.name
    if (first := topics.get(name)) is not None and first.type != topic.type:
        name = f"{name} ({topic.type})"
        topic = replace(topic, obstacle=f"{topic.name} has messages of type {first.type} too")
        first = topics.get(name)
    if first is None:
        topics[name] = replace(topic)
    else:
        first.messages += topic.messages
        first.qos = tuple(dict.fromkeys((*first.qos, *topic.qos)))
        first.definition = first.definition or topic.definition
    return name


def _plain(data: bytes) -> bytes:
    """Return a message without its compression: no serialized message begins as a frame does."""
    if data[:4] == zstandard.FRAME_HEADER:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def message_types(topic: Topic) -> Typestore:
    """Return the types that a topic is made of, by its definition in the bag."""
    if topic.obstacle:
        raise BagError(f"{topic.name} cannot be decoded: {topic.obstacle}")
    text, types = topic.definition, get_typestore(Stores.EMPTY)
    if not text:
        types.register(get_types_from_msg(definition(topic.type), topic.type))
    elif topic.definition_encoding in _IDL:
        types.register(get_types_from_idl(_IDL_HEADING.sub("", text)))
    elif topic.definition_encoding in (ROS2MSG, ""):
        types.register(get_types_from_msg(text, topic.type))
    else:
        raise BagError(f"{topic.name} cannot be decoded: '{topic.definition_encoding}' is unknown")
    return types


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
    """Open a bag, or one file of a bag, to read it.

    Raises
    ------
    BagError
        if there is no bag, or nothing of it can be read.
    """
    with ExitStack() as stack:
        with understood(path):
            bag = _open(path, stack)
        yield bag


def _open(path: Path, stack: ExitStack) -> Bag:
    if not path.exists():
        raise BagError(f"there is no bag {path}: name a folder that was recorded, or a file in it")
    if path.is_file():
        return Bag(path, [_open_file(path, stack)])
    metadata, odd = read_metadata(path)
    named = _named_files(metadata)
    files, losses = [], []
    for each in data_files(path, named):
        try:
            files.append(_open_file(each, stack))
        except (BagError, *_NONSENSE) as error:
            losses.append(f"{each.name} cannot be read: {error}")
    missing = [f"{name} is missing" for name in named if not (path / name).exists()]
    if not files:
        found = "; ".join(losses + missing) or f"name a folder with {' or '.join(STORAGES)} files"
        raise BagError(f"{path} holds no bag: {found}")
    bag = Bag(path, files)
    bag.notes = [odd] if odd else []
    counted = metadata.get("message_count")
    if isinstance(counted, int) and counted <= bag.message_count:
        # Renamed, or never there: its messages are.
        bag.notes += missing
    else:
        losses += missing
        if isinstance(counted, int):
            losses.append(f"{METADATA} counts {counted} messages, {bag.message_count} can be read")
    bag.losses = losses
    return bag


def data_files(folder: Path, named: Collection[str] = ()) -> list[Path]:
    """Return the files with messages, in the order of their numbers.

    Parameters
    ----------
    named : names of files that belong to it, however they end.
    """
    names = {path.name for path in folder.iterdir() if path.is_file()}
    suffixes = (*STORAGES, *(suffix + COMPRESSED for suffix in STORAGES), _ROS1)
    found = {name for name in names if name in named or name.endswith(suffixes)}
    # A recorder that was killed while it compressed a file leaves both.
    found = {name for name in found if name.removesuffix(COMPRESSED) not in found - {name}}
    return sorted((folder / name for name in found), key=lambda path: (len(path.name), path.name))


def read_metadata(folder: Path) -> tuple[dict[str, Any], str]:
    """Return what metadata.yaml says, which is but a hint, and why it cannot be read, if so."""
    try:
        text = (folder / METADATA).read_text(encoding="utf-8")
        found = yaml.safe_load(text)["rosbag2_bagfile_information"]
        return (found, "") if isinstance(found, dict) else ({}, f"{METADATA} is none of a bag")
    except FileNotFoundError:
        return {}, f"{METADATA} is missing"
    except (OSError, yaml.YAMLError, RecursionError, *DAMAGE) as error:
        reason = str(error).partition("\n")[0]
        return {}, f"{METADATA} cannot be read ({reason})"


def _named_files(metadata: dict[str, Any]) -> list[str]:
    named = metadata.get("relative_file_paths")
    names = [PurePath(each).name for each in named or [] if isinstance(each, str)]
    return list(dict.fromkeys(name for name in names if name))


def _open_file(path: Path, stack: ExitStack) -> BagFile:
    """Open a file by what it begins with; its name may be wrong."""
    with path.open("rb") as file:
        head = file.read(len(_SQLITE_MAGIC))
    if head[:4] == zstandard.FRAME_HEADER:
        return _open_file(_decompressed(path, stack), stack)
    if head.startswith(_ROS1_MAGIC):
        raise BagError(
            f"{path} is a bag of ROS 1: convert it with `rosbags-convert --src {path} --dst NEW`"
        )
    if not (MCAP0_MAGIC.startswith(head[:8]) or _SQLITE_MAGIC.startswith(head)):
        raise BagError(f"{path} is no file of a bag: its content is neither MCAP nor SQLite")
    is_sqlite = _SQLITE_MAGIC.startswith(head) and (head or path.suffix == ".db3")
    bag_file: BagFile = SqliteFile(path) if is_sqlite else McapFile(path)
    stack.callback(bag_file.close)
    return bag_file


def _decompressed(path: Path, stack: ExitStack) -> Path:
    plain = temporary_folder(stack) / path.name.removesuffix(COMPRESSED)
    with copying(path, plain), path.open("rb") as source, plain.open("wb") as target:
        reader = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True)
        shutil.copyfileobj(reader, target)
    return plain
