"""The machine that figures are measured on: no names of hosts or people, no paths."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import cv2

_LOOPS, _TURNS = 40, 200_000
"""How often the fixed loop runs, and its length: 5 ms to 10 ms on one core."""

_LIBRARIES = ("numpy", "numba", "ros-rclpy")


def describe() -> dict[str, str]:
    """Return what the figures depend on, by name."""
    facts = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}",
        "python": platform.python_version(),
        "opencv": cv2.__version__,
    }
    for name in _LIBRARIES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            continue
    return facts


def describe_today() -> dict[str, str]:
    """Return what `describe` does, and the day."""
    return {**describe(), "taken": time.strftime("%Y-%m-%d")}


def load_per_core() -> float:
    """Return how many processes were busy per core over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


class Gauge:
    """Tells how noisy the host is, by a fixed loop."""

    def __init__(self) -> None:
        self._fastest_s = float("inf")

    def noise(self) -> float:
        """Return by which share the loop takes longer than it ever took at its fastest."""
        elapsed_s = [self._loop_s() for _ in range(_LOOPS)]
        self._fastest_s = min(self._fastest_s, *elapsed_s)
        return median(elapsed_s) / self._fastest_s - 1

    @staticmethod
    def _loop_s() -> float:
        begin_s = time.perf_counter()
        for _ in range(_TURNS):
            pass
        return time.perf_counter() - begin_s


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    entries = (line.partition(":") for line in lines)
    facts = {key.strip(): value.strip() for key, _, value in entries}
    name = facts.get("model name", platform.processor())
    return f"{name}, family {facts.get('cpu family', '?')} model {facts.get('model', '?')}"
