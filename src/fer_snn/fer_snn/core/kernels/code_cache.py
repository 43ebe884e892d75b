"""The cache of compiled code, checked before numba reads it.

numba trusts its cache: a file that a power cut left empty ends the process, and a changed bit may
crash it. So the checksums of the files are kept beside them.
"""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from pathlib import Path

from fer_common.core.atomic import write_atomically

MODULE = "compiled"
"""Module whose code is cached; the names of the files begin with it."""


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


def damaged(folder: Path, module: str) -> list[Path]:
    """Return the cached files of a module (its name without suffix) that differ from `seal`."""
    try:
        sealed = json.loads(_list_of(folder, module).read_bytes())
        known = dict(sealed)
    except (OSError, ValueError, TypeError):
        known = {}
    sums = {path: _checksum(path) for path in _files(folder, module)}
    return [path for path, value in sums.items() if value is None or known.get(path.name) != value]


def discard_damaged(folder: Path, module: str) -> bool:
    """Remove damaged files, so that numba compiles again; return whether none is left."""
    for path in damaged(folder, module):
        with suppress(OSError):
            path.unlink()
    return not damaged(folder, module)


def seal(folder: Path, module: str) -> None:
    """Note the checksums of all cached files. A folder that cannot be written stays as it is."""
    if damaged(folder, module):
        checksums = {path.name: _checksum(path) for path in _files(folder, module)}
        with suppress(OSError):
            write_atomically(_list_of(folder, module), json.dumps(checksums).encode())


def _files(folder: Path, module: str) -> list[Path]:
    return sorted(folder.glob(f"{module}.*.nb[ci]"))


def _list_of(folder: Path, module: str) -> Path:
    return folder / f"{module}.checksums.json"


def _checksum(path: Path) -> int | None:
    try:
        return zlib.crc32(path.read_bytes())
    except OSError:
        return None
