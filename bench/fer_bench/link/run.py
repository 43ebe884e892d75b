"""The graph on two hosts, measured under one condition of the link after the other."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from fer_bench.link.cable import GOOD, Cable, Impairment
from fer_bench.link.hosts import Host, joined_hosts
from fer_common.core.errors import FerError
from fer_common.core.statistics import quantile
from fer_common.ros.distributions import PROFILE_VARIABLES

START_S = 90.0
_STOP_S = 10.0
_TURN_S = 0.02
#: Time from a change of the link to its measurement.
_SETTLE_S = 2.0
_ANSWER = re.compile(r"(\d+) (\d+)\n")
#: Variables that would keep the two hosts apart, or change the defaults that are measured.
_UNWANTED = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_STATIC_PEERS",
    "ROS_DOMAIN_ID",
    *PROFILE_VARIABLES,
    "DISPLAY",
    "WAYLAND_DISPLAY",
)
#: A run has recovered at the first answer that is followed by this many in all ...
_STEADY_ANSWERS = 5
#: ... within this time.
_STEADY_S = 1.0


class Arrival(NamedTuple):
    """Arrival of an answer, and the stamp of its picture, ns of one clock."""

    stamp_ns: int
    arrival_ns: int

    @property
    def latency_ms(self) -> float:
        """Time from stamp to arrival."""
        return (self.arrival_ns - self.stamp_ns) / 1e6


@dataclass(frozen=True)
class Figures:
    """What arrived under one condition.

    Attributes
    ----------
    condition : its name.
    rate_hz : answers per second.
    p50_ms, p99_ms, max_ms : from the picture's stamp to the answer's arrival, NaN without answers.
    sent_bps : bytes per second that the robot sent over the link.
    returned_bps : bytes per second that the workstation sent.
    recovery_s : from the return of the link to the first of steady answers, NaN without a cut.
    """

    condition: str
    rate_hz: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    sent_bps: float
    returned_bps: float
    recovery_s: float = math.nan


def within(arrivals: Sequence[Arrival], begin_ns: int, end_ns: int) -> list[Arrival]:
    """Return what arrived in a stretch of time."""
    return [arrival for arrival in arrivals if begin_ns <= arrival.arrival_ns < end_ns]


def recovery_s(arrivals: Sequence[Arrival], returned_ns: int) -> float:
    """Return the time from the return of the link to steady answers; infinite if never.

    Only answers to pictures that were taken after the return count.
    """
    new = [arrival.arrival_ns for arrival in arrivals if arrival.stamp_ns >= returned_ns]
    for first, last in zip(new, new[_STEADY_ANSWERS - 1 :], strict=False):
        if (last - first) / 1e9 <= _STEADY_S:
            return (first - returned_ns) / 1e9
    return math.inf


@dataclass(frozen=True)
class Condition:
    """What the link does for a while.

    Attributes
    ----------
    cut_s : the link is cut for this long, and its return is measured.
    """

    name: str
    impairment: Impairment = GOOD
    cut_s: float = 0.0


CLEAN = Condition("clean")
LOSS = Condition("5 % loss", Impairment(loss=0.05))
CONDITIONS = (
    CLEAN,
    Condition("20 ms delay, 5 ms jitter", Impairment(delay_s=0.020, jitter_s=0.005)),
    Condition("1 % loss", Impairment(loss=0.01)),
    LOSS,
    Condition("10 % loss", Impairment(loss=0.10)),
    Condition("2 Mbit/s", Impairment(rate_bps=2e6)),
    Condition("10 s cut", cut_s=10.0),
)


class TwoHosts:
    """The graph on a robot and a workstation, and a probe that receives its answers there.

    Parameters
    ----------
    split : where the graph is cut, "features" or "camera".
    """

    def __init__(
        self, robot: Host, workstation: Host, cable: Cable, split: str, folder: Path
    ) -> None:
        self.robot, self.workstation = robot, workstation
        self.cable = cable
        self._split = split
        self._folder = folder
        self._answers = folder / "answers"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start everything, as users do, and wait until something arrives.

        Raises
        ------
        FerError
            with the last log lines, if nothing does.
        """
        up = [sys.executable, "-m", "fer.cli", "up", "--no-window", "--split", self._split]
        probe = [sys.executable, str(Path(__file__).with_name("probe.py"))]
        self._start(self.workstation, probe, self._answers)
        workstation_log, robot_log = self._folder / "workstation.log", self._folder / "robot.log"
        self._start(self.workstation, [*up, "--host", "workstation"], workstation_log)
        self._start(self.robot, [*up, "--host", "robot", "--source", "demo"], robot_log)
        deadline_s = time.monotonic() + START_S
        while not self.arrivals():
            ended = any(process.poll() is not None for process in self._processes)
            if ended or time.monotonic() > deadline_s:
                logs = "\n".join(log.read_text()[-2000:] for log in (robot_log, workstation_log))
                raise FerError(f"no answer over the network:\n{logs}")
            time.sleep(_TURN_S)

    def measure(self, condition: Condition, measured_s: float) -> Figures:
        """Set the link to a condition, and measure what arrives."""
        if not condition.cut_s:
            self.cable.set(condition.impairment)
            time.sleep(_SETTLE_S)
            return self._watch(condition.name, measured_s)
        self.cable.set(condition.impairment.cut())
        time.sleep(condition.cut_s)
        self.cable.set(condition.impairment)
        returned_ns = time.time_ns()
        figures = self._watch(condition.name, measured_s)
        return replace(figures, recovery_s=recovery_s(self.arrivals(), returned_ns))

    def arrivals(self) -> list[Arrival]:
        """Return every answer so far."""
        lines = self._answers.read_text().splitlines(keepends=True)
        # The last line may be incomplete, and libraries write there too.
        found = (_ANSWER.fullmatch(line) for line in lines)
        return [Arrival(int(match[1]), int(match[2])) for match in found if match]

    def close(self) -> None:
        """End everything, as a user does: by Ctrl-C."""
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, host: Host, command: Sequence[str], output: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
        self._processes.append(host.start(command, environment, output))

    def _watch(self, name: str, measured_s: float) -> Figures:
        before, begin_ns = self.robot.traffic(), time.time_ns()
        time.sleep(measured_s)
        after, end_ns = self.robot.traffic(), time.time_ns()
        heard = within(self.arrivals(), begin_ns, end_ns)
        latencies_ms = [arrival.latency_ms for arrival in heard]
        measured_s = (end_ns - begin_ns) / 1e9
        return Figures(
            name,
            len(heard) / measured_s,
            *(quantile(latencies_ms, q) for q in (0.50, 0.99, 1.0)),
            *((now - then) / measured_s for then, now in zip(before, after, strict=True)),
        )


@contextmanager
def two_hosts(split: str) -> Iterator[TwoHosts]:
    """Yield two hosts on which the graph runs."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fer-link-")))
        pair = TwoHosts(*stack.enter_context(joined_hosts()), split, folder)
        stack.callback(pair.close)
        pair.start()
        yield pair
