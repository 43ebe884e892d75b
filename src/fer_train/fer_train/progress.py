"""Progress of long work: bars on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""
Report = Callable[[str, int, int], None]
"""Called with the name of the stage, how much of it is done, and of how much."""

LINE_PERIOD_S = 10.0
BAR_UPDATES = 500
"""Maximum number of updates of a bar: drawing must not cost more than the work."""


def no_progress(done: int, total: int) -> None:
    """Report nothing."""


@contextlib.contextmanager
def shown_progress() -> Iterator[Report]:
    """Show the progress of every stage on stdout; yields the function to report it with."""
    with _bars() if sys.stdout.isatty() else _lines() as report:
        yield report


@contextlib.contextmanager
def _bars() -> Iterator[Report]:
    # Imported here, because processes that only prepare pictures do not need it.
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description:12}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns) as bars:
        tasks: dict[str, rich.TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            if done == total or done % max(total // BAR_UPDATES, 1) == 0:
                bars.update(tasks[stage], completed=done)

        yield report


@contextlib.contextmanager
def _lines() -> Iterator[Report]:
    finished, line = threading.Event(), "starting"
    stage, begin_s, last_s = "", 0.0, time.monotonic()

    def report(name: str, done: int, total: int) -> None:
        nonlocal line, stage, begin_s, last_s
        if name != stage:
            # The work on a stage began when the last one was done, not with its first report.
            stage, begin_s = name, last_s
        last_s = time.monotonic()
        left = timedelta(seconds=round((last_s - begin_s) / max(done, 1) * (total - done)))
        line = f"{name}: {done} of {total} ({done / max(total, 1):.0%}), {left} left"

    def write() -> None:
        while not finished.wait(LINE_PERIOD_S):
            with contextlib.suppress(OSError):
                print(line, flush=True)

    # A thread, so that lines also appear while the work says nothing for a long time.
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield report
    finally:
        finished.set()
        writer.join()
