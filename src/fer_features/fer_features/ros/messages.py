"""Observations as messages."""

from __future__ import annotations

import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, RegionOfInterest
from std_msgs.msg import Header

from fer_common.core import images
from fer_features.core.pipeline import FaceObservation, FeatureParameters
from fer_interfaces.msg import FaceFeatures, FaceFeaturesArray


def features_message(
    header: Header,
    image_size: tuple[int, int],
    parameters: FeatureParameters,
    faces: Sequence[FaceObservation],
    skipped: int,
) -> FaceFeaturesArray:
    """Return the faces of an image of `image_size` (width, height), with the image's own header."""
    channels, rows, cols = parameters.gabor.shape
    return FaceFeaturesArray(
        header=header,
        image_width=image_size[0],
        image_height=image_size[1],
        feature_spec=parameters.feature_spec,
        channels=channels,
        rows=rows,
        cols=cols,
        skipped=skipped,
        faces=[_face_message(face) for face in faces],
    )


def crop_message(header: Header, face: FaceObservation) -> Image:
    """Return the crop of a face, mono8, with the image's own header."""
    if face.crop is None:
        raise ValueError(f"face {face.id} has no crop")
    message = Image(header=header)
    images.fill(message, face.crop, "mono8")
    return message


def _face_message(face: FaceObservation) -> FaceFeatures:
    roi = RegionOfInterest(
        x_offset=face.roi.x, y_offset=face.roi.y, width=face.roi.width, height=face.roi.height
    )
    message = FaceFeatures(id=face.id, roi=roi, detection_score=face.score, roll=face.roll_rad)
    message.landmarks_px = _floats(face.landmarks_px)
    if face.features is not None:
        message.features = _floats(face.features)
    return message


def _floats(values: NDArray[np.floating]) -> array.array[float]:
    # rclpy accepts an array.array unchecked; it checks anything else item by item.
    return array.array("f", values.astype("f4").tobytes())
