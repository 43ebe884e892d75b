"""Plays a bag through features, snn and viz, which work on every frame: bag:=FOLDER."""

from launch.actions import ExecuteProcess, OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.launching import LaunchSettings, declared
from fer.bringup.replaying import player
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription([*declared("replay"), OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Check the arguments, and return the nodes."""
    settings = LaunchSettings(context, "replay")
    return [
        Node(package="fer_features", executable="node", name="features", **settings.of("features")),
        Node(package="fer_snn", executable="node", name="snn", **settings.of("snn")),
        Node(package="fer_viz", executable="node", name="viz", **settings.of("viz")),
        Node(package="fer_common", executable="container", **settings.container()),
        ExecuteProcess(**player(settings)),
    ]
