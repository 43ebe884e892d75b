"""What a process holds of the machine."""

from __future__ import annotations

from pathlib import Path


def own_mb(pid: int) -> float:
    """Return the memory that only this process can give back: heaps, stacks, buffers, 10^6 bytes.

    Not the unique set size: that counts pages of program files too while nobody else has them
    mapped, and so grows by 70 MB when another process with the same compiler ends. Not the resident
    set either: the shared segments fill up once.
    """
    status = Path("/proc", str(pid), "status").read_text(encoding="utf-8")
    lines = dict(line.split(":", maxsplit=1) for line in status.splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024 / 1e6
