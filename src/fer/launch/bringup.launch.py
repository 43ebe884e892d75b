"""Starts the whole graph on one machine: camera, features, snn and viz."""

from launch.actions import OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.launching import LaunchSettings, declared
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription([*declared("bringup"), OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Check the arguments, and return the nodes."""
    settings = LaunchSettings(context, "bringup")
    return [
        Node(package="fer_camera", executable="node", name="camera", **settings.of("camera")),
        Node(package="fer_features", executable="node", name="features", **settings.of("features")),
        Node(package="fer_snn", executable="node", name="snn", **settings.of("snn")),
        Node(package="fer_viz", executable="node", name="viz", **settings.of("viz")),
        Node(package="fer_common", executable="container", **settings.container()),
    ]
