"""Starts the other part of the graph: snn, viz and, if split:=camera, features."""

from launch.actions import OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.launching import LaunchSettings, declared
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription([*declared("workstation"), OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Check the arguments, and return the nodes."""
    settings = LaunchSettings(context, "workstation")
    return [
        Node(package="fer_features", executable="node", name="features", **settings.of("features")),
        Node(package="fer_snn", executable="node", name="snn", **settings.of("snn")),
        Node(package="fer_viz", executable="node", name="viz", **settings.of("viz")),
        Node(package="fer_common", executable="container", **settings.container()),
    ]
