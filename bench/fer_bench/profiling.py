"""Where each node's time goes: py-spy looks at the running graph a hundred times a second."""

from __future__ import annotations

import linecache
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fer_bench import graph
from fer_bench.context import Context
from fer_bench.pipeline import VGA
from fer_bench.results import Hotspot
from fer_common.core.errors import FerError

RATE_HZ = 100
LINES = 8
#: Threads that wait in these are idle, though py-spy at times thinks otherwise.
IDLE = frozenset({"Condition.wait", "wait"})
#: Nodes are watched after this much of the run, when everybody has found everybody.
SETTLED_S = 5.0
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+):(?P<line>\d+)\)")


def profile(context: Context) -> dict[str, tuple[Hotspot, ...]]:
    """Return for each node the lines of source in which it spends most of its busy time.

    Raises
    ------
    FerError
        if there is no profiler, or it may not look into processes here.
    """
    if context.peers is None:
        raise FerError("the profiler is among the peers: leave --no-peers out")
    watched_s = max(round(context.short_run_s), 1)
    duration_s = watched_s + 2 * SETTLED_S
    with graph.started(context.root, VGA, duration_s, [graph.OVERLAY]) as running:
        nodes = running.nodes()
        time.sleep(SETTLED_S)
        command = [str(context.peers.profiler), "record", "--format", "raw", "--nonblocking"]
        command += ["--rate", str(RATE_HZ), "--duration", str(watched_s)]
        profilers = {
            name: subprocess.Popen(
                [*command, "--output", "/dev/stdout", "--pid", str(pid)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name, pid in nodes.items()
        }
        outputs = {name: profiler.communicate() for name, profiler in profilers.items()}
        running.finish()
    for name, profiler in profilers.items():
        if profiler.returncode:
            reason = (outputs[name][1].strip() or "no reason given").splitlines()[-1]
            raise FerError(f"py-spy cannot look into {name}: {reason}")
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
        Hotspot(f"{_place(file)}, {function}", _text(file, int(line)), count / total)
        for (function, file, line), count in counts.most_common(most)
    )


def _place(file: str) -> str:
    """Return package and module of a file."""
    return "/".join(Path(file).parts[-2:])


def _text(file: str, line: int) -> str:
    return linecache.getline(file, line).strip()
