"""Runs the whole graph as a user does, by `fer up`, in a ROS domain of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sensor_msgs.msg import Image

from fer_bench.peers import last_line
from fer_common.core.errors import FerError
from fer_interfaces.msg import ExpressionArray
from fer_testing.ros import Graph as Listener
from fer_testing.ros import reserved_domain

OVERLAY, EXPRESSIONS = "overlay", "expressions"

_KINDS = {OVERLAY: Image, EXPRESSIONS: ExpressionArray}
#: For start and end of a run, beyond the time that it is watched for.
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Run:
    """The results of a run of the graph.

    Attributes
    ----------
    summary : as `fer up --summary` writes it.
    heard_s : arrival of every message by topic, from the start of the command on.
    """

    duration_s: float
    summary: Mapping[str, Any]
    heard_s: Mapping[str, Sequence[float]]

    @property
    def cpu_percent(self) -> dict[str, float]:
        """Share of a core that each node used."""
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


def watch(
    root: Path,
    camera: Camera,
    duration_s: float,
    topics: Sequence[str],
    *options: str,
    prefix: Sequence[str] = (),
    meanwhile: Callable[[subprocess.Popen[bytes]], None] = lambda process: None,
) -> Run:
    """Run the graph by `fer up` with further options, and return the results.

    This process listens to topics, so that their messages are computed and sent. Its cost is not
    part of the graph's.

    Parameters
    ----------
    prefix : the program that starts `fer up`, and its arguments.
    meanwhile : called with the process of `fer up` while it runs.

    Raises
    ------
    FerError
        if it does not start, or ends by itself.
    """
    with tempfile.TemporaryDirectory(prefix="fer-bench-") as name, reserved_domain() as domain:
        folder = Path(name)
        (folder / "camera.yaml").write_text(camera.to_yaml(), encoding="utf-8")
        listener = Listener(domain)
        heard_s: dict[str, list[float]] = {topic: [] for topic in topics}
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
            for topic, arrivals_s in heard_s.items():
                # Not deserialised: only that messages arrive matters.
                listener.node.create_subscription(
                    _KINDS[topic],
                    f"/fer/{topic}",
                    lambda _, to=arrivals_s: to.append(time.monotonic() - begin_s),
                    5,
                    raw=True,
                )
            meanwhile(process)
            return _finish(process, folder, duration_s, heard_s)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            listener.close()


def _finish(
    process: subprocess.Popen[bytes],
    folder: Path,
    duration_s: float,
    heard_s: Mapping[str, Sequence[float]],
) -> Run:
    if code := process.wait(duration_s + _PATIENCE_S):
        said = (folder / "log").read_text(encoding="utf-8", errors="replace")
        raise FerError(f"`fer up` ended with {code}: {last_line(said)}")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if not summary["frames"]["processed"]:
        raise FerError("the graph answered no frame: try `fer up --source demo`")
    return Run(duration_s, summary, heard_s)


def _command(root: Path) -> list[str]:
    """Return the command `fer` as users start it here."""
    was_set_up = (root / ".fer" / "setup.json").is_file()
    return [str(root / "fer")] if was_set_up else [sys.executable, "-m", "fer.cli"]
