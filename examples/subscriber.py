"""Prints the expression of each face:  ./fer exec python3 examples/subscriber.py."""

from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from fer_interfaces.msg import ExpressionArray


class Listener(Node):
    """Reacts when the expression of a face changes."""

    def __init__(self) -> None:
        super().__init__("listener")
        self.labels: dict[int, str] = {}
        self.create_subscription(ExpressionArray, "/fer/expressions", self.on_faces, 10)

    def on_faces(self, message: ExpressionArray) -> None:
        """Print the faces whose label has changed."""
        for face in message.expressions:
            if self.labels.get(face.face_id) != face.label:
                self.labels[face.face_id] = face.label
                print(f"face {face.face_id}: {face.label} ({face.confidence:.2f})", flush=True)


rclpy.init()
with suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(Listener())
