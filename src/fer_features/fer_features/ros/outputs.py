"""The topics of the features node. Optional messages are only built for subscribers."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_common.core import ros4hri
from fer_common.core.network_links import CongestionWindow, is_flow_controlled
from fer_common.ros.node import FerNode, all_acknowledged, subscription_count
from fer_features.core.pipeline import FaceObservation, FeatureParameters, largest
from fer_features.ros import detections
from fer_features.ros.detections import DetectionPublisher
from fer_features.ros.messages import crop_message, features_message
from fer_features.ros.ros4hri import FacePublisher
from fer_interfaces.msg import FaceFeaturesArray


class FeatureOutputs:
    """Publishers of the node.

    Raises
    ------
    ConfigurationError
        if a parameter needs messages of a package that is not installed.
    """

    def __init__(self, node: FerNode, profile: QoSProfile) -> None:
        self._node = node
        values = node.values
        self._detections = (
            DetectionPublisher(node, profile) if values[detections.PARAMETER] else None
        )
        self._ros4hri = FacePublisher(node) if values[ros4hri.PARAMETER] else None
        self._features: Publisher[FaceFeaturesArray] = node.add_publisher(
            FaceFeaturesArray, "features", profile
        )
        self._crop: Publisher[Image] = node.add_publisher(Image, "face_crop", profile)
        self._window = CongestionWindow(lambda: all_acknowledged(self._features))

    @property
    def wanted(self) -> bool:
        """Whether anybody subscribes; the topics of ROS4HRI come and go with the faces."""
        detections = self._detections.subscriptions if self._detections else 0
        return bool(self._ros4hri or detections or subscription_count(self._features, self._crop))

    def close(self) -> None:
        """Destroy all publishers."""
        for part in (self._detections, self._ros4hri):
            if part is not None:
                part.close()
        for publisher in (self._features, self._crop):
            self._node.destroy_publisher(publisher)

    def publish(
        self,
        header: Header,
        picture: NDArray[np.uint8],
        parameters: FeatureParameters,
        faces: list[FaceObservation],
        skipped: int,
    ) -> None:
        """Publish the faces of a picture with the picture's own header."""
        size = (picture.shape[1], picture.shape[0])
        if not is_flow_controlled(self._node.values) or self._window.may_send(time.monotonic()):
            skipped += self._window.take_held_back()
            self._features.publish(features_message(header, size, parameters, faces, skipped))
        if self._detections is not None:
            self._detections.publish(header, faces)
        if self._ros4hri is not None:
            self._ros4hri.publish(header, picture, faces)
        if subscription_count(self._crop):
            face = largest([face for face in faces if face.crop is not None])
            if face is not None:
                self._crop.publish(crop_message(header, face))
