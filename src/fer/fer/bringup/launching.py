"""What the launch files share: arguments, and the nodes of the graph as launch actions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch_ros.actions import Node

from fer.bringup.environment import graph_environment, whole_image_environment
from fer.bringup.graph import (
    HOSTS,
    IMAGE_TOPIC,
    LOG_LEVELS,
    NAMESPACE,
    SPLITS,
    Host,
    Settings,
    Split,
    StartedNode,
    absolute,
    started_nodes,
)
from fer.bringup.installed import config_folder, default_parameter_file
from fer.bringup.preflight import check, resolved_source, resolved_weights
from fer.processes.shared_memory import remove_abandoned
from fer.processes.supervisor import EXIT_CONFIGURATION, MAX_WAIT_S
from fer_common.core.errors import FerError
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

#: What an argument that is on or off can be.
BOOLEANS = ("true", "false")


def arguments(hosts: tuple[Host, ...]) -> list[DeclareLaunchArgument]:
    """Declare the arguments that matter for nodes on these hosts."""
    declared = [
        DeclareLaunchArgument(
            "namespace", default_value=NAMESPACE, description="Namespace of all nodes."
        ),
        DeclareLaunchArgument(
            "use_sim_time",
            default_value="false",
            choices=BOOLEANS,
            description="Take the time from /clock, for bags that are played with --clock.",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value="",
            description="Parameter file for all nodes; empty: config/fer.yaml of this package.",
        ),
        DeclareLaunchArgument(
            "image_topic",
            default_value=IMAGE_TOPIC,
            description="Where the pictures come from, absolute or below the namespace: "
            "set it to another driver's topic together with camera:=false.",
        ),
        DeclareLaunchArgument(
            "respawn",
            default_value="false",
            choices=BOOLEANS,
            description="Start a node again when it dies.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=LOG_LEVELS,
            description="Least severe messages that are logged.",
        ),
    ]
    if len(hosts) < len(HOSTS):
        declared += [
            DeclareLaunchArgument(
                "split",
                default_value="features",
                choices=SPLITS,
                description="The last node on the robot. The same on both hosts.",
            ),
            DeclareLaunchArgument(
                "peers",
                default_value="",
                description="Other hosts, separated by semicolons. Needed where the network has "
                "no multicast.",
            ),
        ]
    if "robot" in hosts:
        declared += [
            DeclareLaunchArgument(
                "source",
                default_value="",
                description="What the camera node plays: /dev/video0 or an index, a video file, "
                "a folder of pictures, or demo; empty: as in the parameter file.",
            ),
            DeclareLaunchArgument(
                "camera",
                default_value="true",
                choices=BOOLEANS,
                description="Start our camera node; false: another driver publishes pictures.",
            ),
        ]
    if "workstation" in hosts:
        declared += [
            DeclareLaunchArgument(
                "weights",
                default_value="",
                description="Weights file of the network, as made by `fer train`; "
                "empty: as in the parameter file.",
            ),
            DeclareLaunchArgument(
                "viz",
                default_value="true",
                choices=BOOLEANS,
                description="Start the node that draws the overlay.",
            ),
        ]
    return declared


def describe(*hosts: Host) -> LaunchDescription:
    """Return the launch description of the nodes that run on these hosts."""
    return LaunchDescription([*arguments(hosts), OpaqueFunction(function=_bring_up, args=[hosts])])


def _bring_up(context: LaunchContext, hosts: tuple[Host, ...]) -> list[LaunchDescriptionEntity]:
    given = context.launch_configurations
    try:
        settings = Settings(
            namespace=given["namespace"],
            hosts=hosts,
            split=cast(Split, given.get("split", "features")),
            source=resolved_source(given.get("source", "")),
            params_file=Path(given["params_file"]).absolute() if given["params_file"] else None,
            weights=resolved_weights(given.get("weights", "")),
            camera=given.get("camera", "true") == "true",
            viz=given.get("viz", "true") == "true",
            image_topic=given["image_topic"],
            use_sim_time=given["use_sim_time"] == "true",
            log_level=given["log_level"],
        )
        check(settings)
    except FerError as error:
        # The one way to end a launch with an exit code that is not 0, and it shows a line without a
        # traceback.
        raise RuntimeError(str(error)) from None
    remove_abandoned()
    respawn = given["respawn"] == "true"
    peers = [peer for peer in given.get("peers", "").split(";") if peer]
    environment = graph_environment(os.environ, config_folder(), settings.across, peers)
    return [
        *(SetEnvironmentVariable(name, value) for name, value in environment.items()),
        RegisterEventHandler(OnProcessExit(on_exit=end_on_refusal)),
        *(
            node_action(started, settings, respawn, {**os.environ, **environment})
            for started in started_nodes(settings)
        ),
    ]


def node_action(
    started: StartedNode, settings: Settings, respawn: bool, environment: Mapping[str, str]
) -> Node:
    """Return the action that starts a node in an environment that is set already."""
    whole_images = started.whole_images
    differing = whole_image_environment(environment, config_folder()) if whole_images else {}
    return Node(
        package=started.node.package,
        executable=started.node.executable,
        name=started.node.name,
        exec_name=started.node.name,
        namespace=absolute(settings.namespace),
        parameters=[
            str(settings.params_file or default_parameter_file()),
            dict(started.parameters),
        ],
        remappings=list(started.remappings),
        arguments=["--ros-args", "--log-level", settings.log_level],
        output="screen",
        respawn=respawn,
        respawn_delay=MAX_WAIT_S,
        additional_env=differing,
    )


def end_on_refusal(event: ProcessExited, context: LaunchContext) -> None:
    """End everything when a node refuses what it was given: starting it again would not help."""
    remove_abandoned()
    if event.returncode == EXIT_CONFIGURATION and not context.is_shutdown:
        # An exception, because after a shutdown event the exit code of `ros2 launch` would be 0.
        raise RuntimeError(
            f"{event.process_name} cannot work with what it was given: see its error above"
        )
