"""Drives a robot's face: publishes a command (std_msgs/String) when an expression has lasted.

./fer exec python3 examples/robot_face.py --ros-args -p hold:=0.3 -r face:=/robot/face
"""

from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import String

from fer_interfaces.msg import ExpressionArray

COMMANDS = {"smile": "smile", "surprised": "raise_brows", "sad": "comfort"}


class RobotFace(Node):
    """Answers the expression of the largest face."""

    def __init__(self) -> None:
        super().__init__("robot_face")
        self.hold_s = self.declare_parameter("hold", 0.3).value
        self.label, self.since_s, self.sent = "", 0.0, ""
        self.commands = self.create_publisher(String, "face", 10)
        self.create_subscription(ExpressionArray, "/fer/expressions", self.on_faces, 10)

    def on_faces(self, message: ExpressionArray) -> None:
        """Send the command of a label that has lasted; time is that of the pictures."""
        now_s = Time.from_msg(message.header.stamp).nanoseconds / 1e9
        largest = max(message.expressions, key=lambda f: f.roi.width * f.roi.height, default=None)
        label = largest.label if largest else ""
        if label != self.label:
            self.label, self.since_s = label, now_s
        command = COMMANDS.get(label, "rest")
        if now_s - self.since_s >= self.hold_s and command != self.sent:
            self.sent = command
            self.commands.publish(String(data=command))


rclpy.init()
with suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(RobotFace())
