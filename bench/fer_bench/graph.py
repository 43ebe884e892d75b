"""Runs the whole graph as a user does, by `fer up`, in a ROS domain of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor_msgs.msg import Image

from fer_bench.peers import last_line
from fer_bench.results import Measurement
from fer_common.core.errors import FerError
from fer_interfaces.msg import ExpressionArray
from fer_testing.ros import Graph as Listener
from fer_testing.ros import reserved_domain

OVERLAY, EXPRESSIONS = "overlay", "expressions"
#: Figures of a run that have limits.
P50, P99, LOST, ANSWERS = "latency, p50", "latency, p99", "frames lost", "answers"
CPU, MEMORY = "CPU of all nodes", "memory of all nodes"

_KINDS = {OVERLAY: Image, EXPRESSIONS: ExpressionArray}
#: For start and end of a run, beyond the time that it is watched for.
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Run:
    """The results of a run of the graph.

    Attributes
    ----------
    summary : as `fer up --summary` writes it.
    first_s : time from the start of the command to the first message, by topic.
    """

    duration_s: float
    summary: Mapping[str, Any]
    first_s: Mapping[str, float]

    def figures(
        self,
        part: str,
        name: str,
        limits: Mapping[str, float],
        curves: Mapping[str, float] | None = None,
    ) -> Iterator[Measurement]:
        """Yield everything that the run shows.

        Parameters
        ----------
        name : what was run.
        limits : by the name of the figure.
        curves : on which the CPU lies, as in `Measurement`.
        """
        frames, nodes = self.summary["frames"], self.summary["nodes"]
        cpu_percent = sum(node["cpu_percent"] for node in nodes.values())
        cpu_ms = 10 * cpu_percent * self.duration_s
        figures = {
            **{f"latency, {q}": ("ms", value) for q, value in self.summary["latency_ms"].items()},
            LOST: ("", frames["skipped"]),
            ANSWERS: ("Hz", frames["processed"] / self.duration_s),
            "CPU of a frame": ("ms", cpu_ms / frames["processed"]),
            CPU: ("% of a core", cpu_percent),
            MEMORY: ("MB", sum(node["rss_mb"] for node in nodes.values())),
        }
        for node, used in nodes.items():
            figures[f"CPU of {node}"] = "% of a core", used["cpu_percent"]
            figures[f"memory of {node}"] = "MB", used["rss_mb"]
        for figure, (unit, value) in figures.items():
            of_curves = curves if figure == CPU and curves else {}
            limit = limits.get(figure)
            yield Measurement(part, name, unit, value, {}, figure, of_curves, limit)


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


def watch(
    root: Path,
    camera: Camera,
    duration_s: float,
    topics: Sequence[str],
    *options: str,
    prefix: Sequence[str] = (),
) -> Run:
    """Run the graph by `fer up` with further options, and return the results.

    This process listens to topics, so that their messages are computed and sent. Its cost is not
    part of the graph's.

    Parameters
    ----------
    prefix : the program that starts `fer up`, and its arguments.

    Raises
    ------
    FerError
        if it does not start, ends by itself, or says nothing on one of the topics.
    """
    with tempfile.TemporaryDirectory(prefix="fer-bench-") as name, reserved_domain() as domain:
        folder = Path(name)
        (folder / "camera.yaml").write_text(camera.to_yaml(), encoding="utf-8")
        listener = Listener(domain)
        first_s: dict[str, float] = {}
        command = [*_command(root), "up", "--source", camera.source, "--duration", str(duration_s)]
        command += ["--params", f"{folder}/camera.yaml", "--summary", f"{folder}/summary.json"]
        with (folder / "log").open("wb") as log:
            begin_s = time.monotonic()
            process = subprocess.Popen(
                [*prefix, *command, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            for topic in topics:
                # Not deserialised: only that messages arrive matters.
                listener.node.create_subscription(
                    _KINDS[topic],
                    f"/fer/{topic}",
                    lambda _, topic=topic: first_s.setdefault(topic, time.monotonic() - begin_s),
                    5,
                    raw=True,
                )
            summary = _finish(process, folder, duration_s)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            listener.close()
    for topic in topics:
        if topic not in first_s:
            raise FerError(f"nothing came on the topic {topic}: try `fer up --source demo`")
    return Run(duration_s, summary, first_s)


def _finish(process: subprocess.Popen[bytes], folder: Path, duration_s: float) -> dict[str, Any]:
    """Return the summary of a run that ends by itself."""
    if code := process.wait(duration_s + _PATIENCE_S):
        said = (folder / "log").read_text(encoding="utf-8", errors="replace")
        raise FerError(f"`fer up` ended with {code}: {last_line(said)}")
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if not summary["frames"]["processed"]:
        raise FerError("the graph answered no frame: try `fer up --source demo`")
    return summary


def _command(root: Path) -> list[str]:
    """Return the command `fer` as users start it here."""
    was_set_up = (root / ".fer" / "setup.json").is_file()
    return [str(root / "fer")] if was_set_up else [sys.executable, "-m", "fer.cli"]
