"""Runs the whole graph as a user does, by `fer up`, in a ROS domain of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from fer_common.core.errors import FerError

OVERLAY, EXPRESSIONS = "overlay", "expressions"

_NAMESPACE = "fer"
_DOMAINS = 100
#: Start, drain and end of a run, beyond the time that it is watched for.
_PATIENCE_S = 60.0
_POLL_S = 0.1
_LIBRARY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """What a run of the graph came to.

    Attributes
    ----------
    duration_s : how long it was watched.
    summary : as `fer up --summary` writes it.
    heard : for every topic listened to, how many messages came.
    first_s : for every topic, how long after the start of the command the first one came.
    """

    duration_s: float
    summary: Mapping[str, Any]
    heard: Mapping[str, int]
    first_s: Mapping[str, float]

    @property
    def cpu_percent(self) -> dict[str, float]:
        """Share of a core that each node took."""
        return {name: node["cpu_percent"] for name, node in self.summary["nodes"].items()}

    @property
    def cpu_ms_per_frame(self) -> float:
        """CPU time of all nodes for a frame that was answered."""
        cpu_s = sum(self.cpu_percent.values()) / 100 * self.duration_s
        return cpu_s / int(self.summary["frames"]["processed"]) * 1e3

    @property
    def rss_mb(self) -> dict[str, float]:
        """Largest resident memory of each node, 10^6 bytes."""
        return {name: node["rss_mb"] for name, node in self.summary["nodes"].items()}


@dataclass(frozen=True)
class Camera:
    """What the camera node shows: a clip in a size and at a rate; 0 for the clip's own."""

    width: int = 0
    height: int = 0
    rate_hz: float = 0.0
    source: str = "demo"

    def to_yaml(self) -> str:
        """Return the parameter file that says so."""
        return (
            "/**/camera:\n  ros__parameters:\n"
            f"    source: {self.source}\n    width: {self.width}\n    height: {self.height}\n"
            f"    rate: {float(self.rate_hz)}\n"
        )


def watch(root: Path, camera: Camera, duration_s: float, topics: Sequence[str]) -> Run:
    """Run the graph while listening to topics, and return what it came to.

    Raises
    ------
    FerError
        if it does not come up or ends by itself.
    """
    with started(root, camera, duration_s, topics) as graph:
        return graph.finish()


@contextmanager
def started(
    root: Path, camera: Camera, duration_s: float, topics: Sequence[str]
) -> Iterator[Graph]:
    """Start the graph and a listener, and end what still runs at the end."""
    with tempfile.TemporaryDirectory(prefix="fer-bench-") as folder:
        graph = Graph(root, Path(folder), camera, duration_s, topics)
        try:
            yield graph
        finally:
            graph.close()


class Graph:
    """A graph that runs."""

    def __init__(
        self, root: Path, folder: Path, camera: Camera, duration_s: float, topics: Sequence[str]
    ) -> None:
        self._summary = folder / "summary.json"
        self._log = folder / "log"
        self._duration_s = duration_s
        parameters = folder / "camera.yaml"
        parameters.write_text(camera.to_yaml(), encoding="utf-8")
        env = environment()
        listener = [sys.executable, "-m", "fer_bench.listener", _NAMESPACE]
        self._listener = subprocess.Popen(
            [*listener, *topics],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            text=True,
        )
        assert self._listener.stdout is not None
        if not self._listener.stdout.readline():
            raise FerError("the listener does not start: build the workspace again, by ./fer setup")
        options = [
            "--source",
            camera.source,
            "--duration",
            str(duration_s),
            "--params",
            str(parameters),
        ]
        with self._log.open("wb") as log:
            self._begin_s = time.monotonic()
            self._process = subprocess.Popen(
                [*command(root), "up", *options, "--summary", str(self._summary)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
            )

    def finish(self) -> Run:
        """Wait for the end and return what the run came to."""
        code = self._process.wait(self._duration_s + _PATIENCE_S)
        if code:
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise FerError(f"`fer up` ended with {code}: {lines[-1] if lines else 'no message'}")
        heard_of, _ = self._listener.communicate(timeout=_PATIENCE_S)
        heard = json.loads(heard_of)
        summary = json.loads(self._summary.read_text(encoding="utf-8"))
        if not summary["frames"]["processed"]:
            raise FerError("the graph answered no frame: try `fer up --source demo`")
        return Run(
            self._duration_s,
            summary,
            {topic: facts["count"] for topic, facts in heard.items()},
            {
                topic: facts["first_s"] - self._begin_s
                for topic, facts in heard.items()
                if facts["first_s"] is not None
            },
        )

    def nodes(self) -> dict[str, int]:
        """Wait until the nodes run, and return the process id of each by name."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline_s:
            found = {
                argument.removeprefix("__node:="): process.pid
                for process in psutil.Process(self._process.pid).children(recursive=True)
                for argument in _command_line(process)
                if argument.startswith("__node:=")
            }
            if len(found) > 1:
                return found
            time.sleep(_POLL_S)
        raise FerError("no node came up: try `fer up --source demo`")

    def close(self) -> None:
        """End what still runs."""
        for process in (self._process, self._listener):
            if process.poll() is None:
                process.terminate()
                process.wait()


def command(root: Path) -> list[str]:
    """Return the command `fer` as users start it here."""
    was_set_up = (root / ".fer" / "setup.json").is_file()
    return [str(root / "fer")] if was_set_up else [sys.executable, "-m", "fer.cli"]


def environment() -> dict[str, str]:
    """Return the environment of a graph that meets no other one."""
    paths = [str(_LIBRARY), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "ROS_DOMAIN_ID": str(os.getpid() % _DOMAINS + 1),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
