"""Writes a bag: files in a folder, split where asked, whole whatever ends the recording."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from fer.bags import finishing
from fer.bags.errors import BagError
from fer.bags.folder import locked
from fer.bags.storage import McapStorage, SqliteStorage, Storage, Topic

_NS_PER_S = 1_000_000_000
_Work = Callable[[Storage], object]
_MakeStorage = Callable[[Path, bool], Storage]
FORMATS: dict[str, tuple[_MakeStorage, str]] = {
    "mcap": (McapStorage, ".mcap"),
    "sqlite3": (SqliteStorage, ".db3"),
}


@dataclass(frozen=True)
class Layout:
    """How a bag is stored.

    Attributes
    ----------
    storage : one of `FORMATS`.
    compress : compress by Zstandard.
    split_s, split_bytes : begin another file after so long, or so much; 0: never.
    """

    storage: str = "mcap"
    compress: bool = False
    split_s: float = 0.0
    split_bytes: int = 0


class BagWriter:
    """A bag that is being written, for use in a `with` block.

    Parameters
    ----------
    folder : folder to make.

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
        self._file: Storage | None = None
        self._files = 0
        self._began_ns: int | None = None
        self._last_ns = -1
        self._bytes = 0
        self._stack = ExitStack()
        try:
            folder.mkdir(parents=True)
            self._stack.enter_context(locked(folder))
            self._open()
        except FileExistsError:
            raise BagError(f"{folder} is there already: name another folder") from None
        except OSError as error:
            raise BagError(f"bag {folder} cannot be written: {error.strerror}") from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic before its first message."""
        self._topics[topic.name] = topic
        self._guarded(lambda file: file.add_topic(topic))

    def write(self, name: str, received_ns: int, sent_ns: int, data: bytes) -> None:
        """Add a message of a topic; times in ns since the epoch.

        A message that came after another stands after it in the bag, too: readers sort by time, and
        what DDS had to send twice has a later time than what was sent after it.
        """
        received_ns = self._last_ns = max(received_ns, self._last_ns + 1)
        if self._is_full(received_ns):
            self._guarded(lambda file: file.close())
            self._guarded(lambda file: self._open())
        if self._began_ns is None:
            self._began_ns = received_ns
        topic = self._topics[name]
        self._guarded(lambda file: file.write(topic, received_ns, sent_ns, data))
        self._bytes += len(data)
        self.messages += 1

    def flush(self) -> None:
        """Make what was written so far safe from a kill."""
        self._guarded(lambda file: file.flush())

    def close(self) -> None:
        """Finish the bag; does nothing the second time."""
        if self._file is not None:
            self._guarded(lambda file: file.close())
            self._end()

    def _is_full(self, now_ns: int) -> bool:
        layout = self._layout
        if self._began_ns is None:
            return False
        too_long = 0 < layout.split_s * _NS_PER_S <= now_ns - self._began_ns
        return too_long or 0 < layout.split_bytes <= self._bytes

    def _open(self) -> None:
        kind, suffix = FORMATS[self._layout.storage]
        path = self.folder / f"{self.folder.name}_{self._files}{suffix}"
        self._file = kind(path, self._layout.compress)
        self._files += 1
        self._began_ns, self._bytes = None, 0
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
        self._file = None
        try:
            finishing.finish(self.folder)
        finally:
            self._stack.close()
