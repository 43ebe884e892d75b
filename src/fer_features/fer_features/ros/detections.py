"""Faces as `vision_msgs/Detection2DArray`, for tools that take any kind of detection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from fer_common.ros.messages import optional_messages
from fer_common.ros.node import FerNode, subscription_count
from fer_features.core.pipeline import FaceObservation

PARAMETER = "publish_detections"
CLASS_ID = "face"


class DetectionPublisher:
    """Publishes the topic `detections`.

    Raises
    ------
    ConfigurationError
        if vision_msgs is not installed.
    """

    def __init__(self, node: FerNode, profile: QoSProfile) -> None:
        self._messages = optional_messages("vision_msgs", PARAMETER)
        self._node = node
        self._publisher = node.add_publisher(self._messages.Detection2DArray, "detections", profile)

    @property
    def subscriptions(self) -> int:
        """Number of subscriptions."""
        return subscription_count(self._publisher)

    def close(self) -> None:
        """Destroy the publisher."""
        self._node.destroy_publisher(self._publisher)

    def publish(self, header: Header, faces: Sequence[FaceObservation]) -> None:
        """Publish the faces that were detected in an image, without the predicted ones."""
        detected = [face for face in faces if not math.isnan(face.score)]
        detections = [self._detection(header, face) for face in detected]
        message = self._messages.Detection2DArray(header=header, detections=detections)
        self._publisher.publish(message)

    def _detection(self, header: Header, face: FaceObservation) -> Any:
        message = self._messages.Detection2D(header=header, id=str(face.id))
        box, roi = message.bbox, face.roi
        box.center.position.x = roi.x + roi.width / 2
        box.center.position.y = roi.y + roi.height / 2
        box.size_x, box.size_y = float(roi.width), float(roi.height)
        result = self._messages.ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = CLASS_ID, face.score
        message.results = [result]
        return message
