"""The processes of a graph as programs for the supervisor."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence

from fer.bringup.environment import default_parameter_file, transport_environment
from fer.bringup.graph import IMAGE_TOPIC, Settings, StartedNode, composed, started_nodes
from fer.processes.shared_memory import remove_abandoned
from fer.processes.supervisor import OnLine, Program, Supervisor
from fer_common.core.graph_names import absolute

WINDOW = "window"
#: The process of the nodes that share one.
COMPOSED = "composed"
_LOG_FORMAT = "RCUTILS_CONSOLE_OUTPUT_FORMAT"
#: The name of the process is printed before each line anyway.
_LINES, _NAMED_LINES = "[{severity}] {message}", "[{severity}] [{name}]: {message}"


def bring_up(settings: Settings, on_line: OnLine) -> Supervisor:
    """Return the supervisor of the whole graph, not yet started."""
    programs = [*node_programs(started_nodes(settings), settings), *window_programs(settings)]
    return Supervisor(programs, on_line, {_LOG_FORMAT: _LINES, **os.environ}, remove_abandoned)


def node_programs(started: Sequence[StartedNode], settings: Settings) -> list[Program]:
    """Return the programs that run the nodes."""
    shared = composed(started, settings)
    programs = [node_program(each, settings) for each in started if each not in shared]
    return [_container_program(shared, settings), *programs] if shared else programs


def container_arguments(shared: Sequence[StartedNode], settings: Settings) -> list[str]:
    """Return the arguments of the process that runs several nodes."""
    return [
        word
        for each in shared
        for word in ("--node", each.node.component, *ros_arguments(each, settings))
    ] + ["--every-node", *default_parameters(settings)]


def default_parameters(settings: Settings) -> list[str]:
    """Return the arguments of a node that come before all others, because the last value wins."""
    default = ["--ros-args", "--params-file", str(default_parameter_file())]
    return [] if settings.params_file else default


def ros_arguments(started: StartedNode, settings: Settings) -> list[str]:
    """Return the ROS arguments of one node."""
    names = (("__node", started.node.name), ("__ns", absolute(settings.namespace)))
    arguments = ["--ros-args"]
    for name, target in (*names, *started.remappings):
        arguments += ["-r", f"{name}:={target}"]
    if settings.params_file:
        arguments += ["--params-file", str(settings.params_file)]
    for name, value in started.parameters.items():
        # In quotes, so that a device "0" stays a text.
        arguments += ["-p", f"{name}:={json.dumps(value)}"]
    return [*arguments, "--log-level", settings.log_level]


def environment_of(started: Sequence[StartedNode], current: Mapping[str, str]) -> dict[str, str]:
    """Return how the environment of a process with these nodes differs from `current`."""
    whole_images = [each.whole_images for each in started]
    return transport_environment(current, whole_images)


def node_program(started: StartedNode, settings: Settings) -> Program:
    """Return the program that runs one node."""
    arguments = (*default_parameters(settings), *ros_arguments(started, settings))
    return Program(
        started.node.name,
        (sys.executable, "-m", started.node.module, *arguments),
        holds_signals=True,
        environment=environment_of([started], os.environ),
    )


def _container_program(shared: Sequence[StartedNode], settings: Settings) -> Program:
    named = {_LOG_FORMAT: _NAMED_LINES} if _LOG_FORMAT not in os.environ else {}
    command = (sys.executable, "-m", "fer_common.ros.container")
    return Program(
        COMPOSED,
        (*command, *container_arguments(shared, settings)),
        holds_signals=True,
        environment=named | environment_of(shared, os.environ),
    )


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
