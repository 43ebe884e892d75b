"""A fixed share of one core, as a small computer has: by a quota of the kernel, or by a competitor.

A quota (cgroup version 1 or 2) needs the right to make a group. Without it, a process of high
priority keeps the same core busy for the rest of each period, if it may raise its priority. What is
left of the core is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_common.core.errors import FerError

PERIOD_US = 20_000
"""Short against the time between two images: a small core is slow, not absent."""

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
if group:
    with open(group, "w") as members:
        members.write(str(os.getpid()))
os.execvp(command[0], command)
"""
_COMPETITOR = """
import os, sys, time
core, busy_s, period_s = int(sys.argv[1]), *map(float, sys.argv[2:])
os.sched_setaffinity(0, {core})
os.setpriority(os.PRIO_PROCESS, 0, -20)
print("ready", flush=True)
begin_s = time.monotonic()
while True:
    while time.monotonic() < begin_s + busy_s:
        pass
    begin_s += period_s
    time.sleep(max(begin_s - time.monotonic(), 0))
"""
_PROBE = """
import sys, time
begin_s, begin_cpu_s = time.monotonic(), time.process_time()
while time.monotonic() < begin_s + float(sys.argv[1]):
    pass
print((time.process_time() - begin_cpu_s) / (time.monotonic() - begin_s))
"""


@contextmanager
def confined(share: float) -> Iterator[tuple[str, list[str]]]:
    """Give a share (0 to 1) of one core to the processes that are confined.

    Yields
    ------
    How it is done, and the words before a command that confine it with all that it starts.

    Raises
    ------
    FerError
        if this user may do neither, or other programs use more than the rest of the core.
    """
    core = max(os.sched_getaffinity(0))
    group = _group(share)
    if group is None:
        with _competitor(core, share):
            yield "a competitor on the core", _prefix(core, "")
        return
    try:
        yield "quota of a cgroup", _prefix(core, str(group / "cgroup.procs"))
    finally:
        # A process that is about to end may still be in it.
        with suppress(OSError):
            group.rmdir()


def _group(share: float) -> Path | None:
    """Return the folder of a new cgroup with a quota; None where the kernel allows none."""
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
    return None


def measured(prefix: Sequence[str], duration_s: float = 2.0) -> float:
    """Return the share of a core that a busy process gets which is confined by a prefix."""
    command = [*prefix, sys.executable, "-c", _PROBE, str(duration_s)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def _prefix(core: int, group: str) -> list[str]:
    return [sys.executable, "-c", _CONFINED, str(core), group]


@contextmanager
def _competitor(core: int, share: float) -> Iterator[None]:
    period_s = PERIOD_US / 1e6
    values = [str(core), str((1 - share) * period_s), str(period_s)]
    process = subprocess.Popen(
        [sys.executable, "-c", _COMPETITOR, *values], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise FerError(
                "a share of a core needs the right to make a cgroup, or to raise a priority: "
                "run this part as root"
            )
        yield
    finally:
        process.kill()
        process.communicate()
