"""Brings up the whole graph on one machine: camera, features, snn and viz."""

from fer.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return all nodes, with the arguments that `--show-args` lists."""
    return describe("robot", "workstation")
