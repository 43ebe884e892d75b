"""`fer up`: the whole graph with one command.

What the summary counts: from the first image that is answered after every node has become active,
to the first image that is stamped `--duration` seconds later (or, without one, when the end was
asked for). The run goes on until an image after that end was answered, so that images on their way
at the end are counted as what becomes of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fer.bringup.environment import graph_environment
from fer.bringup.graph import HOSTS, LOG_LEVELS, NAMESPACE, SPLITS, Settings, started_nodes
from fer.bringup.installed import config_folder
from fer.bringup.preflight import check, label_file_of, resolved_source, resolved_weights
from fer.bringup.programs import Bringup, bring_up
from fer.processes.resources import ResourceMeter
from fer.processes.signals import StopRequests
from fer.processes.supervisor import Failure, describe_exit
from fer.report.labels import read_labels
from fer.report.status import LIVE_PERIOD_S, Screen, open_screen, starting_text, status_text
from fer.report.summary import RunRecord
from fer_common.core.atomic import write_atomically
from fer_common.core.errors import FerError
from fer_common.core.stamps import NANOSECONDS
from fer_viz.dashboard.binding import has_display

if TYPE_CHECKING:
    from fer.client.graph_monitor import GraphMonitor

EXIT_BROKEN = 1
EXIT_CONFIGURATION = 2
#: Every node must be active, and with --duration have answered a picture, within this time. Long,
#: because the very first start compiles the network's kernels: 10 to 30 s.
START_TIMEOUT_S = 60.0
#: Longest wait for answers to the last images, and for the end of everything after it was asked
#: for.
DRAIN_S = 0.5
STOP_S = 2.6
_TURN_S = 0.05
_SAMPLE_PERIOD_S = 1.0
#: How an error begins in a node's log, and how it begins where there is no log yet.
_ERROR = re.compile(r"(\x1b\[[0-9;]*m)*(\[(ERROR|FATAL)\]( \[[^]]*\])*:? |error: )")


class BringUpError(FerError):
    """The graph does not come up, or cannot go on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--source",
        default="",
        metavar="DEVICE|FILE|FOLDER|demo",
        help="camera (/dev/video0 or 0), video file, folder of pictures, or the packaged clip "
        "(default: as in the parameter file)",
    )
    parser.add_argument(
        "--duration",
        type=_seconds,
        metavar="SECONDS",
        help="end by itself, this long after the first answer",
    )
    parser.add_argument(
        "--summary", type=Path, metavar="FILE.json", help="write what the run came to"
    )
    parser.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of all nodes (default: %(default)s)"
    )
    parser.add_argument(
        "--params", type=Path, metavar="FILE", help="parameter file, as made by `fer param dump`"
    )
    parser.add_argument(
        "--weights",
        default="",
        metavar="FILE",
        help="weights of the network, as made by `fer train`",
    )
    parser.add_argument(
        "--host", choices=HOSTS, help="only this host's part of a graph on two (default: all of it)"
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="features",
        help="with --host, the same on both: the last node on the robot (default: %(default)s)",
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="HOST",
        help="with --host, where the network has no multicast: the other host; can be repeated",
    )
    parser.add_argument("--no-viz", action="store_true", help="do not draw the overlay")
    parser.add_argument(
        "--no-window",
        action="store_true",
        help="do not open the dashboard where there is a display",
    )
    parser.add_argument(
        "--log-level", default="info", choices=LOG_LEVELS, help="(default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Bring the graph up, and take it down at the end."""
    with StopRequests() as stop:
        settings = Settings(
            namespace=arguments.namespace,
            hosts=(arguments.host,) if arguments.host else HOSTS,
            split=arguments.split,
            source=resolved_source(arguments.source),
            params_file=arguments.params.absolute() if arguments.params else None,
            weights=resolved_weights(arguments.weights),
            viz=not arguments.no_viz,
            log_level=arguments.log_level,
            window=has_display() and not arguments.no_window,
        )
        check(settings)
        _check_summary(arguments.summary)
        given = graph_environment(os.environ, config_folder(), settings.across, arguments.peer)
        os.environ.update(given)
        with closing(open_screen()) as screen:
            session = GraphRun(settings, arguments.duration, stop, screen)
            try:
                session.run()
            except BringUpError as error:
                screen.close()
                print(f"error: {error}", file=sys.stderr)
                return error.exit_code
            finally:
                session.close()
                if arguments.summary:
                    _write_summary(arguments.summary, session.summary())
    return 0


@dataclass
class GraphRun:
    """One run of the graph.

    Attributes
    ----------
    settings : what is started.
    duration_s : how long it runs after the first answer, None for until it is asked to end.
    stop : requests to end.
    screen : where logs and status go.
    """

    settings: Settings
    duration_s: float | None
    stop: StopRequests
    screen: Screen
    record: RunRecord = field(default_factory=RunRecord)
    meter: ResourceMeter = field(default_factory=ResourceMeter)
    _bringup: Bringup | None = None
    _monitor: GraphMonitor | None = None
    _sampled_s: float = 0.0
    _shown_s: float = 0.0

    def run(self) -> None:
        """Start, wait until everything is up, run, and wait for the last answers.

        Raises
        ------
        BringUpError
            if a node does not come up, refuses what it was given, or the graph cannot go on.
        """
        self._bringup = bring_up(self.settings, self.screen.log)
        self._bringup.start()
        # Imports the client library, which takes half a second: by now the nodes do the same at the
        # same time.
        from fer.client.graph_monitor import GraphMonitor

        if self.stop.count:
            return
        names = [started.node.name for started in started_nodes(self.settings)]
        self._monitor = GraphMonitor(self.settings.namespace, names, self.record)
        if self._come_up(self._monitor):
            self._go_on(self._monitor)

    def close(self) -> None:
        """End every process within `STOP_S` of the request, or at once when asked a second time."""
        if self._bringup is not None:
            self.meter.sample(self._bringup.pids())
            patience = self.stop.count + 1
            remaining_s = max(STOP_S - self.stop.age_s, 0.2)
            for name in self._bringup.stop(remaining_s, lambda: self.stop.count >= patience):
                self.screen.log(name, f"did not end within {STOP_S:g} s and was killed")
        if self._monitor is not None:
            self._monitor.close()

    def summary(self) -> dict[str, object]:
        """Return what the run came to."""
        restarts = self._bringup.restarts() if self._bringup else {}
        return self.record.to_dict(self.meter.usage(restarts))

    def _come_up(self, monitor: GraphMonitor) -> bool:
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
        self.record.begin(monitor.first_stamp_ns, _truth(monitor.source))
        self.meter.begin()
        return True

    def _go_on(self, monitor: GraphMonitor) -> None:
        assert monitor.first_stamp_ns is not None
        if self.duration_s is None:
            end_s = float("inf")
        else:
            end_s = time.monotonic() + self.duration_s
            self.record.end(monitor.first_stamp_ns + round(self.duration_s * NANOSECONDS))
        self._until(lambda: time.monotonic() >= end_s, lambda: status_text(monitor.status()))
        self.record.end(time.time_ns())
        drained_s = time.monotonic() + DRAIN_S
        while not self.record.complete and time.monotonic() < drained_s and not self.stop.impatient:
            time.sleep(_TURN_S)

    def _until(self, done: Callable[[], bool], text: Callable[[], str]) -> bool:
        """Look after the processes until it is done; False if the end was asked for."""
        assert self._bringup is not None
        while not done():
            if self.stop.count:
                return False
            if failure := self._bringup.poll():
                raise as_error(failure)
            now_s = time.monotonic()
            if now_s - self._sampled_s >= _SAMPLE_PERIOD_S:
                self._sampled_s = now_s
                self.meter.sample(self._bringup.pids())
            if now_s - self._shown_s >= LIVE_PERIOD_S:
                self._shown_s = now_s
                self.screen.status(text())
            time.sleep(_TURN_S)
        return True


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time: give a number of seconds above 0")
    return value


def _truth(source: str) -> Mapping[int, str]:
    path = label_file_of(source)
    return read_labels(path) if path else {}


def _not_up(monitor: GraphMonitor, across: bool) -> str:
    if monitor.not_active:
        states = ", ".join(f"'{name}' is {state}" for name, state in monitor.not_active.items())
        return f"after {START_TIMEOUT_S:g} s node {states}: its log lines above say why"
    if across:
        return f"no answer within {START_TIMEOUT_S:g} s: start the other host with the same --split"
    return (
        f"no answer within {START_TIMEOUT_S:g} s of the start: check the source '{monitor.source}'"
    )


def as_error(failure: Failure) -> BringUpError:
    """Return the error that a user shall see, with the reason that the process gave."""
    errors = [line for line in failure.lines if _ERROR.match(line)] or list(failure.lines)
    reason = _ERROR.sub("", errors[-1]) if errors else "it left no message"
    if failure.is_configuration:
        return BringUpError(f"node '{failure.name}' cannot start: {reason}", EXIT_CONFIGURATION)
    return BringUpError(
        f"'{failure.name}' {describe_exit(failure.exit_code)}: {reason}", EXIT_BROKEN
    )


def _check_summary(path: Path | None) -> None:
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir() or path.is_dir() or not os.access(folder, os.W_OK):
        raise FerError(
            f"summary {path} cannot be written: name a file in a folder that exists and is writable"
        )


def _write_summary(path: Path, summary: Mapping[str, object]) -> None:
    try:
        write_atomically(path.absolute(), (json.dumps(summary, indent=2) + "\n").encode())
    except OSError as error:
        raise FerError(f"summary {path} cannot be written: {error.strerror}") from error
