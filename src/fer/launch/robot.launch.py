"""Brings up the nodes beside the camera: camera and features. See workstation.launch.py."""

from fer.bringup.launching import describe
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the nodes of the robot, with the arguments that `--show-args` lists."""
    return describe("robot")
