"""Pictures, faces and messages for the benchmarks, all from the demo clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fer_camera.core.sources import demo_path
from fer_common.core import images
from fer_common.core.errors import FerError
from fer_features.core.detector import LEFT_EYE, RIGHT_EYE
from fer_features.core.pipeline import FaceObservation, FeaturePipeline
from fer_snn.core.model import Model
from fer_snn.core.weights import weights_file
from fer_snn.core.weights.weights_folder import default_path

Picture = NDArray[np.uint8]

VGA = (640, 480)
PERIOD_NS = 33_333_333
_FRAMES = 30


@cache
def clip() -> tuple[Picture, ...]:
    """Return the first second of the demo clip."""
    capture = cv2.VideoCapture(str(demo_path()))
    frames: list[Picture] = []
    while len(frames) < _FRAMES:
        there, frame = capture.read()
        if not there:
            raise FerError(f"the demo clip ends after {len(frames)} frames: build fer_camera again")
        frames.append(np.asarray(frame, np.uint8))
    capture.release()
    return tuple(frames)


def observe(frame: Picture) -> FaceObservation:
    """Return the face of a frame of the clip."""
    faces = FeaturePipeline().process(frame, 0)
    if not faces:
        raise FerError("the detector finds no face in the demo clip: run its tests")
    return faces[0]


def eyes_px(face: FaceObservation) -> NDArray[np.float64]:
    """Return the eyes (2, 2) of an observed face."""
    return face.landmarks_px[[RIGHT_EYE, LEFT_EYE]]


@dataclass
class Stamps:
    """Stamps of a 30 Hz stream."""

    now_ns: int = 1_000_000_000

    def next(self) -> Header:
        """Return the header of the next frame."""
        self.now_ns += PERIOD_NS
        sec, nanosec = divmod(self.now_ns, 1_000_000_000)
        return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id="camera")


@cache
def model() -> Model:
    """Return the model that fer comes with."""
    return weights_file.load(default_path())


def image_message(frame: Picture) -> Image:
    """Return a frame as the camera publishes it."""
    message = Image(header=Stamps().next())
    images.fill(message, frame, "bgr8")
    return message
