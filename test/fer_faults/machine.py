"""On what the figures were taken."""

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


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
