"""Plays a bag through features, snn and viz, which work on every frame: bag:=FOLDER."""

from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch_ros.actions import Node

from fer.bringup.arguments import declaration
from fer.bringup.launching import LaunchSettings
from fer.bringup.replaying import player
from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, which `--show-args` lists, and start the nodes."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("bag", **declaration("bag")),
            DeclareLaunchArgument("features", **declaration("features")),
            DeclareLaunchArgument("rate", **declaration("rate")),
            DeclareLaunchArgument("start", **declaration("start")),
            DeclareLaunchArgument("loop", **declaration("loop")),
            DeclareLaunchArgument("player", **declaration("player")),
            DeclareLaunchArgument("namespace", **declaration("namespace")),
            DeclareLaunchArgument("params_file", **declaration("params_file")),
            DeclareLaunchArgument("image_topic", **declaration("image_topic")),
            DeclareLaunchArgument("compressed", **declaration("compressed")),
            DeclareLaunchArgument("weights", **declaration("weights")),
            DeclareLaunchArgument("viz", **declaration("viz")),
            DeclareLaunchArgument("web", **declaration("web")),
            DeclareLaunchArgument("use_sim_time", **declaration("use_sim_time")),
            DeclareLaunchArgument("use_composition", **declaration("use_composition")),
            DeclareLaunchArgument("log_level", **declaration("log_level")),
            OpaqueFunction(function=start),
        ]
    )


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
