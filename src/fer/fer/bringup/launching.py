"""What the launch files need besides their nodes: checks, parameters and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.events.process import ProcessExited
from launch.logging import get_logger
from launch_ros.utilities import make_namespace_absolute, prefix_namespace

from fer.bringup.arguments import ARGUMENTS, BOOLEANS, File, arguments_of, settings_of
from fer.bringup.environment import check_environment, graph_environment
from fer.bringup.graph import HOSTS, Host, StartedNode, composed, started_nodes
from fer.bringup.preflight import check
from fer.bringup.programs import COMPOSED, container_arguments, default_parameters, environment_of
from fer.processes.shared_memory import remove_abandoned
from fer.processes.supervisor import EXIT_CONFIGURATION, MAX_WAIT_S
from fer_common.core.errors import FerError
from launch import LaunchContext

_HOSTS_OF: Mapping[File, Sequence[Host]] = {
    "bringup": HOSTS,
    "robot": ("robot",),
    "workstation": ("workstation",),
    "replay": HOSTS,
}


def declared(file: File) -> list[DeclareLaunchArgument]:
    """Return the arguments of a launch file.

    Switches can also be True or False, as launch files in Python write them.
    """
    return [
        DeclareLaunchArgument(
            each.name,
            default_value=each.default,
            description=each.description,
            choices=[*each.choices, *(map(str.capitalize, BOOLEANS) if each.is_switch else ())]
            or None,
        )
        for each in arguments_of(file)
    ]


class LaunchSettings:
    """The settings of one launch file, checked before any node starts.

    Nothing is changed for processes of other launch files: each node gets its environment by
    itself. A namespace that was pushed (`PushRosNamespace`) goes before ours. Parameters that were
    set for all nodes (`SetParameter`) win against our defaults, and lose against the arguments.

    Raises
    ------
    RuntimeError
        with one line for the user, if something cannot work. It is the one way to end a launch
        with an exit code that is not 0, and launch prints it without a traceback.
    """

    def __init__(self, context: LaunchContext, file: File) -> None:
        self.given: dict[str, Any] = dict(context.launch_configurations)
        warn = get_logger("fer").warning
        known = {argument.name for argument in arguments_of(file)}
        for argument in ARGUMENTS:
            if argument.name in self.given and argument.name not in known:
                warn(f"argument {argument.name} has no effect in {file}.launch.py")
                del self.given[argument.name]
            elif argument.is_switch and argument.name in self.given:
                self.given[argument.name] = self.given[argument.name].lower()
        pushed = self.given.get("ros_namespace")
        self.given["namespace"] = make_namespace_absolute(
            prefix_namespace(pushed, self.given["namespace"])
        )
        try:
            self.settings = settings_of(self.given, _HOSTS_OF[file], file == "replay")
            self.environment = graph_environment(
                os.environ, self.settings.across, self.settings.peers
            )
            check_environment({**os.environ, **self.environment})
            check(self.settings, warn)
        except FerError as error:
            raise RuntimeError(str(error)) from None
        remove_abandoned()
        self._nodes = {started.node.name: started for started in started_nodes(self.settings)}
        if self.given.get("features") == "false":
            del self._nodes["features"]
        self._composed = composed(self._nodes.values(), self.settings)

    def of(self, name: str) -> dict[str, Any]:
        """Return the settings of a node, for `launch_ros.actions.Node`."""
        started = self._nodes.get(name)
        if started is None or started in self._composed:
            return {"condition": IfCondition("false")}
        return {
            "exec_name": name,
            "parameters": [
                each for each in (self.settings.params_file, dict(started.parameters)) if each
            ],
            "remappings": list(started.remappings),
            "arguments": [
                *default_parameters(self.settings),
                *("--ros-args", "--log-level", self.settings.log_level),
            ],
            **self._process([started]),
        }

    def container(self) -> dict[str, Any]:
        """Return the settings of the process of several nodes, for `launch_ros.actions.Node`."""
        if not self._composed:
            return {"condition": IfCondition("false")}
        return {
            "exec_name": COMPOSED,
            "arguments": container_arguments(self._composed, self.settings),
            **self._process(self._composed),
        }

    def _process(self, started: Sequence[StartedNode]) -> dict[str, Any]:
        own = environment_of(started, {**os.environ, **self.environment})
        return {
            "namespace": self.given["namespace"],
            "output": "screen",
            "respawn": self.given.get("respawn") == "true",
            "respawn_delay": MAX_WAIT_S,
            "additional_env": {**self.environment, **own},
            "on_exit": end_on_refusal,
        }


def end_on_refusal(event: ProcessExited, context: LaunchContext) -> None:
    """End everything when a node refuses its settings, because a restart would not help."""
    remove_abandoned()
    if event.returncode == EXIT_CONFIGURATION and not context.is_shutdown:
        # An exception, because after a shutdown event the exit code of `ros2 launch` would be 0.
        raise RuntimeError(f"{event.process_name} cannot start: see its error above")
