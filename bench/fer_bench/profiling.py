"""Where each node's time goes: py-spy samples the running graph a hundred times a second."""

from __future__ import annotations

import linecache
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fer.bringup.graph import NODES
from fer_bench import graph
from fer_bench.measure import Context
from fer_bench.peers import last_line
from fer_bench.pipeline import VGA
from fer_bench.results import Hotspot
from fer_common.core.errors import FerError
from fer_testing.ros import wait_for
from fer_testing.whole_graph import children

RATE_HZ = 100
LINES = 8
#: Threads that wait in these are idle, though py-spy at times takes them for busy.
IDLE = frozenset({"Condition.wait", "wait"})
#: Profiling starts when all nodes have discovered each other.
SETTLED_S = 5.0
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+):(?P<line>\d+)\)")


def profile(context: Context) -> dict[str, tuple[Hotspot, ...]]:
    """Return for each node the lines of source in which it spends most of its busy time.

    Raises
    ------
    FerError
        if the profiler may not read the memory of processes here.
    """
    assert context.peers is not None
    watched_s = max(round(context.short_run_s), 1)
    command = [str(context.peers.profiler), "record", "--format", "raw", "--nonblocking"]
    command += ["--rate", str(RATE_HZ), "--duration", str(watched_s), "--output", "/dev/stdout"]
    profilers: dict[str, subprocess.Popen[str]] = {}
    outputs: dict[str, tuple[str, str]] = {}

    def sample(process: subprocess.Popen[bytes]) -> None:
        wait_for(lambda: len(children(process)) == len(NODES), "the nodes", 60.0)
        time.sleep(SETTLED_S)
        for name, node in children(process).items():
            profilers[name] = subprocess.Popen(
                [*command, "--pid", str(node.pid)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        outputs.update({name: each.communicate() for name, each in profilers.items()})

    duration_s = watched_s + 2 * SETTLED_S
    graph.watch(context.root, VGA, duration_s, [graph.OVERLAY], meanwhile=sample)
    for name, profiler in profilers.items():
        if profiler.returncode:
            raise FerError(f"py-spy cannot profile {name}: {last_line(outputs[name][1])}")
    return {name: hotspots(output.splitlines()) for name, (output, _) in outputs.items()}


def hotspots(stacks: Iterable[str], most: int = LINES) -> tuple[Hotspot, ...]:
    """Return the innermost lines of collapsed stacks ("frame;frame;frame count"), by share."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for stack in stacks:
        frames, _, count = stack.rpartition(" ")
        found = _FRAME.fullmatch(frames.rpartition(";")[2])
        if found and count.isdigit() and found["function"] not in IDLE:
            counts[found["function"], found["file"], found["line"]] += int(count)
    total = max(sum(counts.values()), 1)
    return tuple(
        Hotspot(
            f"{'/'.join(Path(file).parts[-2:])}, {function}",
            linecache.getline(file, int(line)).strip(),
            count / total,
        )
        for (function, file, line), count in counts.most_common(most)
    )
