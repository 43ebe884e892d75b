"""`fer up`: the whole graph with one command.

The summary counts from the first image that is answered after every node has become active, to the
first image that is stamped `--duration` seconds later (or, without it, when the end was asked for).
The run goes on until an image after that end was answered, so that images on their way are counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from fer.bringup.arguments import add_options, check_two_hosts, settings_of
from fer.bringup.environment import prepare_environment
from fer.bringup.graph import HOSTS, Settings, started_nodes, uses_sim_time
from fer.bringup.preflight import check, label_file_of
from fer.bringup.programs import bring_up
from fer.commands.options import positive
from fer.processes.resources import ResourceMeter
from fer.processes.signals import StopRequests
from fer.processes.supervisor import EXIT_CONFIGURATION, Failure, Supervisor, describe_exit
from fer.report.status import LIVE_PERIOD_S, Screen, open_screen, starting_text, status_text
from fer.report.summary import RunRecord, summary_text
from fer_common.core.atomic import check_writable, write_result
from fer_common.core.errors import FerError
from fer_common.core.graph_names import absolute
from fer_common.core.stamps import NANOSECONDS
from fer_snn.core.label_files import read_labels
from fer_viz.dashboard.binding import has_display

if TYPE_CHECKING:
    from fer.client.run_monitor import RunMonitor

EXIT_BROKEN = 1
#: Every node must be active, and with --duration have answered an image, within this time. The
#: very first start compiles the network's kernels, which takes 10 to 30 s.
START_TIMEOUT_S = 60.0
#: Longest wait for answers to the last images, and for the end of all processes after the request.
DRAIN_S = 0.5
STOP_S = 2.6
#: A graph of another host in our namespace ends ours if it is noticed this soon.
_ALONE_S = 15.0
_POLL_S = 0.05
_SAMPLE_PERIOD_S = 1.0
#: How an error begins in a node's log, and before there is a log.
_ERROR = re.compile(r"(\x1b\[[0-9;]*m)*(\[(ERROR|FATAL)\]( \[[^]]*\])*:? |error: )")


class BringUpError(FerError):
    """The graph does not come up, or cannot go on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_options(parser)
    add = parser.add_argument
    add("--host", choices=HOSTS, help="Start only this host's part of a graph on two hosts.")
    text = "End by itself, this long after the first answer."
    add("--duration", type=positive, metavar="SECONDS", help=text)
    add("--summary", type=Path, metavar="FILE.json", help="Write a summary of the run.")
    add("--no-window", action="store_true", help="Do not open the dashboard on a display.")


def run(arguments: argparse.Namespace) -> int:
    """Bring the graph up, and take it down at the end."""
    with StopRequests() as stop:
        given = vars(arguments)
        check_two_hosts(given)
        settings = settings_of(given, (arguments.host,) if arguments.host else HOSTS)
        check_writable(arguments.summary)
        prepare_environment(settings.across, settings.peers)
        check(settings)
        settings = replace(settings, window=has_display() and not arguments.no_window)
        with closing(open_screen()) as screen:
            graph_run = GraphRun(settings, arguments.duration, stop, screen)
            try:
                graph_run.run()
            except BringUpError as error:
                screen.close()
                print(f"error: {error}", file=sys.stderr)
                return error.exit_code
            finally:
                graph_run.close()
                summary = graph_run.summary()
                if arguments.summary:
                    text = json.dumps(summary, indent=2) + "\n"
                    write_result(arguments.summary.absolute(), text.encode())
        if graph_run.record.begun:
            print(summary_text(summary), flush=True)
        if arguments.summary:
            print(f"summary written to {arguments.summary}", flush=True)
    return EXIT_CONFIGURATION if screen.failed else 0


@dataclass
class GraphRun:
    """One run of the graph.

    Attributes
    ----------
    duration_s : how long it runs after the first answer; None: until it is asked to end.
    """

    settings: Settings
    duration_s: float | None
    stop: StopRequests
    screen: Screen
    record: RunRecord = field(default_factory=RunRecord)
    meter: ResourceMeter = field(default_factory=ResourceMeter)
    _processes: Supervisor | None = None
    _monitor: RunMonitor | None = None
    _sampled_s: float = 0.0
    _shown_s: float = 0.0
    _alone_until_s: float = 0.0
    _own: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Start, wait until everything is up, run, and wait for the last answers.

        Raises
        ------
        BringUpError
            if a node does not come up, refuses what it was given, or the graph cannot go on.
        """
        self._processes = bring_up(self.settings, self.screen.log)
        self._processes.start()
        self._alone_until_s = time.monotonic() + _ALONE_S
        # Imports the client library, which takes half a second: the nodes do so at the same time.
        from fer.client.run_monitor import RunMonitor

        if self.stop.count:
            return
        names = [started.node.name for started in started_nodes(self.settings)]
        self._monitor = RunMonitor(
            self.settings.namespace, names, self.record, uses_sim_time(self.settings)
        )
        if self._wait_until_up(self._monitor):
            self._go_on(self._monitor)

    def close(self) -> None:
        """End every process within `STOP_S` of the request, or at once when asked a second time."""
        if self._processes is not None:
            self.meter.sample(self._processes.pids())
            patience = self.stop.count + 1
            remaining_s = max(STOP_S - self.stop.age_s, 0.2)
            for name in self._processes.stop(remaining_s, lambda: self.stop.count >= patience):
                self.screen.log(name, f"did not end within {STOP_S:g} s and was killed")
        if self._monitor is not None:
            self._monitor.close()

    def summary(self) -> dict[str, object]:
        """Return the summary of the run."""
        restarts = self._processes.restarts() if self._processes else {}
        return self.record.to_dict(self.meter.usage(restarts))

    def _wait_until_up(self, monitor: RunMonitor) -> bool:
        """Wait for the first answer of the whole graph; False if the end was asked for."""
        deadline_s = time.monotonic() + START_TIMEOUT_S

        def arrived() -> bool:
            if time.monotonic() > deadline_s and (
                monitor.not_active or self.duration_s is not None
            ):
                raise BringUpError(_not_up(monitor, self.settings.across), EXIT_BROKEN)
            return monitor.first_stamp_ns is not None

        def text() -> str:
            return (
                starting_text(list(monitor.not_active))
                if monitor.not_active
                else status_text(monitor.status())
            )

        if not self._until(arrived, text):
            return False
        assert monitor.first_stamp_ns is not None
        self.record.begin(monitor.first_stamp_ns, _truth(monitor))
        self.meter.begin()
        if self.duration_s is None:
            for line in _next_steps(self.settings):
                self.screen.log("fer", line)
        return True

    def _go_on(self, monitor: RunMonitor) -> None:
        assert monitor.first_stamp_ns is not None
        if self.duration_s is None:
            end_s = float("inf")
        else:
            end_s = time.monotonic() + self.duration_s
            self.record.end(monitor.first_stamp_ns + round(self.duration_s * NANOSECONDS))
        self._until(lambda: time.monotonic() >= end_s, lambda: status_text(monitor.status()))
        self.record.end(monitor.now_ns)
        drained_s = time.monotonic() + DRAIN_S
        while not self.record.complete and time.monotonic() < drained_s and not self.stop.impatient:
            time.sleep(_POLL_S)

    def _check_alone(self, now_s: float) -> None:
        """End if an older graph runs in our namespace; only warn of a newer one."""
        assert self._processes is not None
        self._own.update(self._processes.pids().values())
        others = self._monitor.others(self._own) if self._monitor else {}
        if not others or not self._alone_until_s:
            return
        text = (
            f"another graph runs in namespace {absolute(self.settings.namespace)} "
            f"({', '.join(sorted(others))}): end it, or choose another --namespace or ROS_DOMAIN_ID"
        )
        if _are_older(others.values(), now_s < self._alone_until_s):
            raise BringUpError(text, EXIT_CONFIGURATION)
        self._alone_until_s = 0.0
        self.screen.log("fer", f"[WARN] {text}")

    def _until(self, done: Callable[[], bool], text: Callable[[], str]) -> bool:
        """Supervise the processes until it is done; False if the end was asked for."""
        assert self._processes is not None
        while not done():
            if self.stop.count:
                return False
            if failure := self._processes.poll():
                raise as_error(failure)
            now_s = time.monotonic()
            self._check_alone(now_s)
            if now_s - self._sampled_s >= _SAMPLE_PERIOD_S:
                self._sampled_s = now_s
                self.meter.sample(self._processes.pids())
            if now_s - self._shown_s >= LIVE_PERIOD_S:
                self._shown_s = now_s
                self.screen.status(text())
            time.sleep(_POLL_S)
        return True


def _next_steps(settings: Settings) -> tuple[str, ...]:
    """Return what a user can do with a graph that has just come up."""
    port = settings.web
    page = (
        f"http://127.0.0.1:{port} (from another machine, first: ssh -L {port}:127.0.0.1:{port} "
        f"{os.uname().nodename})"
    )
    fer = "./fer" if os.path.isfile("fer") and os.access("fer", os.X_OK) else "fer"
    return (
        f"to see it: {page}" if port else f"to see it, in another terminal: {fer} dashboard",
        f"to teach it, while a face smiles: {fer} teach smile",
        f"to end it: Ctrl-C (all commands: {fer} --help)",
    )


def _are_older(pids: Iterable[int], unknown: bool) -> bool:
    """Return whether processes are older than this one; `unknown` if they are on another host."""
    for pid in pids:
        try:
            return psutil.Process(pid).create_time() < psutil.Process().create_time()
        except psutil.Error:
            continue
    return unknown


def _truth(monitor: RunMonitor) -> Mapping[int, str]:
    """Return the true label of each frame that has one which the network may answer."""
    path = label_file_of(monitor.source)
    if path is None:
        return {}
    allowed = monitor.allowed_labels()
    truth = read_labels(path).items()
    return {frame: label for frame, label in truth if not allowed or label in allowed}


def _not_up(monitor: RunMonitor, across: bool) -> str:
    if monitor.not_active:
        states = ", ".join(f"'{name}' is {state}" for name, state in monitor.not_active.items())
        return f"after {START_TIMEOUT_S:g} s node {states}: its log lines above say why"
    if across:
        return f"no answer within {START_TIMEOUT_S:g} s: start the other host with the same --split"
    cause = monitor.status().trouble or f"check the source '{monitor.source}'"
    return f"no answer within {START_TIMEOUT_S:g} s of the start: {cause}"


def as_error(failure: Failure) -> BringUpError:
    """Return the error to show to the user, with the reason that the process gave."""
    errors = [line for line in failure.lines if _ERROR.match(line)] or list(failure.lines)
    reason = _ERROR.sub("", errors[-1]) if errors else "it left no message"
    if failure.is_configuration:
        return BringUpError(f"node '{failure.name}' cannot start: {reason}", EXIT_CONFIGURATION)
    return BringUpError(
        f"'{failure.name}' {describe_exit(failure.exit_code)}: {reason}", EXIT_BROKEN
    )
