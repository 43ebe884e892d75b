"""A fresh graph for one replay, whose nodes work on every frame, and a recorder of its answers."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path

from fer.bags.player import PlayOptions
from fer.bringup.environment import graph_environment
from fer.bringup.graph import Settings, started_nodes
from fer.bringup.programs import node_programs
from fer.processes.supervisor import Failure, Program, Supervisor, describe_exit
from fer_common.core.errors import FerError
from fer_common.core.graph_names import resolve
from fer_common.core.parameters import DIAGNOSTICS_PERIOD

#: Compiling the network's kernels for the first time takes up to 30 s.
_START_S = 60.0
_STOP_S = 5.0
_WINDOW = 4
_DIAGNOSTICS_PERIOD_S = 0.2
_RECORDED = ("expressions", "spikes", "weights", "network", "features")


class OwnGraph:
    """Nodes that are started for a replay and ended after it; for use in a `with` block.

    Parameters
    ----------
    record : folder to record the answers in, None for none.
    on_line : called with the name of a process and a line that it wrote.
    """

    def __init__(
        self, settings: Settings, record: Path | None, on_line: Callable[[str, str], None]
    ) -> None:
        started = started_nodes(settings)
        self._names = tuple(each.node.name for each in started)
        programs = [_for_a_replay(program) for program in node_programs(started, settings)]
        topics = _RECORDED if "features" in self._names else _RECORDED[:-1]
        self._recorded = (
            tuple(resolve(settings.namespace, topic) for topic in topics) if record else ()
        )
        environment = {**os.environ, **graph_environment(os.environ)}
        self._nodes = Supervisor(programs, on_line, environment)
        recorder = [_recorder(record, self._recorded)] if record else []
        # Apart, because it is to be ended after the nodes.
        self._recorder = Supervisor(recorder, on_line, environment)
        self._failure: Failure | None = None

    def options(self, options: PlayOptions) -> PlayOptions:
        """Return the options of a player that waits for these nodes."""
        return dataclasses.replace(
            options, expected=self._names, recorded=self._recorded, wait_s=_START_S, window=_WINDOW
        )

    def __enter__(self) -> OwnGraph:
        self._recorder.start()
        self._nodes.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._recorder.stop, _STOP_S)
            stack.callback(self._nodes.stop, _STOP_S)

    @property
    def failed(self) -> bool:
        """Whether one of the processes has ended."""
        self._failure = self._failure or self._nodes.poll() or self._recorder.poll()
        return self._failure is not None

    def check(self) -> None:
        """Raise FerError with the reason if one of the processes has ended."""
        if self.failed:
            assert self._failure is not None
            lines = self._failure.lines
            reason = lines[-1] if lines else "it left no message"
            end = describe_exit(self._failure.exit_code)
            raise FerError(f"'{self._failure.name}' {end}: {reason}")


def _for_a_replay(node: Program) -> Program:
    """Return a program that dies once and for all, and tells soon who listens to it."""
    # What had died and come back would have forgotten its state.
    period = f"{DIAGNOSTICS_PERIOD.name}:={_DIAGNOSTICS_PERIOD_S}"
    command = (*node.command, "--ros-args", "-p", period)
    return dataclasses.replace(node, restart=False, command=command)


def _recorder(folder: Path, topics: tuple[str, ...]) -> Program:
    command = (sys.executable, "-m", "fer.cli", "bag", "record", "--output", str(folder.absolute()))
    return Program("record", (*command, "--topics", *topics), restart=False)
