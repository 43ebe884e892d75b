"""A launch file of your own: fer on another driver's camera, and a node that uses its answers.

ros2 launch examples/my_robot.launch.py
"""

import sys
from pathlib import Path

from launch.actions import ExecuteProcess, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Start features and snn of fer, and a robot's face."""
    here = Path(__file__).parent
    bringup = [FindPackageShare("fer"), "/launch/bringup.launch.py"]
    arguments = {
        "camera": "false",
        "image_topic": "/my_camera/image",
        "viz": "false",
        "params_file": str(here / "my_robot.yaml"),
    }
    remapped = ["--ros-args", "-r", "face:=/robot/face"]
    return LaunchDescription(
        [
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(bringup), launch_arguments=arguments.items()
            ),
            ExecuteProcess(cmd=[sys.executable, str(here / "robot_face.py"), *remapped]),
        ]
    )
