"""Weights files that leave and arrive in pieces: whole, checked, and bounded in size."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError
from fer_snn.core.model import Model
from fer_snn.core.weights import weights_file
from fer_snn.core.weights import weights_folder as models
from fer_snn.core.weights.weights_file import WeightsFileError

#: Largest file that is carried, and the size of a piece.
MAX_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 128 * 1024
#: So many files are kept for those who are fetching them.
_KEPT = 2


class CarriageError(FerError):
    """A piece that cannot be had, or does not fit."""


@dataclass(frozen=True)
class Piece:
    """A part of a file: where it begins, and of what file it is."""

    size: int
    digest: str
    data: bytes


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


class Outgoing:
    """Files that are being fetched.

    Parameters
    ----------
    folder : of the weights that have names.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def first(self, name: str, present: Model) -> Piece:
        """Return the first piece of the weights of a name, or of the present ones without.

        Raises
        ------
        FerError
            if there is no such file, or it is too large.
        """
        if name:
            path = models.path_of_name(name, self._folder)
            # Read as strictly as it will be read there.
            weights_file.load(path)
            data = path.read_bytes()
        else:
            data = weights_file.to_bytes(present)
        if len(data) > MAX_BYTES:
            raise CarriageError(
                f"the weights have {len(data)} bytes, more than the {MAX_BYTES} that are carried: "
                "copy the file by other means"
            )
        digest = digest_of(data)
        self._files[digest] = data
        self._files.move_to_end(digest)
        while len(self._files) > _KEPT:
            self._files.popitem(last=False)
        return self.further(digest, 0)

    def further(self, digest: str, offset: int) -> Piece:
        """Return the piece that begins at `offset`.

        Raises
        ------
        CarriageError
            if the file is not kept any more, or ends before.
        """
        data = self._files.get(digest)
        if data is None or not 0 <= offset < len(data):
            raise CarriageError("that piece is not there (any more): begin with the first one")
        return Piece(len(data), digest, data[offset : offset + PIECE_BYTES])


@dataclass
class Incoming:
    """The one file that is being stored.

    Attributes
    ----------
    folder : where it goes when it is whole.
    """

    folder: Path
    _digest: str = ""
    _data: bytearray = field(default_factory=bytearray)

    def add(self, name: str, size: int, digest: str, offset: int, data: bytes) -> str:
        """Take the next piece; return what has become of the file.

        Raises
        ------
        FerError
            if the name could lead elsewhere, the piece is not the next one, or the whole is not
            what was announced or no weights file. What came before is then forgotten.
        """
        try:
            return self._add(name, size, digest, offset, data)
        except FerError:
            self._forget()
            raise

    def _add(self, name: str, size: int, digest: str, offset: int, data: bytes) -> str:
        path = models.path_to_save(name, self.folder)
        if offset == 0:
            self._forget()
            self._digest = digest
        if not 0 < size <= MAX_BYTES:
            raise CarriageError(f"{size} bytes are no size of weights: at most {MAX_BYTES}")
        if digest != self._digest or offset != len(self._data):
            raise CarriageError("that is not the next piece: begin with the first one")
        if not 0 < len(data) <= size - offset:
            raise CarriageError(f"a piece of {len(data)} bytes at {offset} does not fit {size}")
        self._data += data
        if len(self._data) < size:
            return f"{len(self._data)} of {size} bytes"
        whole = bytes(self._data)
        self._forget()
        store(whole, digest, path)
        return str(path)

    def _forget(self) -> None:
        self._digest, self._data = "", bytearray()


def store(data: bytes, digest: str, path: Path) -> Model:
    """Check a whole file, write it, and return the model in it.

    Raises
    ------
    FerError
        if it is not what was announced, no weights file, or cannot be written.
    """
    if digest_of(data) != digest:
        raise CarriageError("the weights are not those that were announced: try again")
    try:
        model = weights_file.from_bytes(data)
    except WeightsFileError as error:
        raise WeightsFileError(f"what was carried {error}") from error
    try:
        write_atomically(path, data)
    except OSError as error:
        raise WeightsFileError(
            f"weights file {path} cannot be written ({error.strerror}): choose a folder that can be"
        ) from error
    return model
