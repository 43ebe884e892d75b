"""BlazeFace face detector on OpenCV's DNN module.

The network (Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs", 2019, arXiv:1907.05047) is MediaPipe's, under the Apache licence 2.0; see
``models/README.md``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_common.core.errors import ConfigurationError
from fer_features.core.windows import Window

MODELS_FOLDER = Path(__file__).resolve().parent / "models"

RIGHT_EYE, LEFT_EYE, NOSE_TIP, MOUTH, RIGHT_EAR, LEFT_EAR = range(6)
"""Rows of ``Detection.landmarks_px``; right and left are the person's own."""


@dataclass(frozen=True)
class DetectorModel:
    """Layout of one of MediaPipe's SSD face networks.

    Attributes
    ----------
    file_name : name of the ONNX file in ``MODELS_FOLDER``.
    input_px : side of the square input.
    grids : (cells per side, anchors per cell) of every feature map, in output order.
    """

    file_name: str
    input_px: int
    grids: tuple[tuple[int, int], ...] = ((16, 2), (8, 6))


MODELS = {
    "short_range": DetectorModel("blazeface_short_range.onnx", 128),
    "back": DetectorModel("blazeface_back.onnx", 256),
}


@dataclass(frozen=True)
class DetectorParameters:
    """Settings of the detector.

    Attributes
    ----------
    model : key of ``MODELS``.
    score_threshold : smallest score (0..1) of a face.
    overlap_threshold : boxes with a larger intersection over union are the same face (0..1).
    max_faces : number of faces to follow, the largest.
    """

    model: str = "short_range"
    score_threshold: float = 0.5
    overlap_threshold: float = 0.3
    max_faces: int = 8


class Boxed:
    """A face with a box."""

    box_px: NDArray[np.float64]

    @property
    def size_px(self) -> float:
        """Mean of the box's width and height."""
        return size_of(self.box_px)

    @property
    def centre_px(self) -> NDArray[np.float64]:
        """Centre of the box, (2,)."""
        return centre_of(self.box_px)


@dataclass(frozen=True)
class Detection(Boxed):
    """A face in a picture.

    Attributes
    ----------
    box_px : (4,) float64, x and y of the upper left corner, width, height.
    score : 0..1.
    landmarks_px : (6, 2) float64, x and y of both eyes, nose tip, mouth, both ears.
    """

    box_px: NDArray[np.float64]
    score: float
    landmarks_px: NDArray[np.float64]


class ModelError(ConfigurationError):
    """A detector model is missing or cannot be read."""


class FaceDetector:
    """Detects faces with a roll of up to about 45 degrees in a window of a picture.

    It is deterministic, but not thread-safe.

    Raises
    ------
    ModelError : the model is unknown, or its file is missing or unreadable.
    """

    def __init__(self, parameters: DetectorParameters, models_folder: Path = MODELS_FOLDER):
        self.parameters = parameters
        if parameters.model not in MODELS:
            names = ", ".join(sorted(MODELS))
            raise ModelError(f"unknown detector model {parameters.model!r}: choose one of {names}")
        self._model = MODELS[parameters.model]
        self._net = _read_network(models_folder / self._model.file_name)
        self._anchors = anchor_centres(self._model)
        side = self._model.input_px
        self._canvas = np.zeros((side, side, 3), np.uint8)

    @property
    def input_px(self) -> int:
        """Side of the square network input."""
        return self._model.input_px

    def detect(self, image: NDArray[np.uint8], window: Window) -> list[Detection]:
        """Return the faces of ``image`` (h, w, 3 BGR or h, w grey) inside ``window``.

        Faces cut by the edge of the window are left out, unless the picture ends there too. The
        faces are ordered by falling score, in pixels of the whole picture.
        """
        scale, offset = letterbox(image, window, self._canvas)
        blob = cv2.dnn.blobFromImage(
            self._canvas, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True
        )
        self._net.setInput(blob)
        # By name, because the order of the outputs differs between versions of OpenCV.
        regressors, logits = self._net.forward(["regressors", "classificators"])
        raw = regressors.reshape(-1, 16).astype(np.float64)
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1).astype(np.float64), -80, 80)))
        # Exponentials differ in their last bit between processors, and scores weight the positions.
        scores = np.round(scores, 9)

        keep = np.flatnonzero(scores >= self.parameters.score_threshold)
        points = decode(raw[keep], self._anchors[keep], self._model.input_px)
        points = points * scale + offset
        found = weighted_suppression(points, scores[keep], self.parameters.overlap_threshold)
        height, width = image.shape[:2]
        return [face for face in found if window.holds(face.box_px, width, height)]


def _read_network(path: Path) -> cv2.dnn.Net:
    try:
        return cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        problem = "cannot be read" if path.is_file() else "is missing"
        raise ModelError(
            f"the face detector's model {path} {problem}: install fer_features again"
        ) from error


def anchor_centres(model: DetectorModel) -> NDArray[np.float64]:
    """Return the centres of the SSD anchors in output order, (n, 2) x and y in 0..1."""
    layers = []
    for cells, in_a_cell in model.grids:
        row, column = np.divmod(np.arange(cells * cells), cells)
        centres = (np.stack([column, row], axis=1) + 0.5) / cells
        layers.append(np.repeat(centres, in_a_cell, axis=0))
    return np.concatenate(layers)


def letterbox(
    image: NDArray[np.uint8], window: Window, canvas: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scale a square window of a picture into a square canvas (side, side, 3).

    The part outside the picture is black.

    Returns
    -------
    scale, offset : (2,) each, x and y: picture_px = canvas_px * scale + offset.
    """
    height, width = image.shape[:2]
    side = canvas.shape[0]
    x0, y0 = max(window.x, 0), max(window.y, 0)
    x1, y1 = min(window.x + window.side, width), min(window.y + window.side, height)
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"{window} lies outside the picture of {width}x{height}")
    factor = side / window.side
    # Average 2x2 pixels first. Bilinear scaling alone would skip pixels and pass noise; averaging
    # at the final ratio takes three times as long.
    halvings = max(int(np.log2(min(1 / factor, x1 - x0, y1 - y0))), 0)
    x1 -= (x1 - x0) % 2**halvings
    y1 -= (y1 - y0) % 2**halvings
    patch = image[y0:y1, x0:x1]
    for _ in range(halvings):
        half = (patch.shape[1] // 2, patch.shape[0] // 2)
        patch = np.asarray(cv2.resize(patch, half, interpolation=cv2.INTER_AREA), np.uint8)
    left = min(round((x0 - window.x) * factor), side - 1)
    top = min(round((y0 - window.y) * factor), side - 1)
    right = max(round((x1 - window.x) * factor), left + 1)
    bottom = max(round((y1 - window.y) * factor), top + 1)
    patch = np.asarray(cv2.resize(patch, (right - left, bottom - top)), np.uint8)
    canvas[:] = 0
    canvas[top:bottom, left:right] = patch if patch.shape[2:] else patch[:, :, None]
    scale = np.array([(x1 - x0) / (right - left), (y1 - y0) / (bottom - top)])
    return scale, np.array([x0, y0]) - np.array([left, top]) * scale


def decode(
    raw: NDArray[np.float64], anchors: NDArray[np.float64], input_px: int
) -> NDArray[np.float64]:
    """Convert the regressors of the network to points on its input.

    Parameters
    ----------
    raw : (n, 16), offset of the box centre from the anchor, box size, 6 landmark offsets, px.
    anchors : (n, 2), centres in 0..1.

    Returns
    -------
    (n, 8, 2), px: upper left and lower right corner of the box, then the 6 landmarks.
    """
    pairs = raw.reshape(-1, 8, 2)
    origin = anchors[:, None, :] * input_px
    centre, half = pairs[:, :1] + origin, pairs[:, 1:2] / 2
    return np.concatenate([centre - half, centre + half, pairs[:, 2:] + origin], axis=1)


def centre_of(box_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centre (2,) of a box (x, y, w, h)."""
    return box_px[:2] + box_px[2:] / 2


def size_of(box_px: NDArray[np.float64]) -> float:
    """Return the mean of width and height of a box (x, y, w, h)."""
    return float(box_px[2] + box_px[3]) / 2


def shifted(box_px: NDArray[np.float64], shift_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a box (x, y, w, h) moved by (2,) x and y."""
    moved = box_px.copy()
    moved[:2] += shift_px
    return moved


def intersection_over_union(
    box: NDArray[np.float64], boxes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the IoU (n,) of ``box`` (4,) with ``boxes`` (n, 4), all as x, y, width, height."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    wide, tall = np.maximum(high - low, 0).T
    shared = wide * tall
    united = box[2] * box[3] + boxes[:, 2] * boxes[:, 3] - shared
    return np.asarray(shared / np.maximum(united, sys.float_info.min))


def weighted_suppression(
    points: NDArray[np.float64], scores: NDArray[np.float64], overlap_threshold: float
) -> list[Detection]:
    """Average the candidates of each face, weighted by score (BlazeFace, section 3.4).

    Parameters
    ----------
    points : (n, 8, 2), see `decode`.
    scores : (n,).

    Returns
    -------
    Faces by falling score.
    """
    boxes = np.concatenate([points[:, 0], points[:, 1] - points[:, 0]], axis=1)
    waiting = np.argsort(-scores, kind="stable")
    faces = []
    while len(waiting):
        best = waiting[0]
        overlap = intersection_over_union(boxes[best], boxes[waiting])
        same = overlap > overlap_threshold
        same[0] = True
        members = waiting[same]
        weights = scores[members][:, None, None]
        # Faster than `np.average`.
        mean = (points[members] * weights).sum(axis=0) / weights.sum(axis=0)
        box = np.concatenate([mean[0], mean[1] - mean[0]])
        faces.append(Detection(box, float(scores[best]), mean[2:]))
        waiting = waiting[~same]
    return faces
