"""The snn node as a process, and somebody who sends it features and hears its answers."""

from __future__ import annotations

import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from fer_common.ros import qos
from fer_interfaces.msg import ExpressionArray, FaceFeatures, FaceFeaturesArray
from fer_snn.core.weights import weights_file
from fer_testing.networks import SHAPE, SPEC, small_model, synthetic
from fer_testing.ros import Graph, ros_arguments, wait_for

PERIOD_NS = 33_333_333
FEATURES, _ = synthetic(8, seed=2)


def frame(number: int, *faces: tuple[int, np.ndarray], **changes: Any) -> FaceFeaturesArray:
    """Return the features of a frame."""
    channels, rows, cols = SHAPE
    message = FaceFeaturesArray(feature_spec=SPEC, channels=channels, rows=rows, cols=cols)
    sec, nanosec = divmod(10**10 + number * PERIOD_NS, 10**9)
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    message.header.frame_id = "camera_optical"
    for identity, features in faces:
        face = FaceFeatures(id=identity)
        face.roi.width = face.roi.height = 100
        face.features = array.array("f", np.ascontiguousarray(features, np.float32).tobytes())
        message.faces.append(face)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


class Rig:
    """A snn node with a small network in the domain of a test."""

    def __init__(
        self,
        graph: Graph,
        folder: Path,
        *arguments: str,
        trained: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.graph = graph
        self.folder = folder
        weights_file.save(replace(small_model(), parameters=trained), folder / "small.npz")
        self.answers: list[ExpressionArray] = graph.collect(ExpressionArray, "expressions")
        self._features = graph.node.create_publisher(FaceFeaturesArray, "features", qos.EVERY_FRAME)
        self._number = 0
        given = ros_arguments(weights="small", weights_dir=folder)
        self.process = graph.start("fer_snn.ros.node", *given, *arguments)
        wait_for(lambda: self._features.get_subscription_count() == 1, "the node's subscription")
        graph.wait_until_heard("expressions")

    def send(self, message: FaceFeaturesArray) -> None:
        self._features.publish(message)

    def show(self, *faces: tuple[int, np.ndarray], frames: int = 1) -> ExpressionArray:
        """Send frames one by one and return the answer to the last."""
        for _ in range(frames):
            before = len(self.answers)
            self.send(frame(self._number, *faces))
            self._number += 1
            wait_for(lambda before=before: len(self.answers) > before, "an answer")  # type: ignore[misc]
        return self.answers[-1]

    def set(self, **values: object) -> tuple[bool, str]:
        return self.graph.set_parameters("snn", values)

    def wait_for_status(
        self, condition: Callable[[DiagnosticStatus], object], what: str
    ) -> DiagnosticStatus:
        return self.graph.wait_for_status("/snn", condition, what)
