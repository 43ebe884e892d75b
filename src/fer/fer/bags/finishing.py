"""Makes whole what a kill or a full disk left unfinished, in place."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Message,
    MessageIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.stream_reader import CRCValidationError, breakup_chunk
from mcap.writer import MCAP0_MAGIC

from fer.bags.errors import BagError
from fer.bags.folder import METADATA, data_files, write_metadata
from fer.bags.storage import LIBRARY, PROFILE, SQL_SCHEMA

_HEAD_BYTES = 9
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def finish(folder: Path) -> None:
    """Make every file of a bag whole, and its metadata.yaml.

    Raises
    ------
    BagError
        if the folder cannot be written, or a file is none of a bag.
    """
    try:
        for path in data_files(folder):
            if not is_finished(path):
                (_finish_mcap if path.suffix == ".mcap" else _finish_sqlite)(path)
        write_metadata(folder)
    except OSError as error:
        raise BagError(f"bag {folder} cannot be made whole: {error.strerror}") from error


def is_whole(folder: Path) -> bool:
    """Whether a bag was finished."""
    return (folder / METADATA).exists() and all(map(is_finished, data_files(folder)))


def is_finished(path: Path) -> bool:
    """Whether a file of a bag was finished."""
    if path.suffix != ".mcap":
        return not path.with_name(path.name + "-journal").exists() and path.stat().st_size > 0
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(MCAP0_MAGIC), 0))
        return size > 2 * len(MCAP0_MAGIC) and file.read() == MCAP0_MAGIC


def _finish_sqlite(path: Path) -> None:
    # Whoever opens it and may write rolls the unfinished transaction back.
    try:
        with closing(sqlite3.connect(path)) as database:
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                database.executescript(SQL_SCHEMA)
    except sqlite3.Error as error:
        raise BagError(f"{path} is no file of a bag ({error}): take it away") from error


def _finish_mcap(path: Path) -> None:
    """Cut off what is not a whole chunk, and write the index of the rest."""
    with path.open("r+b") as file:
        begin = file.read(len(MCAP0_MAGIC))
        if begin != MCAP0_MAGIC[: len(begin)]:
            raise BagError(f"{path} is no file of a bag: take it away")
        groups = list(_groups(file))
        while True:
            _cut(file, groups)
            try:
                file.write(_tail(groups, file.tell()))
                file.flush()
            except OSError as error:
                if error.errno not in _NO_SPACE or not groups:
                    raise
                # On a full disk the last chunk gives its place to the index.
                groups.pop()
            else:
                return


def _cut(file: BinaryIO, groups: list[_Group]) -> None:
    """Cut off what follows the last of the chunks; without any, all but a header."""
    if groups:
        file.truncate(groups[-1].end)
    else:
        builder = RecordBuilder()
        Header(PROFILE, LIBRARY).write(builder)
        file.truncate(0)
        file.seek(0)
        file.write(MCAP0_MAGIC + builder.end())
    file.seek(0, os.SEEK_END)


@dataclass
class _Group:
    """A chunk and the message indexes that follow it.

    Attributes
    ----------
    start, end : where it lies in the file.
    length : of the chunk's own record.
    indexes : offset of the message index of each channel, by id.
    """

    start: int
    end: int
    length: int
    chunk: Chunk
    schemas: list[Schema] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    indexes: dict[int, int] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether no message index is missing."""
        return self.counts.keys() == self.indexes.keys()


def _records(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield offset, opcode and content of every whole record after the magic."""
    size = file.seek(0, os.SEEK_END)
    offset = len(MCAP0_MAGIC)
    while offset + _HEAD_BYTES <= size:
        file.seek(offset)
        head = file.read(_HEAD_BYTES)
        end = offset + _HEAD_BYTES + int.from_bytes(head[1:], "little")
        if end > size:
            return
        yield offset, head[0], file.read(end - offset - _HEAD_BYTES)
        offset = end


def _groups(file: BinaryIO) -> Iterator[_Group]:
    """Yield the chunks that are whole, with all their indexes, up to the first that is not."""
    group: _Group | None = None
    for offset, opcode, content in _records(file):
        end = offset + _HEAD_BYTES + len(content)
        if opcode == Opcode.MESSAGE_INDEX and group is not None:
            index = MessageIndex.read(ReadDataStream(BytesIO(content)))
            group.indexes[index.channel_id] = offset
            group.end = end
        if group is not None and group.is_whole:
            yield group
            group = None
        if opcode == Opcode.CHUNK:
            group = _read_chunk(offset, end, content)
            if group is None:
                return
            if group.is_whole:
                yield group
                group = None
        elif opcode not in (Opcode.HEADER, Opcode.MESSAGE_INDEX):
            return


def _read_chunk(start: int, end: int, content: bytes) -> _Group | None:
    try:
        chunk = Chunk.read(ReadDataStream(BytesIO(content)))
        records = breakup_chunk(chunk, validate_crc=True)
    except (McapError, CRCValidationError, UnicodeDecodeError, ValueError):
        return None
    group = _Group(start, end, end - start, chunk)
    for record in records:
        if isinstance(record, Schema):
            group.schemas.append(record)
        elif isinstance(record, Channel):
            group.channels.append(record)
        elif isinstance(record, Message):
            group.counts[record.channel_id] = group.counts.get(record.channel_id, 0) + 1
    # Only its size is needed from here on.
    chunk.data = b""
    return group


def _chunk_index(group: _Group, compressed_size: int) -> ChunkIndex:
    chunk = group.chunk
    return ChunkIndex(
        chunk_length=group.length,
        chunk_start_offset=group.start,
        compression=chunk.compression,
        compressed_size=compressed_size,
        message_end_time=chunk.message_end_time,
        message_index_length=group.end - group.start - group.length,
        message_index_offsets=group.indexes,
        message_start_time=chunk.message_start_time,
        uncompressed_size=chunk.uncompressed_size,
    )


def _statistics(groups: list[_Group]) -> Statistics:
    counts: dict[int, int] = {}
    for group in groups:
        for channel, count in group.counts.items():
            counts[channel] = counts.get(channel, 0) + count
    full = [group.chunk for group in groups if group.counts]
    return Statistics(
        attachment_count=0,
        channel_count=sum(len(group.channels) for group in groups),
        channel_message_counts=counts,
        chunk_count=len(groups),
        message_count=sum(counts.values()),
        message_end_time=max((chunk.message_end_time for chunk in full), default=0),
        message_start_time=min((chunk.message_start_time for chunk in full), default=0),
        metadata_count=0,
        schema_count=sum(len(group.schemas) for group in groups),
    )


def _tail(groups: list[_Group], start: int) -> bytes:
    """Return what follows the last chunk of a file, which ends at `start`."""
    builder = RecordBuilder()
    DataEnd(0).write(builder)
    data_end = builder.end()
    start += len(data_end)
    sections: dict[Opcode, list[Any]] = {
        Opcode.SCHEMA: [schema for group in groups for schema in group.schemas],
        Opcode.CHANNEL: [channel for group in groups for channel in group.channels],
        Opcode.STATISTICS: [_statistics(groups)],
        Opcode.CHUNK_INDEX: [_chunk_index(group, _stored(group)) for group in groups],
    }
    offsets = []
    for opcode, records in sections.items():
        begin = builder.count
        for record in records:
            record.write(builder)
        if records:
            offsets.append(SummaryOffset(opcode, start + begin, builder.count - begin))
    offsets_start = start + builder.count
    for offset in offsets:
        offset.write(builder)
    summary = builder.end()
    Footer(summary_start=start, summary_offset_start=offsets_start, summary_crc=0).write(builder)
    return data_end + summary + builder.end() + MCAP0_MAGIC


def _stored(group: _Group) -> int:
    # A chunk's record: three numbers of 8 bytes, one of 4, the compression with its length, and
    # the length of the data.
    return group.length - _HEAD_BYTES - 3 * 8 - 4 - 4 - len(group.chunk.compression) - 8
