"""The intrinsic calibration of a camera: read from a file, or assumed, or honestly not known.

A calibration is of the image as it is published, after cutting, scaling and mirroring.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from fer_common.core.errors import ConfigurationError
from fer_common.core.yaml_files import read_yaml

#: Distortion models of `sensor_msgs/distortion_models`, and how many coefficients each can have.
_MODELS = {"plumb_bob": (4, 5), "rational_polynomial": (8,), "equidistant": (4,)}
#: Larger numbers do not fit into a message.
_LARGEST = 1e300
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
#: Rounding that two sizes of the same aspect ratio may show.
_ASPECT_TOLERANCE_PX = 1.0


class CameraInfoMessage(Protocol):
    """The fields of `sensor_msgs/CameraInfo` that are filled here."""

    width: int
    height: int
    distortion_model: str
    d: Sequence[float]
    k: Sequence[float]
    r: Sequence[float]
    p: Sequence[float]


@dataclass(frozen=True)
class Calibration:
    """Intrinsics in the terms of `sensor_msgs/CameraInfo`: pixels, matrices row-major."""

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    def of_size(self, width: int, height: int) -> Calibration | None:
        """Return the calibration of the same picture in another size, None if its shape differs."""
        sx, sy = width / self.width, height / self.height
        if abs(sx - sy) * min(self.width, self.height) > _ASPECT_TOLERANCE_PX:
            return None
        return replace(
            self,
            width=width,
            height=height,
            k=_scaled(self.k, 3, sx, sy),
            p=_scaled(self.p, 4, sx, sy),
        )


def fill(
    message: CameraInfoMessage, width: int, height: int, calibration: Calibration | None
) -> None:
    """Fill a fresh message; without a calibration all matrices stay 0: ROS for uncalibrated."""
    message.width, message.height = width, height
    if calibration is not None:
        message.distortion_model = calibration.distortion_model
        message.d, message.k = list(calibration.d), list(calibration.k)
        message.r, message.p = list(calibration.r), list(calibration.p)


def pinhole(width: int, height: int, horizontal_fov: float) -> Calibration:
    """Return an ideal pinhole camera: square pixels, optical axis through the middle.

    Parameters
    ----------
    horizontal_fov : angle between the left and the right edge of the image, radians, in (0, pi).
    """
    focal_px = width / 2 / math.tan(horizontal_fov / 2)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    k = (focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0)
    return Calibration(width, height, "plumb_bob", (0.0,) * 5, k, _IDENTITY, _projection(k))


def load(url: str, share_folder: Callable[[str], Path] | None = None) -> Calibration | None:
    """Read a file that camera_calibration wrote (YAML).

    Parameters
    ----------
    url : path, file:///path or package://package/path; empty for none.
    share_folder : finds the share folder of a package; None where there is no ROS to ask.

    Raises
    ------
    ConfigurationError
        naming file and field, if the file is not there or is no calibration.
    """
    if not url:
        return None
    path = _resolve(url, share_folder)
    document = read_yaml(path, f"calibration '{url}'")
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"calibration '{url}' holds no fields: write it with camera_calibration"
        )
    return _Fields(url, document).calibration()


class _Fields:
    """The fields of a calibration file, checked one by one."""

    def __init__(self, url: str, document: Mapping[object, object]) -> None:
        self._url = url
        self._document = document

    def calibration(self) -> Calibration:
        model = self._document.get("distortion_model", "plumb_bob")
        if not isinstance(model, str) or model not in _MODELS:
            raise self._error("distortion_model", f"must be one of {', '.join(_MODELS)}")
        k = self._matrix("camera_matrix", (9,))
        if k[0] <= 0 or k[4] <= 0:
            raise self._error("camera_matrix", "needs focal lengths > 0")
        return Calibration(
            self._size("image_width"),
            self._size("image_height"),
            model,
            self._matrix("distortion_coefficients", _MODELS[model]),
            k,
            self._matrix("rectification_matrix", (9,), _IDENTITY),
            self._matrix("projection_matrix", (12,), _projection(k)),
        )

    def _size(self, field: str) -> int:
        value = self._document.get(field)
        if type(value) is not int or value <= 0:
            raise self._error(field, "must be a whole number of pixels > 0")
        return value

    def _matrix(
        self, field: str, lengths: tuple[int, ...], default: tuple[float, ...] | None = None
    ) -> tuple[float, ...]:
        matrix = self._document.get(field)
        if matrix is None and default is not None:
            return default
        data = matrix.get("data") if isinstance(matrix, dict) else None
        if not isinstance(data, list) or len(data) not in lengths:
            raise self._error(
                field, f"must have 'data' of {' or '.join(map(str, lengths))} numbers"
            )
        if not all(type(value) in (int, float) and abs(value) <= _LARGEST for value in data):
            raise self._error(field, "must hold finite numbers")
        return tuple(map(float, data))

    def _error(self, field: str, must: str) -> ConfigurationError:
        return ConfigurationError(
            f"calibration '{self._url}': field '{field}' {must}; calibrate again or correct it"
        )


def _resolve(url: str, share_folder: Callable[[str], Path] | None) -> Path:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url).expanduser()
    if scheme == "file":
        return Path(rest)
    if scheme == "package":
        package, _, inner = rest.partition("/")
        if share_folder is None:
            raise ConfigurationError(
                f"calibration '{url}': no ROS here to look up packages: give a path"
            )
        try:
            return share_folder(package) / inner
        except LookupError as error:
            raise ConfigurationError(f"calibration '{url}': {error}") from error
    raise ConfigurationError(
        f"calibration '{url}': '{scheme}://' is not known: give a path, file:// or package://"
    )


def _projection(k: tuple[float, ...]) -> tuple[float, ...]:
    return (*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0)


def _scaled(matrix: tuple[float, ...], cols: int, sx: float, sy: float) -> tuple[float, ...]:
    """Scale the rows of x and y of an intrinsic matrix.

    Pixel centres lie on whole numbers, so x becomes (x + 1/2) sx - 1/2.
    """
    rows = [matrix[row * cols : (row + 1) * cols] for row in range(3)]
    scaled = [[sx * value for value in rows[0]], [sy * value for value in rows[1]], list(rows[2])]
    scaled[0][2] += (sx - 1) / 2
    scaled[1][2] += (sy - 1) / 2
    return tuple(value for row in scaled for value in row)
