"""The supervisor over real processes: small Python programs in the place of nodes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from fer.processes import supervisor as module
from fer.processes.supervisor import Failure, Program, Supervisor, describe_exit
from fer_testing.ros import wait_for

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
#: Ends with code 0 when it is asked to, like a node.
POLITE = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    "print('up', flush=True); time.sleep(60)"
)
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)


class Lines:
    """Collects what the programs write."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def said(self, name: str, line: str) -> bool:
        return (name, line) in self.lines


def program(name: str, code: str, restart: bool = True) -> Program:
    return Program(name, (sys.executable, "-c", code), restart)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def started(lines: Lines) -> Iterator[list[Supervisor]]:
    supervisors: list[Supervisor] = []
    yield supervisors
    for supervisor in supervisors:
        supervisor.stop(0.0)


def start(started: list[Supervisor], lines: Lines, *programs: Program) -> Supervisor:
    supervisor = Supervisor(programs, lines)
    started.append(supervisor)
    supervisor.start()
    return supervisor


def failure_of(supervisor: Supervisor) -> Failure:
    found: list[Failure] = []

    def failed() -> bool:
        failure = supervisor.poll()
        found.extend([failure] if failure else [])
        return bool(found)

    wait_for(failed, "a failure")
    return found[0]


def test_lines_carry_the_name_of_their_program(started: list[Supervisor], lines: Lines) -> None:
    start(
        started,
        lines,
        program("a", SLEEP),
        program("b", "import sys; print('no', file=sys.stderr); " + SLEEP),
    )
    wait_for(
        lambda: lines.said("a", "up") and lines.said("b", "no") and lines.said("b", "up"),
        "all lines",
    )


def test_a_killed_program_comes_back_and_the_others_do_not_notice(
    started: list[Supervisor], lines: Lines
) -> None:
    supervisor = start(started, lines, program("a", SLEEP), program("b", SLEEP))
    before = supervisor.pids()
    for times in range(1, 4):
        os.kill(supervisor.pids()["a"], signal.SIGKILL)

        def is_back(times: int = times) -> bool:
            assert supervisor.poll() is None
            return supervisor.restarts()["a"] == times and "a" in supervisor.pids()

        wait_for(is_back, "the program to come back", 5.0)
    assert supervisor.pids()["b"] == before["b"]
    assert supervisor.restarts() == {"a": 3, "b": 0}
    assert any("killed by SIGKILL" in line for _, line in lines.lines)


def test_the_wait_before_a_restart_grows_to_a_limit(
    started: list[Supervisor], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAIT_S", 0.4)
    supervisor = start(started, lines, program("a", "raise SystemExit(1)"))
    wait_for(lambda: supervisor.poll() is None and supervisor.restarts()["a"] >= 4, "four restarts")
    waits = [line.split("restart in ")[1] for name, line in lines.lines if "restart in" in line]
    assert waits[:4] == ["0.2 s", "0.4 s", "0.4 s", "0.4 s"]


def test_a_program_that_refuses_its_configuration_is_not_started_again(
    started: list[Supervisor], lines: Lines
) -> None:
    refuses = "print('error: no such file'); raise SystemExit(2)"
    supervisor = start(started, lines, program("a", SLEEP), program("b", refuses))
    failure = failure_of(supervisor)
    assert failure == Failure("b", 2, ("error: no such file",))
    assert failure.is_configuration


def test_the_end_of_a_program_that_must_not_end_is_a_failure(
    started: list[Supervisor], lines: Lines
) -> None:
    failure = failure_of(start(started, lines, program("a", "raise SystemExit(3)", restart=False)))
    assert (failure.exit_code, failure.is_configuration) == (3, False)


def test_stop_ends_all_within_its_time(started: list[Supervisor], lines: Lines) -> None:
    supervisor = start(
        started, lines, program("a", POLITE), program("b", POLITE), program("c", DEAF)
    )
    wait_for(lambda: all(lines.said(name, "up") for name in "abc"), "all programs")
    pids = supervisor.pids().values()
    before_s = time.monotonic()
    assert supervisor.stop(1.0) == ["c"]
    assert time.monotonic() - before_s < 3.0
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert supervisor.pids() == {}


@pytest.mark.parametrize("holds", [True, False])
def test_signals_are_held_back_for_those_who_release_them(
    started: list[Supervisor], lines: Lines, holds: bool
) -> None:
    code = (
        "import signal; held = signal.pthread_sigmask(signal.SIG_BLOCK, []); "
        "print({signal.SIGINT, signal.SIGTERM} <= held, flush=True); " + SLEEP
    )
    start(started, lines, replace(program("a", code), holds_signals=holds))
    wait_for(lambda: lines.said("a", str(holds)), "what is held back")


def test_impatience_cuts_the_wait_short(started: list[Supervisor], lines: Lines) -> None:
    supervisor = start(started, lines, program("a", DEAF))
    wait_for(lambda: lines.said("a", "up"), "the program")
    before_s = time.monotonic()
    assert supervisor.stop(30.0, lambda: True) == ["a"]
    assert time.monotonic() - before_s < 3.0


def test_what_a_program_has_started_ends_with_it(started: list[Supervisor], lines: Lines) -> None:
    code = (
        "import subprocess, time; "
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    supervisor = start(started, lines, program("a", code))
    wait_for(lambda: lines.lines, "the grandchild")
    grandchild = int(lines.lines[0][1])
    supervisor.stop(1.0)
    wait_for(lambda: not _runs(grandchild), "the grandchild to end")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_supervisor_that_dies(number: int) -> None:
    code = f"""
import sys, time
from fer.processes.supervisor import Program, Supervisor
programs = [Program(name, (sys.executable, "-c", {DEAF!r})) for name in "ab"]
supervisor = Supervisor(programs, lambda name, line: print(supervisor.pids()[name], flush=True))
supervisor.start()
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(process.stdout.readline()) for _ in "ab"]
    assert all(_runs(pid) for pid in pids)
    process.send_signal(number)
    process.wait()
    process.stdout.close()
    wait_for(lambda: not any(_runs(pid) for pid in pids), "the orphans to end")


def test_exit_codes_in_words() -> None:
    assert describe_exit(-signal.SIGSEGV) == "killed by SIGSEGV"
    assert describe_exit(1) == "ended with exit code 1"


def _runs(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to look does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_end_of_what_is_optional_changes_nothing(lines: Lines) -> None:
    code = "import sys; sys.exit(2)"
    window = Program("window", (sys.executable, "-c", code), optional=True)
    supervisor = Supervisor([program("node", POLITE), window], lines)
    supervisor.start()
    try:
        wait_for(
            lambda: (
                supervisor.poll()
                or lines.said("window", "ended with exit code 2; the rest goes on")
            ),
            "the end of the window",
        )
        assert supervisor.poll() is None
        assert list(supervisor.pids()) == ["node"]
        assert supervisor.restarts()["window"] == 0
    finally:
        supervisor.stop()
