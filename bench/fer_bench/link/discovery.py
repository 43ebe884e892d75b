"""Traffic of DDS discovery over a link, by the number of graphs on one side of it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fer.bringup.environment import graph_environment
from fer.bringup.graph import NODES
from fer_bench.link import programs
from fer_bench.link.hosts import Host, joined_hosts
from fer_bench.link.run import UNWANTED
from fer_common.core.errors import FerError

GRAPHS = (1, 2, 4, 8)
#: Until all nodes have discovered each other, and how long the idle traffic is measured.
_MEETING_S, _QUIET_S = 15.0, 15.0
_START_S = 60.0
_POLL_S = 0.1
_STOP_S = 20.0


@dataclass(frozen=True)
class Discovery:
    """Traffic in both directions between some graphs on one host and one graph on the other.

    Attributes
    ----------
    graphs : on the one host.
    meeting_bytes : in all, from the start until all nodes have discovered each other.
    quiet_bps : bytes per second from then on.
    """

    graphs: int
    meeting_bytes: int
    quiet_bps: float

    @property
    def participants(self) -> int:
        """DDS participants on the one host; the other has as many as one graph."""
        return self.graphs * len(NODES)


def measure() -> Iterator[Discovery]:
    """Measure each number of graphs."""
    for graphs in GRAPHS:
        with tempfile.TemporaryDirectory(prefix="fer-link-") as folder:
            yield _measure(graphs, Path(folder))


def _measure(graphs: int, folder: Path) -> Discovery:
    with joined_hosts() as (robots, workstation, _):
        processes: list[subprocess.Popen[bytes]] = []
        try:
            begin = sum(robots.traffic())
            for host, number, name in ((robots, graphs, "robot"), (workstation, 1, "watcher")):
                processes.append(_start(host, number, name, folder / name))
            time.sleep(_MEETING_S)
            met = sum(robots.traffic())
            time.sleep(_QUIET_S)
            return Discovery(graphs, met - begin, (sum(robots.traffic()) - met) / _QUIET_S)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(_STOP_S)


def _start(host: Host, number: int, name: str, log: Path) -> subprocess.Popen[bytes]:
    inherited = {key: value for key, value in os.environ.items() if key not in UNWANTED}
    environment = inherited | graph_environment(inherited, across=True)
    process = host.start(programs.command("crowd", number, name), environment, log)
    deadline_s = time.monotonic() + _START_S
    while programs.READY not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise FerError(f"{number} graphs do not start: {log.read_text()[-500:]}")
        time.sleep(_POLL_S)
    return process
