"""The topics of a face detector in REP-155 (ROS4HRI): tracked faces, their regions and images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_common.core import images, ros4hri, stamps
from fer_common.ros import qos
from fer_common.ros.face_topics import FaceTopics
from fer_common.ros.messages import optional_messages
from fer_common.ros.node import FerNode, subscription_count
from fer_features.core.pipeline import FaceObservation, RegionOfInterest

ROI, CROPPED = "roi", "cropped"


def fitted(
    picture: NDArray[np.uint8], roi: RegionOfInterest, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return a region of a picture (h, w, 3), scaled to fit and centred on black.

    Parameters
    ----------
    roi : not empty.
    size : width and height of the result.
    """
    width, height = size
    part = picture[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width]
    scale = min(width / roi.width, height / roi.height)
    inner = (max(round(roi.width * scale), 1), max(round(roi.height * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    result = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    result[y : y + inner[1], x : x + inner[0]] = cv2.resize(part, inner, interpolation=method)
    return result


def normalised(roi: RegionOfInterest, width: int, height: int) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a region, 0..1, in a picture of the given size."""
    right, bottom = (roi.x + roi.width) / width, (roi.y + roi.height) / height
    return roi.x / width, roi.y / height, right, bottom


class FacePublisher:
    """Publishes `/humans/faces/tracked`, and `roi` and `cropped` of every face.

    Raises
    ------
    ConfigurationError
        if hri_msgs is not installed.
    """

    def __init__(self, node: FerNode) -> None:
        self._messages = optional_messages(ros4hri.PACKAGE, ros4hri.PARAMETER)
        self._node = node
        self._tracked = node.add_publisher(
            self._messages.IdsList, f"{ros4hri.FACES}/tracked", qos.RESULT
        )
        kinds = {ROI: self._messages.NormalizedRegionOfInterest2D, CROPPED: Image}
        self._topics = FaceTopics(node, kinds, self._departure_s())

    def close(self) -> None:
        """Destroy all publishers."""
        self._topics.close()
        self._node.destroy_publisher(self._tracked)

    def publish(
        self, header: Header, picture: NDArray[np.uint8], faces: Sequence[FaceObservation]
    ) -> None:
        """Publish all present faces, with region and image of those detected in this picture."""
        topics = self._topics
        topics.roster.departure_s = self._departure_s()
        topics.update(stamps.to_ns(header.stamp), [face.id for face in faces])
        names = [topics.name(face) for face in topics.roster.present]
        self._tracked.publish(self._messages.IdsList(header=header, ids=names))
        for face in faces:
            if math.isnan(face.score) or not (face.roi.width and face.roi.height):
                continue
            publishers = topics.of(face.id)
            publishers[ROI].publish(self._region(header, picture, face))
            if subscription_count(publishers[CROPPED]):
                publishers[CROPPED].publish(self._cropped(header, picture, face))

    def _departure_s(self) -> float:
        timeout_s = self._node.values["tracker.timeout"]
        assert isinstance(timeout_s, float)
        return timeout_s

    def _region(self, header: Header, picture: NDArray[np.uint8], face: FaceObservation) -> Any:
        height, width = picture.shape[:2]
        left, top, right, bottom = normalised(face.roi, width, height)
        return self._messages.NormalizedRegionOfInterest2D(
            header=header, xmin=left, ymin=top, xmax=right, ymax=bottom, c=face.score
        )

    def _cropped(self, header: Header, picture: NDArray[np.uint8], face: FaceObservation) -> Image:
        width, height = self._node.values["hri.width"], self._node.values["hri.height"]
        assert isinstance(width, int) and isinstance(height, int)
        message = Image(header=header)
        images.fill(message, fitted(picture, face.roi, (width, height)), "bgr8")
        return message
