"""Starts the robot's part of the graph: camera and, unless split:=camera, features."""

from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.arguments import declaration
from fer.bringup.launching import LaunchSettings
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("namespace", **declaration("namespace")),
            DeclareLaunchArgument("params_file", **declaration("params_file")),
            DeclareLaunchArgument("source", **declaration("source")),
            DeclareLaunchArgument("camera", **declaration("camera")),
            DeclareLaunchArgument("image_topic", **declaration("image_topic")),
            DeclareLaunchArgument("compressed", **declaration("compressed")),
            DeclareLaunchArgument("split", **declaration("split")),
            DeclareLaunchArgument("peers", **declaration("peers")),
            DeclareLaunchArgument("use_sim_time", **declaration("use_sim_time")),
            DeclareLaunchArgument("respawn", **declaration("respawn")),
            DeclareLaunchArgument("use_composition", **declaration("use_composition")),
            DeclareLaunchArgument("log_level", **declaration("log_level")),
            OpaqueFunction(function=start),
        ]
    )


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Check the arguments, and return the nodes."""
    settings = LaunchSettings(context, "robot")
    return [
        Node(package="fer_camera", executable="node", name="camera", **settings.of("camera")),
        Node(package="fer_features", executable="node", name="features", **settings.of("features")),
        Node(package="fer_common", executable="container", **settings.container()),
    ]
