"""Sends and receives weights files in pieces: complete, checked, and limited in size."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from fer_common.core.errors import FerError
from fer_snn.core.model import Model
from fer_snn.core.weights import weights_file, weights_folder
from fer_snn.core.weights.weights_file import WeightsFileError

MAX_BYTES = 64 * 1024 * 1024
"""Size of the largest file that is transferred."""
PIECE_BYTES = 128 * 1024
_MAX_DOWNLOADS = 2
"""Number of files that are kept for clients that are downloading them."""


class TransferError(FerError):
    """A piece that is not available or does not fit."""


@dataclass(frozen=True)
class Piece:
    """A part of a file, and the size and digest of the whole file."""

    size: int
    digest: str
    data: bytes


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


class Downloads:
    """Files that clients are downloading.

    Parameters
    ----------
    folder : weights folder, for weights with a name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def first_piece(self, name: str, present: Model) -> Piece:
        """Return the first piece of the weights `name`, or of the present weights if it is empty.

        Raises
        ------
        FerError
            if there is no such file, it is damaged, or it is too large.
        """
        if name:
            path = weights_folder.path_of_name(name, self._folder)
            # Checked here as strictly as the receiver will check it.
            weights_file.load(path)
            data = path.read_bytes()
        else:
            data = weights_file.to_bytes(present)
        if len(data) > MAX_BYTES:
            raise TransferError(
                f"the weights have {len(data)} bytes, more than the maximum of {MAX_BYTES}: "
                "copy the file by other means"
            )
        digest = digest_of(data)
        self._files[digest] = data
        self._files.move_to_end(digest)
        while len(self._files) > _MAX_DOWNLOADS:
            self._files.popitem(last=False)
        return self.piece(digest, 0)

    def piece(self, digest: str, offset: int) -> Piece:
        """Return the piece that begins at `offset`.

        Raises
        ------
        TransferError
            if the file is no longer kept, or ends before `offset`.
        """
        data = self._files.get(digest)
        if data is None or not 0 <= offset < len(data):
            raise TransferError("this piece is not available: start again with the first one")
        return Piece(len(data), digest, data[offset : offset + PIECE_BYTES])


class Upload:
    """The one file that a client is uploading.

    Parameters
    ----------
    folder : weights folder, to which the file is written when it is complete.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._forget()

    def add(self, name: str, size: int, digest: str, offset: int, data: bytes) -> str:
        """Take the next piece; return the progress, or the path of the complete file.

        Raises
        ------
        FerError
            if the name would lead out of the folder, the piece is not the next one, or the complete
            file is not what was announced or not a weights file. All pieces are dropped then.
        """
        try:
            path = weights_folder.path_to_save(name, self._folder)
            self._append(size, digest, offset, data)
        except FerError:
            self._forget()
            raise
        if len(self._data) < size:
            return f"{len(self._data)} of {size} bytes"
        complete = bytes(self._data)
        self._forget()
        store(complete, digest, path)
        return str(path)

    def _append(self, size: int, digest: str, offset: int, data: bytes) -> None:
        if offset == 0:
            self._forget()
            self._digest = digest
        if not 0 < size <= MAX_BYTES:
            raise TransferError(f"weights cannot have {size} bytes: at most {MAX_BYTES}")
        if digest != self._digest or offset != len(self._data):
            raise TransferError("this is not the next piece: start again with the first one")
        if not 0 < len(data) <= size - offset:
            raise TransferError(
                f"a piece of {len(data)} bytes at {offset} does not fit a file of {size} bytes"
            )
        self._data += data

    def _forget(self) -> None:
        self._digest, self._data = "", bytearray()


def store(data: bytes, digest: str, path: Path) -> Model:
    """Check a complete file, write it, and return its model.

    Raises
    ------
    FerError
        if it is not what was announced, not a weights file, or cannot be written.
    """
    if digest_of(data) != digest:
        raise TransferError("the weights differ from what was announced: try again")
    try:
        model = weights_file.from_bytes(data)
    except WeightsFileError as error:
        raise WeightsFileError(f"the transferred file {error}") from error
    weights_file.write(data, path)
    return model
