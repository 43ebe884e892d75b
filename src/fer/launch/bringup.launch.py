"""Starts the whole graph on one machine: camera, features, snn and viz."""

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
            DeclareLaunchArgument("weights", **declaration("weights")),
            DeclareLaunchArgument("viz", **declaration("viz")),
            DeclareLaunchArgument("web", **declaration("web")),
            DeclareLaunchArgument("use_sim_time", **declaration("use_sim_time")),
            DeclareLaunchArgument("respawn", **declaration("respawn")),
            DeclareLaunchArgument("use_composition", **declaration("use_composition")),
            DeclareLaunchArgument("log_level", **declaration("log_level")),
            OpaqueFunction(function=start),
        ]
    )


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
