"""SQLite files of a bag: read without a trace, copied row by row."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import apsw
import yaml
from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.metadata import dump_qos_v9
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader, Sqlite3Writer

from fer.bags.mcap_file import DAMAGE
from fer.bags.time_order import Stamped
from fer.bags.topics import ROS2MSG, BagError, Topic, read_qos

#: As rosbag2 makes it, version 4.
SCHEMA = Sqlite3Writer.SQLITE_SCHEMA
#: Files beside a database that hold changes which are not in it yet.
_TRANSACTIONS = ("-wal", "-journal")
_HEAD_BYTES = 100
_ATTEMPTS = 5


class SqliteFile:
    """A SQLite file that is being read, from a copy elsewhere where it cannot be read as it is.

    Attributes
    ----------
    topics : by id.
    start_ns, end_ns : times of the first and the last message; 0 without messages.
    is_finished : whether no transaction is open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: dict[str, None] = {}
        self.is_finished = is_finished(path)
        with ExitStack() as stack:
            source = _committed(path, stack)
            try:
                if _is_cut_off(source):
                    raise ReaderError("its end is missing")
                self._reader = _reader(source, stack)
            except (ReaderError, apsw.Error, *DAMAGE) as error:
                copy = temporary_folder(stack) / path.name
                _copy_rows(source, copy)
                self._reader = _reader(copy, stack)
                if self.is_finished:
                    self._report(f"it is not sound ({error})")
            self.close = stack.pop_all().close
        self.topics: dict[int, Topic] = {}
        for each in self._reader.connections:
            extension: Any = each.ext
            self.topics[each.id] = Topic(
                each.topic,
                each.msgtype,
                each.msgdef.data,
                each.digest,
                tuple(extension.offered_qos_profiles),
                "ros2idl" if each.msgdef.format == MessageDefinitionFormat.IDL else ROS2MSG,
                extension.serialization_format,
                each.msgcount,
            )
        whole = self._reader.metadata
        described = sum(topic.messages for topic in self.topics.values())
        if orphans := whole.message_count - described:
            self._report(f"{orphans} messages belong to topics that are not described")
        self.start_ns = whole.start_time if described else 0
        self.end_ns = whole.end_time - 1 if described else 0

    def messages(self, channels: Collection[int], from_ns: int) -> Iterator[Stamped]:
        """Yield time, topic and data of messages, in the order of the times."""
        chosen = [each for each in self._reader.connections if each.id in channels]
        try:
            for connection, time_ns, data in self._reader.messages(chosen, start=from_ns):
                yield time_ns, connection.id, data
        except apsw.Error as error:
            self._report(f"it is damaged ({error})")

    def _report(self, problem: str) -> None:
        self.problems[problem] = None


def is_finished(path: Path) -> bool:
    """Whether a file is there as a whole, without an open transaction."""
    beside = [path.with_name(path.name + suffix) for suffix in _TRANSACTIONS]
    return path.stat().st_size > 0 and not any(x.exists() and x.stat().st_size for x in beside)


def _reader(path: Path, stack: ExitStack) -> Sqlite3Reader:
    # It puts the path into a URI as it is. It takes no lock, which would stop a recorder.
    reader = Sqlite3Reader(Path(quote(str(path.absolute()))))
    reader.open()
    stack.callback(reader.close)
    return reader


def _pages(path: Path) -> tuple[int, int]:
    """Return the size of a page, and how many pages the file should have."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    # 1 stands for 65536. Old libraries, which the two counters tell, did not keep the number.
    page_bytes = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    return 65536 if page_bytes == 1 else page_bytes, pages


def _is_cut_off(path: Path) -> bool:
    page_bytes, pages = _pages(path)
    return path.stat().st_size < page_bytes * pages


def _committed(path: Path, stack: ExitStack) -> Path:
    """Return a file with all that was committed: itself, or a copy where transactions are open."""
    if is_finished(path):
        return path
    copy = temporary_folder(stack) / path.name
    with copying(path, copy):
        for _ in range(_ATTEMPTS):
            # A log that begins anew in the meantime has another head.
            before = _head_of_log(path)
            for suffix in ("", *_TRANSACTIONS):
                with suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
            if before == _head_of_log(path):
                break
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    return copy


def temporary_folder(stack: ExitStack) -> Path:
    """Return a folder that is removed when the stack is closed."""
    return Path(stack.enter_context(TemporaryDirectory(prefix="fer-bag-")))


@contextmanager
def copying(path: Path, copy: Path) -> Iterator[None]:
    """Raise BagError if a copy of a file, from which it is to be read, cannot be written."""
    try:
        yield
    except OSError as error:
        raise BagError(
            f"{path} is read from a copy in {copy.parent.parent}, which cannot be written "
            f"({error.strerror}): set TMPDIR to another folder"
        ) from error


def _head_of_log(path: Path) -> bytes:
    with suppress(FileNotFoundError), open(f"{path}-wal", "rb") as file:
        return file.read(_HEAD_BYTES)
    return b""


def recover_sqlite(path: Path, target: Path, report: Callable[[str], None]) -> None:
    """Write everything that can be read of a file to a new one: a copy where it is sound.

    Raises
    ------
    sqlite3.Error
        if not even its tables can be read.
    """
    with ExitStack() as stack:
        source = _committed(path, stack)
        with suppress(sqlite3.DatabaseError), closing(_connected(source)) as database:
            check = "SELECT quick_check, count(*) FROM pragma_quick_check(1), sqlite_master"
            found, tables = database.execute(check).fetchone()
            if found == "ok" and tables and not _is_cut_off(source):
                shutil.copyfile(source, target)
                return
        if source.stat().st_size:
            report("it is not sound")
        _copy_rows(source, target)


def _connected(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    database = sqlite3.connect(uri, uri=True)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    # Without it a database whose end is missing is not read at all.
    database.execute("PRAGMA writable_schema = ON")
    return database


def _copy_rows(source: Path, target: Path) -> None:
    """Write every row that can be read, and of quality of service what is understood."""
    with ExitStack() as stack:
        page_bytes, _ = _pages(source)
        if _is_cut_off(source) and source.stat().st_size % page_bytes:
            # SQLite takes for zeros what a page lacks.
            source = Path(shutil.copyfile(source, temporary_folder(stack) / source.name))
            os.truncate(source, source.stat().st_size // page_bytes * page_bytes)
        old = stack.enter_context(closing(_connected(source)))
        new = stack.enter_context(closing(sqlite3.connect(target)))
        stack.enter_context(new)
        made = []
        with suppress(sqlite3.Error):
            made = old.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
                "AND name NOT LIKE 'sqlite_%' ORDER BY type DESC"
            ).fetchall()
        for kind, name, statement in made:
            with suppress(sqlite3.Error, ValueError):
                new.execute(statement)
                for row in _rows(old, name) if kind == "table" else ():
                    marks = ", ".join("?" * len(row))
                    new.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})', row)
        if not {("topics",), ("messages",)} <= {*new.execute("SELECT name FROM sqlite_master")}:
            missing = re.sub(r"CREATE (\w+)", r"CREATE \1 IF NOT EXISTS", SCHEMA)
            new.executescript(missing.replace("INSERT INTO", "INSERT OR IGNORE INTO"))
        with suppress(sqlite3.OperationalError):
            query = "SELECT id, offered_qos_profiles FROM topics"
            for topic, text in new.execute(query).fetchall():
                profiles = yaml.safe_dump(dump_qos_v9(list(read_qos(text))))
                new.execute(
                    "UPDATE topics SET offered_qos_profiles = ? WHERE id = ?", (profiles, topic)
                )


def _rows(database: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Yield what can be read of a table: from its begin, and from its end, up to the damage."""
    seen = set()
    for direction in ("ASC", "DESC"):
        query = f'SELECT rowid, * FROM "{table}" NOT INDEXED ORDER BY rowid {direction}'
        with suppress(sqlite3.DatabaseError):
            for number, *row in database.execute(query):
                if number in seen:
                    break
                seen.add(number)
                yield tuple(row)


def finish_sqlite(path: Path) -> None:
    """Roll back the open transaction of a killed writer.

    Raises
    ------
    sqlite3.Error
        if it is no database.
    """
    # Whoever opens it and may write rolls the unfinished transaction back.
    with closing(sqlite3.connect(path)) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            database.executescript(SCHEMA)
