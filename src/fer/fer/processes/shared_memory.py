"""Shared memory: how much is free, and the removal of what killed processes left there.

Fast DDS gives every process a segment in /dev/shm (34 MB with our profile), and a file of the same
name with the suffix `_el` that the process keeps locked as long as it lives. A process that is
killed removes neither, so nodes that are killed again and again would fill the memory. A segment
whose file is not locked has no owner any more; `fastdds shm clean` uses the same rule.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from fer_common.ros.distributions import LOCK, SHARED_MEMORY

FOLDER = SHARED_MEMORY
#: With less, the segments of all processes do not fit, and Fast DDS reports errors.
NEEDED_BYTES = 256 * 1024 * 1024
#: A younger lock file may belong to a process that has not locked it yet.
YOUNG_S = 2.0


def free_bytes() -> int | None:
    """Return how many bytes are free; None on a machine without shared memory."""
    try:
        status = os.statvfs(FOLDER)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize


def remove_abandoned(folder: Path = FOLDER, young_s: float = YOUNG_S) -> int:
    """Remove this user's segments whose process is dead; return how many bytes became free.

    Their ports (`..._portN`) stay: they are small, and the next process of that number uses them.
    """
    freed = 0
    for lock, segment in _locks(folder, time.time() - young_s):
        # The file is missing if another process was faster.
        with contextlib.suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if segment.exists():
                size = segment.stat().st_size
                segment.unlink()
                freed += size
            lock.unlink()
    return freed


def _locks(folder: Path, before_s: float) -> list[tuple[Path, Path]]:
    """Return the lock files of this user that are older than a time, with their segments."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = LOCK.fullmatch(entry.name)
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if name and status.st_uid == os.getuid() and status.st_mtime < before_s:
                    found.append((folder / entry.name, folder / name[1]))
    return found
