"""Plays a bag through features, snn and viz, which work on every frame: bag:=FOLDER."""

from fer.bringup.replaying import describe_replay
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the nodes and the player, with the arguments that `--show-args` lists."""
    return describe_replay()
