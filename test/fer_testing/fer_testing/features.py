"""Fixtures for tests of the features node: the node as a process, and a camera for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from numpy.typing import NDArray
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from fer_common.core import images
from fer_common.ros import qos
from fer_interfaces.msg import FaceFeaturesArray
from fer_testing.ros import Graph, wait_for

Process = subprocess.Popen[str]


def image_message(picture: NDArray[np.uint8], stamp_ns: int, encoding: str = "bgr8") -> Image:
    """Return a picture as the message of a camera."""
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.header.frame_id = "camera_optical"
    images.fill(message, picture, encoding)
    return message


class FeaturesRig:
    """A features node as a process, and a camera that sends pictures and waits for the features."""

    def __init__(
        self,
        graph: Graph,
        *arguments: str,
        kind: type[Any] = Image,
        topic: str = "image_raw",
        profile: QoSProfile = qos.STREAM,
    ) -> None:
        self.graph = graph
        self.answers: list[FaceFeaturesArray] = []
        self._listener = graph.node.create_subscription(
            FaceFeaturesArray, "features", self.answers.append, qos.EVERY_FRAME
        )
        self._camera = graph.node.create_publisher(kind, topic, profile)
        self.process: Process = graph.start("fer_features.ros.node", *arguments)
        graph.wait_until_heard("features")

    def wait_for_subscription(self) -> None:
        """Wait until the camera has discovered the node."""
        wait_for(lambda: self.cameras_audience() == 1, "the node's subscription")

    def cameras_audience(self) -> int:
        """Return how many subscribers the camera has."""
        count: int = self._camera.get_subscription_count()
        return count

    def stop_listening(self) -> None:
        """Unsubscribe from the features."""
        self.graph.node.destroy_subscription(self._listener)

    def send(self, message: object) -> None:
        """Publish a picture."""
        self.wait_for_subscription()
        self._camera.publish(message)

    def ask(self, message: object) -> FaceFeaturesArray:
        """Publish a picture and return its features."""
        before = len(self.answers)
        self.send(message)
        wait_for(lambda: len(self.answers) > before, "features")
        return self.answers[-1]

    def wait_for_status(
        self, condition: Callable[[DiagnosticStatus], object], what: str
    ) -> DiagnosticStatus:
        """Wait for a diagnostics status of the node and return it."""
        return self.graph.wait_for_status("/features", condition, what)

    def set(self, **values: object) -> tuple[bool, str]:
        """Set parameters as one batch; return whether they were accepted, and the reason."""
        return self.graph.set_parameters("features", values)

    def transition(self, number: int) -> bool:
        """Request a lifecycle transition; return whether it succeeded."""
        return self.graph.change_state("features", number)
