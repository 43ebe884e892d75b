"""The intrinsic calibration of a camera: from a file, or from an assumed field of view.

It describes the published image, after cropping, scaling and mirroring.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fer_common.core.errors import ConfigurationError
from fer_common.core.yaml_files import read_yaml

#: Distortion models of `sensor_msgs/distortion_models` with their numbers of coefficients. OpenCV
#: extends the rational model to 12 (thin prism) and 14 (tilted sensor).
_MODELS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}
#: OpenCV's name of a model.
_ALIASES = {"fisheye": "equidistant"}
#: Larger numbers do not fit into a message.
_LARGEST = 1e300
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
#: Two sizes of the same aspect ratio differ by rounding only.
_ASPECT_TOLERANCE_PX = 1.0


@dataclass(frozen=True)
class Intrinsics:
    """Calibration in the terms of `sensor_msgs/CameraInfo`: pixels, row-major matrices."""

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    def of_size(self, width: int, height: int) -> Intrinsics | None:
        """Return the calibration of the scaled image; None for another aspect ratio."""
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


def fill(message: Any, width: int, height: int, intrinsics: Intrinsics | None) -> None:
    """Fill a new `sensor_msgs/CameraInfo`; without a calibration all matrices stay 0."""
    message.width, message.height = width, height
    if intrinsics is not None:
        message.distortion_model = intrinsics.distortion_model
        message.d, message.k = list(intrinsics.d), list(intrinsics.k)
        message.r, message.p = list(intrinsics.r), list(intrinsics.p)


def pinhole(width: int, height: int, horizontal_fov: float) -> Intrinsics:
    """Return an ideal pinhole camera: square pixels, optical axis through the image centre.

    Parameters
    ----------
    horizontal_fov : angle between the left and the right edge of the image, radians, in (0, pi).
    """
    focal_px = width / 2 / math.tan(horizontal_fov / 2)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    k = (focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0)
    return Intrinsics(width, height, "plumb_bob", (0.0,) * 5, k, _IDENTITY, _projection(k))


def load(
    url: str, share_folder: Callable[[str], Path] | None = None, camera_name: str = "camera"
) -> Intrinsics | None:
    """Read a YAML file of camera_calibration.

    Parameters
    ----------
    url : path, file:///path or package://package/path; empty for none. `${NAME}` and
        `${ROS_HOME}` are replaced as by camera_info_manager.
    share_folder : returns the share folder of a package; None without ROS.
    camera_name : value of `${NAME}`.

    Raises
    ------
    ConfigurationError
        naming file and field, if the file is missing or is no calibration.
    """
    if not url:
        return None
    path = _resolve(_substituted(url, camera_name), share_folder)
    document = read_yaml(path, f"calibration '{url}'")
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"calibration '{url}' holds no fields: write it with camera_calibration"
        )
    return _Fields(url, document).intrinsics()


class _Fields:
    """Checks the fields of a calibration file."""

    def __init__(self, url: str, document: Mapping[object, object]) -> None:
        self._url = url
        self._document = document

    def intrinsics(self) -> Intrinsics:
        model = self._document.get("distortion_model", "plumb_bob")
        if isinstance(model, str):
            model = _ALIASES.get(model, model)
        if not isinstance(model, str) or model not in _MODELS:
            raise self._error("distortion_model", f"must be one of {', '.join(_MODELS)}")
        k = self._matrix("camera_matrix", (9,))
        if k[0] <= 0 or k[4] <= 0:
            raise self._error("camera_matrix", "needs focal lengths > 0 (0 means uncalibrated)")
        return Intrinsics(
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
            f"calibration '{self._url}': field '{field}' {must}; calibrate again, correct it, or "
            "leave camera_info_url empty"
        )


def _substituted(url: str, camera_name: str) -> str:
    ros_home = os.environ.get("ROS_HOME") or str(Path("~/.ros").expanduser())
    values = {"NAME": camera_name, "ROS_HOME": ros_home}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ConfigurationError(
                f"calibration '{url}': {match[0]} is unknown: use ${{NAME}} or ${{ROS_HOME}}"
            )
        return values[match[1]]

    return re.sub(r"\$\{(.*?)\}", value, url)


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
                f"calibration '{url}': packages can only be found with ROS: give a path"
            )
        try:
            return share_folder(package) / inner
        except LookupError as error:
            raise ConfigurationError(f"calibration '{url}': {error}") from error
    raise ConfigurationError(
        f"calibration '{url}': '{scheme}://' is not supported: give a path, file:// or package://"
    )


def _projection(k: tuple[float, ...]) -> tuple[float, ...]:
    return (*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0)


def _scaled(matrix: tuple[float, ...], cols: int, sx: float, sy: float) -> tuple[float, ...]:
    """Scale an intrinsic matrix. Pixel centres are integers, so x becomes (x + 1/2) sx - 1/2."""
    rows = [matrix[row * cols : (row + 1) * cols] for row in range(3)]
    scaled = [[sx * value for value in rows[0]], [sy * value for value in rows[1]], list(rows[2])]
    scaled[0][2] += (sx - 1) / 2
    scaled[1][2] += (sy - 1) / 2
    return tuple(value for row in scaled for value in row)
