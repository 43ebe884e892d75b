"""Processor time and memory of real processes."""

from __future__ import annotations

import subprocess
import sys

from fer.processes.resources import ResourceMeter
from fer_testing.ros import wait_for

BUSY = "import sys\nx = bytearray(50_000_000)\nprint(1, flush=True)\nwhile True: pass"
IDLE = "import time\nprint(1, flush=True)\ntime.sleep(60)"


def start(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_busy_and_idle_processes_are_told_apart() -> None:
    busy, idle = start(BUSY), start(IDLE)
    pids = {"busy": busy.pid, "idle": idle.pid}
    meter = ResourceMeter()
    try:
        meter.sample(pids)
        meter.begin()

        def measured() -> bool:
            meter.sample(pids)
            return meter.usage({})["busy"].cpu_percent > 10

        wait_for(measured, "the busy process to be noticed")
        usage = meter.usage({"idle": 2})
    finally:
        for process in (busy, idle):
            process.kill()
            process.communicate()
    assert usage["busy"].rss_mb > 50
    assert usage["idle"].cpu_percent < 5
    assert (usage["busy"].restarts, usage["idle"].restarts) == (0, 2)


def test_what_a_process_took_counts_after_it_was_replaced() -> None:
    meter = ResourceMeter()
    busy = start(BUSY)
    meter.sample({"a": busy.pid})
    meter.begin()

    def took_something() -> bool:
        meter.sample({"a": busy.pid})
        return meter.usage({})["a"].cpu_percent > 10

    wait_for(took_something, "the process to work")
    memory_mb = meter.usage({})["a"].rss_mb
    busy.kill()
    busy.communicate()
    meter.sample({"a": busy.pid})
    idle = start(IDLE)
    meter.sample({"a": idle.pid})
    usage = meter.usage({})["a"]
    idle.kill()
    idle.communicate()
    assert usage.cpu_percent > 0
    assert usage.rss_mb == memory_mb
