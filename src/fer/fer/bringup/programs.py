"""How the graph is started: node by node, or by `ros2 launch` where that is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from typing import Protocol

import psutil

from fer.bringup.environment import whole_image_environment
from fer.bringup.graph import IMAGE_TOPIC, Settings, StartedNode, absolute, started_nodes
from fer.bringup.installed import config_folder, default_parameter_file, launch_file
from fer.processes.shared_memory import remove_abandoned
from fer.processes.supervisor import Failure, OnLine, Program, Supervisor

WINDOW = "window"
#: The name of the node stands before each line anyway.
_LOG_FORMAT = {"RCUTILS_CONSOLE_OUTPUT_FORMAT": "[{severity}] {message}"}


class Bringup(Protocol):
    """The processes of the graph."""

    def start(self) -> None:
        """Start them."""

    def poll(self) -> Failure | None:
        """Look after them; return why they cannot go on."""

    def pids(self) -> dict[str, int]:
        """Process id of every node that runs, by the node's name."""

    def restarts(self) -> dict[str, int]:
        """How often each node was started again."""

    def stop(self, within_s: float, interrupted: Callable[[], bool]) -> list[str]:
        """End them all and return what had to be killed."""


def bring_up(settings: Settings, on_line: OnLine) -> Bringup:
    """Return the processes that fit this machine, not yet started."""
    if has_ros_launch():
        return LaunchedGraph(settings, on_line)
    programs = [node_program(node, settings) for node in started_nodes(settings)]
    programs += window_programs(settings)
    environment = {**_LOG_FORMAT, **os.environ}
    return Supervisor(programs, on_line, environment, remove_abandoned)


def has_ros_launch() -> bool:
    """Whether `ros2 launch` is installed here."""
    return shutil.which("ros2") is not None and importlib.util.find_spec("launch_ros") is not None


def node_program(started: StartedNode, settings: Settings) -> Program:
    """Return the program that is one node."""
    arguments = [
        "-r",
        f"__node:={started.node.name}",
        "-r",
        f"__ns:={absolute(settings.namespace)}",
    ]
    for name, topic in started.remappings:
        arguments += ["-r", f"{name}:={topic}"]
    arguments += ["--params-file", str(settings.params_file or default_parameter_file())]
    for name, value in started.parameters.items():
        # In quotes, so that a device "0" stays a text.
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    arguments += ["--log-level", settings.log_level]
    return Program(
        started.node.name,
        (sys.executable, "-m", started.node.module, "--ros-args", *arguments),
        holds_signals=True,
        environment=environment_of(started),
    )


def environment_of(started: StartedNode) -> dict[str, str]:
    """Return what differs for this node from the environment of this process."""
    return whole_image_environment(os.environ, config_folder()) if started.whole_images else {}


def window_programs(settings: Settings) -> list[Program]:
    """Return the dashboard's window where one is wanted, a process whose end changes nothing."""
    if not settings.window:
        return []
    arguments = ["--namespace", absolute(settings.namespace)]
    if settings.across:
        arguments.append("--compressed")
    if settings.image_topic != IMAGE_TOPIC:
        arguments += ["--ros-args", "-r", f"{IMAGE_TOPIC}:={settings.image_topic}"]
    command = (sys.executable, "-m", "fer_viz.dashboard.window", *arguments)
    return [Program(WINDOW, command, optional=True)]


def launch_program(settings: Settings) -> Program:
    """Return the program that is `ros2 launch` with the same settings."""
    on_robot, on_workstation = "robot" in settings.hosts, "workstation" in settings.hosts
    arguments = {
        "namespace": settings.namespace,
        "source": settings.source if on_robot else "",
        "weights": settings.weights if on_workstation else "",
        "params_file": str(settings.params_file or ""),
        "viz": str(settings.viz).lower() if on_workstation else "",
        "respawn": "true",
        "log_level": settings.log_level,
        "split": settings.split if settings.across else "",
    }
    given = [f"{name}:={value}" for name, value in arguments.items() if value]
    # By its path: `ros2 launch fer ...` takes a file called fer in the present folder for the
    # launch file.
    file = launch_file(settings.hosts[0] if settings.across else "bringup")
    command = (shutil.which("ros2") or "ros2", "launch", str(file), *given)
    # SIGINT is the only signal at which `ros2 launch` ends its nodes, too.
    return Program(
        "launch", command, restart=False, stop_signal=signal.SIGINT, orphan_signal=signal.SIGINT
    )


class LaunchedGraph:
    """The graph as one child process `ros2 launch`, whose children are the nodes."""

    def __init__(self, settings: Settings, on_line: OnLine) -> None:
        self._names = [started.node.name for started in started_nodes(settings)]
        self._supervisor = Supervisor(
            [launch_program(settings), *window_programs(settings)],
            on_line,
            {**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._seen: dict[str, set[int]] = {name: set() for name in self._names}

    def start(self) -> None:
        """Start `ros2 launch`."""
        self._supervisor.start()

    def poll(self) -> Failure | None:
        """Return the end of `ros2 launch` as the failure that it is."""
        self.pids()
        return self._supervisor.poll()

    def pids(self) -> dict[str, int]:
        """Process id of every node, found by the name on its command line."""
        found: dict[str, int] = {}
        for launch_pid in self._supervisor.pids().values():
            for process in _descendants(launch_pid):
                name = _node_name(process)
                if name in self._seen:
                    found[name] = process.pid
                    self._seen[name].add(process.pid)
        return found

    def restarts(self) -> dict[str, int]:
        """How many processes each node has had, but the first."""
        return {name: max(len(pids) - 1, 0) for name, pids in self._seen.items()}

    def stop(self, within_s: float, interrupted: Callable[[], bool]) -> list[str]:
        """Interrupt `ros2 launch` and its nodes."""
        return self._supervisor.stop(within_s, interrupted)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _node_name(process: psutil.Process) -> str:
    try:
        arguments = process.cmdline()
    except psutil.NoSuchProcess:
        return ""
    return next(
        (
            argument.removeprefix("__node:=")
            for argument in arguments
            if argument.startswith("__node:=")
        ),
        "",
    )
