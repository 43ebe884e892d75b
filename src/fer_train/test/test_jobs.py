"""Processes that share work: kept for all of it, gone at the end and when interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer_testing.jobs import fails, worker_of_each
from fer_train.jobs import CHUNK, Jobs

DEADLINE_S = 60.0

ENDLESS = """
import os, threading
from fer_train.jobs import Jobs

def work(chunk):
    os.write(1, b"w")
    threading.Event().wait()

if __name__ == "__main__":
    try:
        with Jobs(2) as jobs:
            list(jobs.in_chunks(work, range(1000), print))
    except KeyboardInterrupt:
        os.write(1, b"interrupted")
"""

AT_ONCE = """
from multiprocessing.process import BaseProcess

end = BaseProcess.terminate

def end_at_once(process):
    end(process)
    process.join()

BaseProcess.terminate = end_at_once
"""
"""Lets the thread of the pool see the end of a process before anything else is done."""


def test_results_come_in_order_and_processes_are_kept() -> None:
    told: list[tuple[int, int]] = []
    with Jobs(2) as jobs:
        passes = [
            list(jobs.in_chunks(worker_of_each, range(2 * CHUNK + 1), lambda *n: told.append(n)))
            for _ in range(2)
        ]
    for results in passes:
        assert [item for _, item in results] == list(range(2 * CHUNK + 1))
    workers = {worker for results in passes for worker, _ in results}
    assert len(workers) <= 2
    assert os.getpid() not in workers
    assert told == 2 * [(CHUNK, 2 * CHUNK + 1), (2 * CHUNK, 2 * CHUNK + 1), (2 * CHUNK + 1,) * 2]


def test_one_job_is_done_by_the_caller() -> None:
    with Jobs(1) as jobs:
        results = list(jobs.in_chunks(worker_of_each, [5, 6], lambda done, total: None))
    assert results == [(os.getpid(), 5), (os.getpid(), 6)]


def test_an_error_of_the_work_is_raised_and_no_process_stays() -> None:
    others = set(multiprocessing.active_children())
    with pytest.raises(ValueError, match="it did"), Jobs(2) as jobs:
        list(jobs.in_chunks(fails, [1], lambda done, total: None))
    assert set(multiprocessing.active_children()) <= others


@pytest.mark.parametrize("preface", ["", AT_ONCE], ids=["as it is", "at once"])
def test_an_interrupt_ends_all_processes_at_once(tmp_path: Path, preface: str) -> None:
    script = tmp_path / "endless.py"
    script.write_text(preface + ENDLESS)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.read(2) == b"ww"
    os.killpg(process.pid, signal.SIGINT)
    try:
        # To the end of both pipes, which the workers hold open too.
        output, errors = process.communicate(timeout=DEADLINE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (output, errors, process.returncode) == (b"interrupted", b"", 0)
