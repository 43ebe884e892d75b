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
def clip(width: int = VGA[0], height: int = VGA[1]) -> tuple[Picture, ...]:
    """Return the first second of the demo clip, enlarged to cover a size and cut to it."""
    capture = cv2.VideoCapture(str(demo_path()))
    frames: list[Picture] = []
    for _ in range(_FRAMES):
        there, frame = capture.read()
        if not there:
            raise FerError(f"the demo clip ends after {len(frames)} frames: build fer_camera again")
        factor = max(width / frame.shape[1], height / frame.shape[0])
        size = (round(frame.shape[1] * factor), round(frame.shape[0] * factor))
        cut = cv2.resize(frame, size)[:height, :width]
        frames.append(np.ascontiguousarray(cut, dtype=np.uint8))
    capture.release()
    return tuple(frames)


def crowd(columns: int, rows: int) -> Picture:
    """Return a VGA picture with columns x rows faces, all the same."""
    frame = clip()[0]
    size = (frame.shape[1] // columns, frame.shape[0] // rows)
    x, y, w, h = observe(frame).roi
    # As much of the frame around the face as has the shape of a tile.
    tall = min(1.5 * max(h, w * size[1] / size[0]), frame.shape[0])
    wide = min(tall * size[0] / size[1], frame.shape[1])
    left = int(np.clip(x + w / 2 - wide / 2, 0, frame.shape[1] - wide))
    top = int(np.clip(y + h / 2 - tall / 2, 0, frame.shape[0] - tall))
    tile = cv2.resize(frame[top : top + int(tall), left : left + int(wide)], size)
    return np.asarray(np.tile(tile, (rows, columns, 1)), np.uint8)


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
