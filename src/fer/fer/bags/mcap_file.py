"""MCAP files: read whatever is left of them, copied record by record, completed in place."""

from __future__ import annotations

import errno
import os
import struct
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import RawIOBase
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import zstandard
from mcap.exceptions import EndOfFile, McapError
from mcap.reader import SeekingReader
from mcap.records import (
    Attachment,
    Channel,
    Chunk,
    DataEnd,
    Header,
    McapRecord,
    Message,
    Metadata,
    Schema,
)
from mcap.stream_reader import CRCValidationError, StreamReader, breakup_chunk
from mcap.summary import Summary
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from fer.bags.time_order import Stamped, in_time_order
from fer.bags.topics import BagError, Topic, read_qos

#: Profile and library of the files that fer writes; a chunk is closed when it has grown to this.
PROFILE, LIBRARY, CHUNK_BYTES = "ros2", "fer", 4 * 1024 * 1024
#: What libraries raise when bytes make no sense to them.
DAMAGE = (
    *(McapError, zstandard.ZstdError, struct.error, RuntimeError, ValueError, LookupError),
    *(TypeError, OverflowError, EOFError, MemoryError, AssertionError, AttributeError),
)
_BEGIN, _HEAD_BYTES = len(MCAP0_MAGIC), 9
#: Records outside of chunks that are read at once.
_MOST_LOOSE = 256
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_Report: TypeAlias = Callable[[str], None]


class _Stream:
    """A file up to `end`, of which a read that cannot be complete fails."""

    def __init__(self, file: BinaryIO, offset: int, end: int) -> None:
        self._file, self.offset, self._end = file, offset, end

    def read(self, length: int) -> bytes:
        """Read so many bytes, wherever somebody else has left the file."""
        if self.offset + length > self._end:
            raise EndOfFile
        self._file.seek(self.offset)
        self.offset += length
        return self._file.read(length)


#: Where a record begins and ends, and the record; a chunk is one record.
_Placed: TypeAlias = "tuple[int, int, McapRecord]"


def _records(
    file: BinaryIO, end: int, report: _Report, offset: int = _BEGIN, marks: Sequence[int] = ()
) -> Iterator[_Placed]:
    """Yield every record that can be read from `offset` to the summary, at most to `end`.

    Parameters
    ----------
    marks : where records begin, as far as it is known, ascending: there it goes on after damage.
    """
    while offset < end:
        stream: Any = _Stream(file, offset, end)
        reader = StreamReader(stream, skip_magic=True, emit_chunks=True, record_size_limit=end)
        try:
            for record in reader.records:
                ahead = marks[bisect(marks, offset) :]
                is_end = isinstance(record, DataEnd)
                if ahead and (is_end or ahead[0] < stream.offset):
                    raise McapError
                if is_end:
                    return
                yield offset, stream.offset, record
                offset = stream.offset
        except DAMAGE:
            file.seek(offset)
            following = offset + _HEAD_BYTES + int.from_bytes(file.read(_HEAD_BYTES)[1:], "little")
            following = min([following, *marks[bisect(marks, offset) :]])
            if following >= end:
                report(f"what follows byte {offset} is cut off")
                return
            report(f"the record at byte {offset} is damaged")
            offset = following


def _summary(file: BinaryIO, end: int) -> Summary:
    """Return the summary of a finished file; an empty one if there is none that can be read."""
    file.seek(0)
    with suppress(*DAMAGE):
        return SeekingReader(file, record_size_limit=end).get_summary() or Summary()
    return Summary()


def _marks(summary: Summary) -> list[int]:
    """Return where records begin, as far as a summary knows."""
    others: list[Any] = [*summary.attachment_indexes, *summary.metadata_indexes]
    chunks = (each.chunk_start_offset for each in summary.chunk_indexes)
    return sorted({*chunks, *(each.offset for each in others)})


def _opened(block: McapRecord, offset: int, report: _Report) -> list[McapRecord]:
    """Return the records in a chunk, or a record that is none."""
    if not isinstance(block, Chunk):
        return [block]
    try:
        try:
            return breakup_chunk(block, validate_crc=True)
        except CRCValidationError:
            report(f"the checksum of the chunk at byte {offset} is wrong")
            return breakup_chunk(block)
    except DAMAGE as error:
        report(f"the chunk at byte {offset} is damaged ({error})")
        return []


class McapFile:
    """An MCAP file that is being read.

    Attributes
    ----------
    topics : by channel.
    start_ns, end_ns : log times of the first and the last message; 0 without messages.
    is_finished : whether the file has its end.
    end : offset of that end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.topics: dict[int, Topic] = {}
        self.problems: dict[str, None] = {}
        self._file = path.open("rb")
        #: First and last log time, offset, and number of records of parts to be read at once: a
        #: chunk is one record.
        self._blocks: list[tuple[int, int, int, int]] = []
        self.is_finished = has_end(self._file)
        self.end = self._file.seek(0, os.SEEK_END) - self.is_finished * len(MCAP0_MAGIC)
        summary = _summary(self._file, self.end) if self.is_finished else Summary()
        if not self._use(summary):
            self._scan(_marks(summary))
        self.start_ns = min((start for start, *_ in self._blocks), default=0)
        self.end_ns = max((end for _, end, *_ in self._blocks), default=0)
        self.close = self._file.close

    def messages(self, channels: Collection[int], from_ns: int) -> Iterator[Stamped]:
        """Yield log time, channel and data of messages, in the order of the log times."""

        def block(offset: int, size: int) -> Iterator[Stamped]:
            found = islice(_records(self._file, self.end, self._report, offset), size)
            messages = (
                (each.log_time, each.channel_id, each.data)
                for start, _, record in found
                for each in _opened(record, start, self._report)
                if isinstance(each, Message) and each.channel_id in channels
            )
            return iter(sorted((m for m in messages if m[0] >= from_ns), key=itemgetter(0)))

        due = [each for each in self._blocks if each[1] >= from_ns]
        return in_time_order((start, partial(block, *place)) for start, _, *place in due)

    def _report(self, problem: str) -> None:
        self.problems[problem] = None

    def _use(self, summary: Summary) -> bool:
        """Take over a summary, if it is complete."""
        try:
            for channel in summary.channels.values():
                self._add(channel, summary.schemas)
            assert summary.statistics is not None
            assert summary.statistics.chunk_count == len(summary.chunk_indexes)
            for channel_id, count in summary.statistics.channel_message_counts.items():
                self.topics[channel_id].messages = count
        except DAMAGE:
            return False
        self._blocks = [
            (each.message_start_time, each.message_end_time, each.chunk_start_offset, 1)
            for each in summary.chunk_indexes
            if each.message_index_offsets or each.message_end_time
        ]
        return bool(self._blocks) or not summary.statistics.message_count

    def _scan(self, marks: Sequence[int]) -> None:
        for topic in self.topics.values():
            topic.messages = 0
        schemas: dict[int, Schema] = {}
        orphans, size, begin = 0, 0, 0
        times: list[int] = []

        def end_block() -> None:
            if times:
                self._blocks.append((min(times), max(times), begin, size))
            times.clear()

        for offset, _, block in _records(self._file, self.end, self._report, marks=marks):
            if isinstance(block, Chunk) or size == _MOST_LOOSE or not times:
                end_block()
                begin, size = offset, 0
            size += 1
            for record in _opened(block, offset, self._report):
                if isinstance(record, Schema):
                    schemas[record.id] = record
                elif isinstance(record, Channel) and record.id not in self.topics:
                    self._add(record, schemas)
                elif isinstance(record, Message) and record.channel_id in self.topics:
                    self.topics[record.channel_id].messages += 1
                    times.append(record.log_time)
                else:
                    orphans += isinstance(record, Message)
            if isinstance(block, Chunk):
                end_block()
        end_block()
        if orphans:
            self._report(f"{orphans} messages belong to channels that are not described")

    def _add(self, channel: Channel, schemas: dict[int, Schema]) -> None:
        schema = schemas[channel.schema_id] if channel.schema_id else Schema(0, b"", "", "")
        self.topics[channel.id] = Topic(
            channel.topic,
            schema.name,
            schema.data.decode("utf-8", "replace"),
            channel.metadata.get("topic_type_hash", ""),
            read_qos(channel.metadata.get("offered_qos_profiles", "")),
            schema.encoding,
            channel.message_encoding,
        )


def has_end(file: BinaryIO) -> bool:
    """Whether an MCAP file was finished."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - len(MCAP0_MAGIC), 0))
    return size > 2 * len(MCAP0_MAGIC) and file.read() == MCAP0_MAGIC


def copy_records(source: BinaryIO, end: int, sink: Any, report: _Report) -> None:
    """Write every record that can be read to a new MCAP file with an index of its own.

    Parameters
    ----------
    end : offset at which to stop reading.
    sink : has `write`, `tell` and `flush`, as a file.
    """
    head, name = Header(PROFILE, LIBRARY), ""
    for _, _, record in _records(source, end, lambda _: None):
        head = record if isinstance(record, Header) else head
        if isinstance(record, (Chunk, Message)):
            name = record.compression if isinstance(record, Chunk) else ""
            break
    known = CompressionType.__members__
    writer = Writer(sink, CHUNK_BYTES, known.get(name.upper(), CompressionType.NONE))
    writer.start(head.profile, head.library)
    schemas, channels, orphans = {0: 0}, {}, Counter[int]()

    def keep(each: McapRecord) -> None:
        if isinstance(each, Schema) and each.id not in schemas:
            schemas[each.id] = writer.register_schema(each.name, each.encoding, each.data)
        elif isinstance(each, Channel) and each.id not in channels:
            schema = schemas.get(each.schema_id, 0)
            channels[each.id] = writer.register_channel(
                each.topic, each.message_encoding, schema, each.metadata
            )
        elif isinstance(each, Message) and each.channel_id in channels:
            channel = channels[each.channel_id]
            writer.add_message(channel, each.log_time, each.data, each.publish_time, each.sequence)
        elif isinstance(each, Message):
            orphans[each.channel_id] += 1
        elif isinstance(each, Attachment):
            writer.add_attachment(
                each.create_time, each.log_time, each.name, each.media_type, each.data
            )
        elif isinstance(each, Metadata):
            writer.add_metadata(each.name, each.metadata)

    summary = _summary(source, end) if has_end(source) else Summary()
    for offset, _, block in _records(source, end, report, marks=_marks(summary)):
        for record in _opened(block, offset, report):
            if isinstance(record, Message) and record.channel_id not in channels:
                # What described it was damaged; the summary repeats it.
                for each in (*summary.schemas.values(), *summary.channels.values()):
                    keep(each)
            keep(record)
        if isinstance(block, Chunk):
            writer.flush()
    for number, count in orphans.items():
        report(f"{count} messages of channel {number}, which is not described")
    writer.finish()


def finish_mcap(path: Path) -> None:
    """Write the index of a file that fer left unfinished, behind its last whole record.

    On a full disk the last chunk gives its place to the index.

    Raises
    ------
    BagError
        if the file is not as fer writes it.
    """

    def ignore(_: str) -> None:
        pass

    with path.open("r+b", buffering=0) as file, path.open("rb") as source:
        size = source.seek(0, os.SEEK_END)
        placed = [
            (start, after, isinstance(record, Chunk))
            for start, after, record in _records(source, size, ignore)
        ]
        chunks = [start for start, _, is_chunk in placed if is_chunk]
        end = placed[-1][1] if placed else min(_BEGIN, size)
        while True:
            try:
                copy_records(source, end, UnbufferedFile(file, end), ignore)
                return
            except OSError as error:
                if error.errno not in _NO_SPACE or not chunks:
                    raise
                end = chunks.pop()
                file.truncate(end)


class UnbufferedFile:
    """A file that holds nothing back: after a failed write there is nothing left to fail again.

    Parameters
    ----------
    file : raw, opened for reading and writing.
    fixed_end : up to here what is written must be there already.
    """

    def __init__(self, file: RawIOBase, fixed_end: int = 0) -> None:
        self._file, self._fixed_end, self._position = file, fixed_end, 0

    def write(self, data: bytes) -> int:
        """Write what is not there already; from the first difference on the file is cut off."""
        file, start = self._file, self._position
        file.seek(start)
        if file.read(len(data)) != data:
            if start + len(data) <= self._fixed_end:
                raise BagError("its records are not as this program writes them")
            file.truncate(start)
            file.seek(start)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written so far."""
        return self._position

    def flush(self) -> None:
        """Do nothing: nothing is held back."""
