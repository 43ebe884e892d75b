"""Atomic writes: a file is either old or new, a folder whole or absent, never half written."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from fer_common.core.errors import ConfigurationError


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`. If the process is killed, the file is the old or the new one.

    Raises
    ------
    OSError
        if the folder cannot be created or written; the old file is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that becomes `folder` after a `with` block, or vanishes on an error.

    Raises
    ------
    OSError
        if `folder` holds something already, or cannot be created.
    """
    unfinished = folder.absolute().with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_result(path: Path, data: bytes) -> None:
    """Write what a command was asked for, as `write_atomically`.

    Raises
    ------
    ConfigurationError
        if it cannot be written.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}): name another file"
        ) from error


def check_writable(*paths: Path | None) -> None:
    """Check that a command can write its results; None is no file, and nothing is left behind.

    Raises
    ------
    ConfigurationError
        if it could not, or if a folder does not exist.
    """
    for path in filter(None, paths):
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            with tempfile.TemporaryFile(dir=path.absolute().parent):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be written ({error.strerror}): name a file in a folder that exists "
                "and is writable"
            ) from error
