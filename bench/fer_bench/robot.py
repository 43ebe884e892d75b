"""The whole graph on a small robot: with a third of one core, as much as a core of a Pi 5 has.

A core of a Raspberry Pi 5 does about a third of the work of a server's core. What does not fit is
left out by the rule of the newest frame; the age of what is answered must not grow. The share is a
quota of the kernel (cgroup 1 or 2); what a busy process gets of the core with it is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_bench import graph
from fer_bench.measure import Context
from fer_bench.pipeline import VGA
from fer_bench.results import Measurement
from fer_common.core.errors import FerError

PART = "robot"
SHARE = 1 / 3
LIMITS = {graph.ANSWERS: 15.0, graph.P99: 150.0}
#: Short against the time between two images: a small core is slow, not absent.
PERIOD_US = 20_000
_GROUP = f"fer-bench-{os.getpid()}"
#: Folder of the group, and the files that set its quota, for both versions of cgroup.
_CGROUPS: tuple[tuple[Path, dict[str, str]], ...] = (
    (Path("/sys/fs/cgroup", _GROUP), {"cpu.max": "{quota} {period}"}),
    (
        Path("/sys/fs/cgroup/cpu", _GROUP),
        {"cpu.cfs_period_us": "{period}", "cpu.cfs_quota_us": "{quota}"},
    ),
)
_CONFINED = """
import os, sys
core, group, *command = sys.argv[1:]
os.sched_setaffinity(0, {int(core)})
with open(group, "w") as members:
    members.write(str(os.getpid()))
os.execvp(command[0], command)
"""
_PROBE = """
import sys, time
begin_s, begin_cpu_s = time.monotonic(), time.process_time()
while time.monotonic() < begin_s + float(sys.argv[1]):
    pass
print((time.process_time() - begin_cpu_s) / (time.monotonic() - begin_s))
"""


def measure(context: Context) -> Iterator[Measurement]:
    """Watch the graph with a third of a core; nobody listens to the overlay."""
    with confined(SHARE) as prefix:
        share = 100 * busy_share(prefix)
        topics = [graph.EXPRESSIONS]
        run = graph.watch(context.root, VGA, context.run_s, topics, prefix=prefix)
    yield from run.figures(PART, f"{share:.0f} % of a core, by quota of a cgroup", LIMITS)


@contextmanager
def confined(share: float) -> Iterator[list[str]]:
    """Give a share (0 to 1) of one core to the processes that are confined.

    Yields
    ------
    The words before a command that confine it with all that it starts.

    Raises
    ------
    FerError
        if this user may not make a cgroup.
    """
    core, group = max(os.sched_getaffinity(0)), _group(share)
    try:
        yield [sys.executable, "-c", _CONFINED, str(core), str(group / "cgroup.procs")]
    finally:
        # A process that is about to end may still be in it.
        with suppress(OSError):
            group.rmdir()


def _group(share: float) -> Path:
    """Return the folder of a new cgroup with a quota."""
    quota = str(round(share * PERIOD_US))
    for folder, texts in _CGROUPS:
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            # Where the other version is mounted, this is a folder like any other.
            (folder / "cgroup.procs").stat()
            for name, text in texts.items():
                (folder / name).write_text(text.format(quota=quota, period=PERIOD_US))
        except OSError:
            folder.rmdir()
        else:
            return folder
    raise FerError("a share of a core needs the right to make a cgroup: run this part as root")


def busy_share(prefix: Sequence[str], duration_s: float = 2.0) -> float:
    """Return the share of a core that a busy process gets which is confined by a prefix."""
    command = [*prefix, sys.executable, "-c", _PROBE, str(duration_s)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
