"""What `replay.launch.py` starts: nodes that work on every frame, and a player that they pace."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import sys
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited

from fer.bringup.environment import graph_environment
from fer.bringup.graph import Settings, absolute, started_nodes
from fer.bringup.installed import config_folder
from fer.bringup.launching import BOOLEANS, arguments, end_on_refusal, node_action
from fer.bringup.preflight import check, resolved_weights
from fer_common.core.errors import ConfigurationError, FerError
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

#: How long `fer bag play` waits for the nodes, and how many frames it lets be on their way.
_WAIT_S, _WINDOW = 60, 4
#: What `ros2 bag play`, which knows nothing of the graph, shall play: what the nodes do not make.
_INPUTS = ("camera_info", "frame_info")
_PLAYERS = ("auto", "fer", "ros2")


def describe_replay() -> LaunchDescription:
    """Return the launch description of a replay."""
    # A node that came back would have forgotten its state.
    shared = [each for each in arguments(("workstation",)) if each.name != "respawn"]
    return LaunchDescription([*shared, *_own_arguments(), OpaqueFunction(function=_bring_up)])


def _own_arguments() -> list[DeclareLaunchArgument]:
    return [
        DeclareLaunchArgument("bag", description="The bag to play: a folder, or a file in it."),
        DeclareLaunchArgument(
            "features",
            default_value="true",
            choices=BOOLEANS,
            description="Find faces anew in the pictures; false: take the recorded features.",
        ),
        DeclareLaunchArgument(
            "rate", default_value="1.0", description="Seconds of the bag per second."
        ),
        DeclareLaunchArgument(
            "start", default_value="0.0", description="Seconds to leave out at the beginning."
        ),
        DeclareLaunchArgument(
            "loop",
            default_value="false",
            choices=BOOLEANS,
            description="Begin again at the end; false: end everything with the bag.",
        ),
        DeclareLaunchArgument(
            "player",
            default_value="auto",
            choices=_PLAYERS,
            description="fer: `fer bag play`, which waits for the nodes. ros2: `ros2 bag play`, "
            "which plays at the rate. auto: fer where its libraries are installed.",
        ),
    ]


def _bring_up(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    given = context.launch_configurations
    try:
        settings = Settings(
            namespace=given["namespace"],
            hosts=("robot", "workstation"),
            params_file=Path(given["params_file"]).absolute() if given["params_file"] else None,
            weights=resolved_weights(given["weights"]),
            camera=False,
            viz=given["viz"] == "true",
            image_topic=given["image_topic"],
            use_sim_time=given["use_sim_time"] == "true",
            every_frame=True,
            log_level=given["log_level"],
        )
        check(settings)
        command = _player(given, settings)
    except FerError as error:
        raise RuntimeError(str(error)) from None
    environment = graph_environment(os.environ, config_folder())
    with_features = given["features"] == "true"
    nodes = [
        node_action(started, settings, respawn=False, environment=environment)
        for started in started_nodes(settings)
        if with_features or started.node.name != "features"
    ]
    player = ExecuteProcess(cmd=command, name="player", output="screen")
    return [
        *(SetEnvironmentVariable(name, value) for name, value in environment.items()),
        RegisterEventHandler(OnProcessExit(on_exit=end_on_refusal)),
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=_on_end)),
        *nodes,
        player,
    ]


def _on_end(event: ProcessExited, context: LaunchContext) -> EmitEvent | None:
    if event.returncode and not context.is_shutdown:
        raise RuntimeError("the bag was not played: see the error above")
    return EmitEvent(event=Shutdown(reason="the bag is over"))


def _player(given: dict[str, str], settings: Settings) -> list[str]:
    bag = Path(given["bag"]).expanduser().absolute()
    if not bag.exists():
        raise ConfigurationError(f"there is no bag {bag}: name a folder that was recorded")
    rate, start = _number(given, "rate"), _number(given, "start")
    if not rate > 0:
        raise ConfigurationError("rate is 0: give a number above 0")
    options = ["--rate", f"{rate:g}", *(["--loop"] if given["loop"] == "true" else [])]
    if settings.use_sim_time:
        options += ["--clock", "40"]
    if _plays_by_ros2(given["player"]):
        options += ["--start-offset", f"{start:g}"]
        return _by_ros2(str(bag), options, settings, given["features"] == "true")
    own = ["--namespace", settings.namespace, "--wait", str(_WAIT_S), "--window", str(_WINDOW)]
    own += ["--expect", *(["features"] if given["features"] == "true" else []), "snn"]
    return [
        *(sys.executable, "-m", "fer.cli", "bag", "play", str(bag)),
        *(*options, "--start", f"{start:g}", *own),
    ]


def _plays_by_ros2(player: str) -> bool:
    if player == "auto":
        return any(importlib.util.find_spec(name) is None for name in ("mcap", "rosbags"))
    return player == "ros2"


def _by_ros2(bag: str, options: list[str], settings: Settings, features: bool) -> list[str]:
    prefix = absolute(settings.namespace).rstrip("/")
    image = settings.image_topic
    image = image if image.startswith("/") else f"{prefix}/{image}"
    topics = [image, *(f"{prefix}/{name}" for name in _INPUTS)]
    if not features:
        topics.append(f"{prefix}/features")
    return [shutil.which("ros2") or "ros2", "bag", "play", bag, *options, "--topics", *topics]


def _number(given: dict[str, str], name: str) -> float:
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigurationError(f"{name} is '{given[name]}': give a number of 0 or more")
    return value
