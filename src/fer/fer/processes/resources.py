"""Processor time and memory of each node, over its restarts."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping

import psutil

from fer.report.summary import NodeUsage

_BYTES_PER_MB = 1e6


class ResourceMeter:
    """Samples processor time and memory of processes by name.

    The processor time of a process still counts after another one was started under its name.
    """

    def __init__(self) -> None:
        #: Processor time of each process, s, by name and pid; and of all before `begin`.
        self._cpu_s: dict[str, dict[int, float]] = defaultdict(dict)
        self._before_s: dict[str, float] = {}
        self._rss_bytes: dict[str, int] = defaultdict(int)
        self._since_s = time.monotonic()

    def begin(self) -> None:
        """Start again from zero."""
        self._before_s = {name: sum(cpu_s.values()) for name, cpu_s in self._cpu_s.items()}
        self._rss_bytes.clear()
        self._since_s = time.monotonic()

    def sample(self, pids: Mapping[str, int]) -> None:
        """Sample the running processes, by name; once a second is often enough."""
        for name, pid in pids.items():
            cpu_s = self._cpu_s[name]
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                times, rss_bytes = process.cpu_times(), process.memory_info().rss
                cpu_s[pid] = times.user + times.system
                self._rss_bytes[name] = max(self._rss_bytes[name], rss_bytes)

    def usage(self, restarts: Mapping[str, int]) -> dict[str, NodeUsage]:
        """Return the usage of each node from `begin` to the last sample.

        Parameters
        ----------
        restarts : number of restarts, by name.
        """
        elapsed_s = max(time.monotonic() - self._since_s, 1e-3)
        return {
            name: NodeUsage(
                cpu_percent=100 * (sum(cpu_s.values()) - self._before_s.get(name, 0)) / elapsed_s,
                rss_mb=self._rss_bytes[name] / _BYTES_PER_MB,
                restarts=restarts.get(name, 0),
            )
            for name, cpu_s in self._cpu_s.items()
        }
