"""Brings up the nodes beside the robot: snn and viz. See robot.launch.py."""

from fer.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the nodes of the workstation, with the arguments that `--show-args` lists."""
    return describe("workstation")
