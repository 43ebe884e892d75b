"""On what the figures were taken, and what a process holds of it."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path


def facts() -> dict[str, str]:
    """Return what matters for the figures, for people."""
    return {
        "taken": time.strftime("%Y-%m-%d"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, Python {sys.version.split()[0]}",
    }


def own_mb(pid: int) -> float:
    """Return the memory that only this process can give back: heaps, stacks, buffers, 10^6 bytes.

    Not the unique set size: that counts pages of program files too while nobody else has them
    mapped, and so grows by 70 MB when another process with the same compiler ends. Not the resident
    set either: the shared segments fill up once.
    """
    status = Path("/proc", str(pid), "status").read_text(encoding="utf-8")
    lines = dict(line.split(":", maxsplit=1) for line in status.splitlines())
    return int(lines["RssAnon"].split()[0]) * 1024 / 1e6


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
