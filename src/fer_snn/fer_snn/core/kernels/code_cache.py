"""The cache of compiled code, checked before numba reads it.

numba trusts its cache: a file that a power cut left empty ends the process, and a changed bit may
crash it. It also takes compiled code for valid whose own source file is unchanged, although a
kernel of another file that it calls has changed. So the checksums of the cached files and of all
sources of kernels are kept beside them.
"""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from fer_common.core.atomic import write_atomically

KERNELS: list[Any] = []
"""All compiled functions, in the order in which they are defined."""


def compiled_function(function: Any) -> Any:
    """Decorate a kernel, which numba compiles when it is called first."""
    import numba

    KERNELS.append(numba.njit(nogil=True)(function))
    return KERNELS[-1]


def cache_folder() -> Path | None:
    """Return the folder of the compiled code; None if there is none that can be written."""
    import numba

    try:
        # numba derives the folder from that of the source.
        sample = numba.njit(cache=True)(damaged)
    except RuntimeError:
        return None
    folder = sample.stats.cache_path
    return Path(folder) if folder else None


def damaged(folder: Path) -> list[Path]:
    """Return the cached files that differ from `seal`: all, if a source of kernels has changed."""
    try:
        known = dict(json.loads(_list_of(folder).read_bytes()))
    except (OSError, ValueError, TypeError):
        known = {}
    if not _sources().items() <= known.items():
        known = {}
    sums = {path: _checksum(path) for path in _files(folder)}
    return [path for path, value in sums.items() if value is None or known.get(path.name) != value]


def discard_damaged(folder: Path) -> bool:
    """Remove damaged files, so that numba compiles again; return whether none is left."""
    for path in damaged(folder):
        with suppress(OSError):
            path.unlink()
    return not damaged(folder)


def seal(folder: Path) -> None:
    """Note the checksums of all cached files. A folder that cannot be written stays as it is."""
    if damaged(folder):
        checksums = _sources() | {path.name: _checksum(path) for path in _files(folder)}
        with suppress(OSError):
            write_atomically(_list_of(folder), json.dumps(checksums).encode())


@lru_cache(maxsize=1)
def _sources() -> dict[str, int | None]:
    """Return the checksums of the source files of kernels, as they are when this is first asked."""
    return {path.name: _checksum(path) for path in Path(__file__).parent.glob("compiled*.py")}


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("compiled*.nb[ci]"))


def _list_of(folder: Path) -> Path:
    return folder / "checksums.json"


def _checksum(path: Path) -> int | None:
    try:
        return zlib.crc32(path.read_bytes())
    except OSError:
        return None
