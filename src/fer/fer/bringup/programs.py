"""The processes of a graph as programs for the supervisor."""

from __future__ import annotations

import json
import os
import sys

from fer.bringup.environment import whole_image_environment
from fer.bringup.graph import IMAGE_TOPIC, Settings, StartedNode, absolute, started_nodes
from fer.bringup.installed import config_folder, default_parameter_file
from fer.processes.shared_memory import remove_abandoned
from fer.processes.supervisor import OnLine, Program, Supervisor

WINDOW = "window"
#: The name of the node is printed before each line anyway.
_LOG_FORMAT = {"RCUTILS_CONSOLE_OUTPUT_FORMAT": "[{severity}] {message}"}


def bring_up(settings: Settings, on_line: OnLine) -> Supervisor:
    """Return the supervisor of the whole graph, not yet started."""
    programs = [node_program(node, settings) for node in started_nodes(settings)]
    programs += window_programs(settings)
    return Supervisor(programs, on_line, {**_LOG_FORMAT, **os.environ}, remove_abandoned)


def node_program(started: StartedNode, settings: Settings) -> Program:
    """Return the program that runs one node."""
    names = (("__node", started.node.name), ("__ns", absolute(settings.namespace)))
    arguments = []
    for name, target in (*names, *started.remappings):
        arguments += ["-r", f"{name}:={target}"]
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
    """Return how the environment of this node differs from that of this process."""
    return whole_image_environment(os.environ, config_folder()) if started.whole_images else {}


def window_programs(settings: Settings) -> list[Program]:
    """Return the dashboard's window if it is wanted. Its end changes nothing for the graph."""
    if not settings.window:
        return []
    arguments = ["--namespace", absolute(settings.namespace)]
    if settings.across or settings.compressed:
        arguments.append("--compressed")
    if settings.image_topic != IMAGE_TOPIC:
        arguments += ["--ros-args", "-r", f"{IMAGE_TOPIC}:={settings.image_topic}"]
    command = (sys.executable, "-m", "fer_viz.dashboard.window", *arguments)
    return [Program(WINDOW, command, optional=True)]
