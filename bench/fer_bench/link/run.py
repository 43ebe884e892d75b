"""Programs on two hosts, watched under one condition of the link after the other."""

from __future__ import annotations

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

from fer.bringup.environment import PROFILE_VARIABLE
from fer_bench.link import probe, stream
from fer_bench.link.figures import Arrival, Figures, latencies_ms, recovery_s, within
from fer_bench.link.hosts import Counters, Host
from fer_bench.link.impairment import GOOD, Impairment
from fer_bench.link.medium import Medium, joined_hosts
from fer_common.core.errors import FerError
from fer_common.core.statistics import quantile

START_S = 90.0
_STOP_S = 10.0
_TURN_S = 0.02
#: After a change the link is left to itself for so long before it is measured.
_SETTLE_S = 2.0
_NS = 1e9
_ANSWER = re.compile(r"(\d+) (\d+)\n")
#: What would keep the two hosts apart, or the measurement from being that of the default start.
UNWANTED = (
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_STATIC_PEERS",
    "ROS_DOMAIN_ID",
    PROFILE_VARIABLE,
    "DISPLAY",
    "WAYLAND_DISPLAY",
)


@dataclass(frozen=True)
class Condition:
    """What the link does for a while.

    Attributes
    ----------
    name : for the table.
    impairment : of the link.
    cut_s : the link is cut for so long, and what is measured is its return.
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


@dataclass(frozen=True)
class Programs:
    """What runs on the hosts.

    Attributes
    ----------
    robot, workstation : commands; empty for none.
    topic, kind : what is listened to on the workstation.
    profile : file of Fast DDS for all of them, None for what they choose themselves.
    """

    robot: tuple[str, ...]
    workstation: tuple[str, ...]
    topic: str
    kind: str
    profile: Path | None = None


def graph(split: str) -> Programs:
    """Return the graph, as users start it."""
    up = (sys.executable, "-m", "fer.cli", "up", "--no-window", "--split", split, "--host")
    return Programs(
        (*up, "robot", "--source", "demo"),
        (*up, "workstation"),
        "/fer/expressions",
        "fer_interfaces/ExpressionArray",
    )


def bare_stream(size_bytes: int, paced: bool, profile: Path | None) -> Programs:
    """Return a sender and nothing else, with a profile or with what Fast DDS comes with."""
    sender = (sys.executable, stream.__file__, str(size_bytes), str(paced))
    return Programs(sender, (), stream.TOPIC, stream.KIND, profile)


class TwoHosts:
    """Programs on a robot and on a workstation, and a probe that hears what comes of them.

    Parameters
    ----------
    hosts : robot and workstation.
    medium : between them.
    programs : what runs.
    folder : for logs.
    """

    def __init__(
        self, hosts: tuple[Host, Host], medium: Medium, programs: Programs, folder: Path
    ) -> None:
        self.robot, self.workstation = hosts
        self.medium = medium
        self._programs = programs
        self._folder = folder
        self._answers = folder / "answers"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start everything, and wait until something arrives.

        Raises
        ------
        FerError
            with the last log lines, if nothing does.
        """
        programs = self._programs
        listen = [sys.executable, probe.__file__, programs.topic, programs.kind]
        self._start(self.workstation, listen, self._answers)
        if programs.workstation:
            self._start(self.workstation, programs.workstation, self._folder / "workstation.log")
        self._start(self.robot, programs.robot, self._folder / "robot.log")
        deadline_s = time.monotonic() + START_S
        while not self.arrivals():
            ended = any(process.poll() is not None for process in self._processes)
            if ended or time.monotonic() > deadline_s:
                raise FerError(f"no answer over the network:\n{self._logs()}")
            time.sleep(_TURN_S)

    def measure(self, condition: Condition, measured_s: float) -> Figures:
        """Make the link so bad, and measure what arrives."""
        if condition.cut_s:
            return self._measure_cut(condition, measured_s)
        self.medium.set(condition.impairment)
        time.sleep(_SETTLE_S)
        return self._watch(condition.name, measured_s)

    def arrivals(self) -> list[Arrival]:
        """Return every answer so far."""
        lines = self._answers.read_text().splitlines(keepends=True)
        # The last one may not be whole yet, and libraries write there too.
        found = (_ANSWER.fullmatch(line) for line in lines)
        return [Arrival(int(match[1]), int(match[2])) for match in found if match]

    def close(self) -> None:
        """End everything, as a user does."""
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, host: Host, command: Sequence[str], output: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        if self._programs.profile is not None:
            environment[PROFILE_VARIABLE] = str(self._programs.profile)
        self._processes.append(host.start(command, environment, output))

    def _logs(self) -> str:
        logs = (self._folder / f"{name}.log" for name in ("robot", "workstation"))
        return "\n".join(log.read_text()[-2000:] for log in logs if log.exists())

    def _measure_cut(self, condition: Condition, measured_s: float) -> Figures:
        self.medium.set(condition.impairment.cut())
        time.sleep(condition.cut_s)
        self.medium.set(condition.impairment)
        returned_ns = time.time_ns()
        figures = self._watch(condition.name, measured_s)
        return replace(figures, recovery_s=recovery_s(self.arrivals(), returned_ns))

    def _watch(self, name: str, measured_s: float) -> Figures:
        before, begin_ns = self.robot.counters(), time.time_ns()
        time.sleep(measured_s)
        after, end_ns = self.robot.counters(), time.time_ns()
        return _figures(name, self.arrivals(), begin_ns, end_ns, before, after)


def _figures(
    name: str,
    arrivals: Sequence[Arrival],
    begin_ns: int,
    end_ns: int,
    before: Counters,
    after: Counters,
) -> Figures:
    heard = within(arrivals, begin_ns, end_ns)
    ages_ms = latencies_ms(heard)
    measured_s = (end_ns - begin_ns) / _NS
    return Figures(
        condition=name,
        rate_hz=len(heard) / measured_s,
        p50_ms=quantile(ages_ms, 0.50),
        p99_ms=quantile(ages_ms, 0.99),
        max_ms=quantile(ages_ms, 1.0),
        sent_bps=(after.sent_bytes - before.sent_bytes) / measured_s,
        returned_bps=(after.received_bytes - before.received_bytes) / measured_s,
    )


@contextmanager
def two_hosts(programs: Programs) -> Iterator[TwoHosts]:
    """Yield two hosts on which programs run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fer-link-")))
        robot, workstation, medium = stack.enter_context(joined_hosts())
        pair = TwoHosts((robot, workstation), medium, programs, folder)
        stack.callback(pair.close)
        pair.start()
        yield pair
