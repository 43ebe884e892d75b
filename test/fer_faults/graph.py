"""`fer up` as a process, and somebody who listens to its graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from diagnostic_msgs.msg import DiagnosticStatus

from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray, Weights
from fer_testing.ros import Graph, end, facts, wait_for
from fer_testing.whole_graph import children

NAMESPACE = "/fer"


class Health:
    """The last word of every node on /diagnostics, and when it was said."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._read = 0
        self._last: dict[str, DiagnosticStatus] = {}

    def of(self, node: str) -> DiagnosticStatus | None:
        """Return the last status of a node (full name), None before the first."""
        arrays = self._graph.diagnostics
        while self._read < len(arrays):
            for status in arrays[self._read].status:
                self._last[status.name] = status
            self._read += 1
        return self._last.get(node)

    def says(self, node: str, level: bytes, text: str = "") -> bool:
        """Whether the node's last status has a level and contains a text."""
        status = self.of(node)
        return status is not None and status.level == level and text in status.message

    def facts(self, node: str) -> dict[str, str]:
        """Return the facts of a node's last status, empty before the first."""
        status = self.of(node)
        return {} if status is None else facts(status)


class Up:
    """`fer up` in a domain of its own, and a listener."""

    def __init__(self, domain: int, folder: Path) -> None:
        self.folder = folder
        self.graph = Graph(domain)
        self.health = Health(self.graph)
        self.expressions: list[ExpressionArray] = self.graph.collect(
            ExpressionArray, f"{NAMESPACE}/expressions", 50
        )
        self.weights: list[Weights] = self.graph.collect(
            Weights, f"{NAMESPACE}/weights", qos.LATCHED
        )
        self.process: subprocess.Popen[str] | None = None

    def start(
        self,
        *options: str,
        parameters: Mapping[str, Mapping[str, object]] | None = None,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Start it, with the demo clip, and do not wait."""
        if parameters:
            path = self.folder / "parameters.yaml"
            path.write_text(_yaml(parameters))
            options = (*options, "--params", str(path))
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "fer.cli", "up", "--source", "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ if environment is None else environment),
        )
        return self.process

    def wait_for_expressions(self, number: int = 1) -> None:
        """Wait for that many more answers."""
        goal = len(self.expressions) + number
        wait_for(lambda: len(self.expressions) >= goal, f"{number} more expressions", 60.0)

    def nodes(self) -> dict[str, psutil.Process]:
        """Return the processes of the nodes, by the node's name."""
        assert self.process is not None
        return children(self.process)

    def set(self, node: str, **values: Any) -> tuple[bool, str]:
        """Set parameters of a node as one batch; return whether they were taken, and why not."""
        return self.graph.set_parameters(f"{NAMESPACE}/{node}", values)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it, and return exit code and output."""
        assert self.process is not None
        result = end(self.process, number)
        self.process = None
        return result

    def close(self) -> None:
        """End whatever still runs."""
        if self.process is not None:
            end(self.process)
        self.graph.close()


def quiet_for(messages: list[Any], quiet_s: float, deadline_s: float = 10.0) -> bool:
    """Wait until a list has not grown for so long; False if it goes on growing."""
    until_s = time.monotonic() + deadline_s
    number, since_s = len(messages), time.monotonic()
    while time.monotonic() < until_s:
        if len(messages) != number:
            number, since_s = len(messages), time.monotonic()
        if time.monotonic() - since_s >= quiet_s:
            return True
        time.sleep(0.01)
    return False


def _yaml(parameters: Mapping[str, Mapping[str, object]]) -> str:
    import yaml

    return yaml.safe_dump(
        {f"/**/{node}": {"ros__parameters": dict(values)} for node, values in parameters.items()}
    )
