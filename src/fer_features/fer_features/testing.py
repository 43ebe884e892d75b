"""Fixtures for tests of the features node: a camera of the test's, and the node as a process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from numpy.typing import NDArray
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from fer_common import images, qos
from fer_common.testing import Graph, wait_for
from fer_interfaces.msg import FaceFeaturesArray

Process = subprocess.Popen[str]


def image_message(picture: NDArray[np.uint8], stamp_ns: int, encoding: str = "bgr8") -> Image:
    """Return a picture as a camera sends it."""
    message = Image()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.header.frame_id = "camera_optical"
    images.fill(message, picture, encoding)
    return message


class Rig:
    """A features node as a process, and a camera that sends it pictures and waits for answers."""

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
        graph.node.create_subscription(
            FaceFeaturesArray, "features", self.answers.append, qos.EVERY_FRAME
        )
        self._camera = graph.node.create_publisher(kind, topic, profile)
        self.process: Process = graph.start("fer_features.node", *arguments)
        graph.wait_until_heard("features")

    def wait_for_subscription(self) -> None:
        """Wait until the camera knows of the node."""
        wait_for(lambda: self._camera.get_subscription_count() == 1, "the node's subscription")

    def send(self, message: object) -> None:
        """Publish a picture."""
        self.wait_for_subscription()
        self._camera.publish(message)

    def ask(self, message: object) -> FaceFeaturesArray:
        """Publish a picture and return the answer to it."""
        before = len(self.answers)
        self.send(message)
        wait_for(lambda: len(self.answers) > before, "features")
        return self.answers[-1]

    def wait_for_status(
        self, condition: Callable[[DiagnosticStatus], object], what: str
    ) -> DiagnosticStatus:
        """Wait for a report of the node and return it."""
        met: list[DiagnosticStatus] = []

        def look() -> bool:
            statuses = [s for array in self.graph.diagnostics for s in array.status]
            met[:] = [s for s in statuses if s.name == "/features" and condition(s)]
            return bool(met)

        wait_for(look, what)
        return met[-1]

    def set(self, **values: object) -> tuple[bool, str]:
        """Set parameters (`__` for a dot); return whether they were taken, and why not."""
        parameters = [
            Parameter(name.replace("__", "."), value=value).to_parameter_msg()
            for name, value in values.items()
        ]
        request = SetParametersAtomically.Request(parameters=parameters)
        result = self.graph.call(
            SetParametersAtomically, "features/set_parameters_atomically", request
        ).result
        return result.successful, result.reason

    def transition(self, number: int) -> bool:
        """Ask for a change of the lifecycle; return whether it was made."""
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(self.graph.call(ChangeState, "features/change_state", request).success)


def facts(status: DiagnosticStatus) -> dict[str, str]:
    """Return the figures of a report by name."""
    return {pair.key: pair.value for pair in status.values}
