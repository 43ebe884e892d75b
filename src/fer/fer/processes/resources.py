"""Processor time and memory of each node, over its restarts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from fer.report.summary import NodeUsage

_BYTES_PER_MB = 1e6


@dataclass
class _Sampled:
    process: psutil.Process | None = None
    base_cpu_s: float = 0.0
    last_cpu_s: float = 0.0
    past_cpu_s: float = 0.0
    rss_bytes: int = 0


class ResourceMeter:
    """Samples processor time and memory of processes by name.

    The processor time of a process still counts after another one was started under its name.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, _Sampled] = {}
        self._since_s = time.monotonic()

    def begin(self) -> None:
        """Start again from zero."""
        for usage in self._nodes.values():
            usage.base_cpu_s = usage.past_cpu_s + usage.last_cpu_s
            usage.rss_bytes = 0
        self._since_s = time.monotonic()

    def sample(self, pids: Mapping[str, int]) -> None:
        """Sample the running processes, by name; once a second is often enough."""
        for name, pid in pids.items():
            usage = self._nodes.setdefault(name, _Sampled())
            try:
                self._look(usage, pid)
            except psutil.NoSuchProcess:
                continue

    def usage(self, restarts: Mapping[str, int]) -> dict[str, NodeUsage]:
        """Return the usage of each node from `begin` to the last sample.

        Parameters
        ----------
        restarts : number of restarts, by name.
        """
        elapsed_s = max(time.monotonic() - self._since_s, 1e-3)
        return {
            name: NodeUsage(
                cpu_percent=100
                * (usage.past_cpu_s + usage.last_cpu_s - usage.base_cpu_s)
                / elapsed_s,
                rss_mb=usage.rss_bytes / _BYTES_PER_MB,
                restarts=restarts.get(name, 0),
            )
            for name, usage in self._nodes.items()
        }

    def _look(self, usage: _Sampled, pid: int) -> None:
        if usage.process is None or usage.process.pid != pid:
            process = psutil.Process(pid)
            usage.past_cpu_s += usage.last_cpu_s
            usage.last_cpu_s = 0.0
            usage.process = process
        with usage.process.oneshot():
            times = usage.process.cpu_times()
            usage.last_cpu_s = times.user + times.system
            usage.rss_bytes = max(usage.rss_bytes, usage.process.memory_info().rss)
