"""Files that a command writes when its work is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_common.core.atomic import check_writable, write_atomically
from fer_common.core.errors import ConfigurationError


def check(*paths: Path | None) -> None:
    """Ask, before the work is done, whether files could be written; None for none.

    Raises
    ------
    ConfigurationError : one could not.
    """
    for path in paths:
        if path is not None:
            with _told(path):
                check_writable(path)


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises
    ------
    ConfigurationError : it can't be written.
    """
    with _told(path):
        write_atomically(path, data)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}): name another file"
        ) from error
