"""Starts the robot's part of the graph: camera and, unless split:=camera, features."""

from launch.actions import OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.launching import LaunchSettings, declared
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription([*declared("robot"), OpaqueFunction(function=start)])


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Check the arguments, and return the nodes."""
    settings = LaunchSettings(context, "robot")
    return [
        Node(package="fer_camera", executable="node", name="camera", **settings.of("camera")),
        Node(package="fer_features", executable="node", name="features", **settings.of("features")),
        Node(package="fer_common", executable="container", **settings.container()),
    ]
