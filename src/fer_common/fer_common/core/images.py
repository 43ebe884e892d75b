"""Converts image messages to arrays and back, checked and faster than cv_bridge.

Takes any object with the fields of `sensor_msgs/Image`, so it needs no ROS. The results equal those
of cv_bridge for the encodings that it supports.
"""

from __future__ import annotations

import array
import re
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fer_common.core.errors import ImageError

Pixels: TypeAlias = npt.NDArray[np.uint8]

#: Larger images are refused: no camera has this size, but a damaged header can claim it.
MAX_SIDE_PX = 16384

#: Bytes per pixel, and OpenCV's conversion to BGR. OpenCV names a Bayer pattern by the second row
#: and column of the mosaic, ROS by the first pixel.
_FORMATS = {
    "bgr8": (3, None),
    "rgb8": (3, cv2.COLOR_RGB2BGR),
    "bgra8": (4, cv2.COLOR_BGRA2BGR),
    "rgba8": (4, cv2.COLOR_RGBA2BGR),
    "mono8": (1, cv2.COLOR_GRAY2BGR),
    "8UC1": (1, cv2.COLOR_GRAY2BGR),
    "8UC3": (3, None),
    "yuv422": (2, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2BGR_YUY2),
    "yuyv": (2, cv2.COLOR_YUV2BGR_YUY2),
    "nv12": (1, cv2.COLOR_YUV2BGR_NV12),
    "nv21": (1, cv2.COLOR_YUV2BGR_NV21),
    "bayer_rggb8": (1, cv2.COLOR_BayerBG2BGR),
    "bayer_bggr8": (1, cv2.COLOR_BayerRG2BGR),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGR2BGR),
    "bayer_grbg8": (1, cv2.COLOR_BayerGB2BGR),
}
#: Conversion of each encoding that is not BGR already.
TO_BGR = {name: code for name, (_, code) in _FORMATS.items() if code is not None}
#: Encodings that `to_bgr` reads.
ENCODINGS = tuple(_FORMATS)
#: Encodings with a second plane (colour) of half the height, below the first (grey).
_TWO_PLANES = ("nv12", "nv21")
#: Encodings in which two pixels of a row share their colour.
_PAIRS = ("yuv422", "uyvy", "yuv422_yuy2", "yuyv")
#: More than 8 bits per value: mono16, bayer_rggb16, 16UC1, 32FC1, 64FC1 ...
_WIDE = re.compile(r"[a-z_]+16|(16|32|64)[USF]C\d*")


class ImageMessage(Protocol):
    """The used fields of `sensor_msgs/Image`."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: array.array[int]


class CompressedImageMessage(Protocol):
    """The used fields of `sensor_msgs/CompressedImage`."""

    format: str
    data: array.array[int]


def view(message: ImageMessage) -> Pixels:
    """Return the pixels of a message as a view: (height, width[, channels]), uint8.

    nv12 and nv21 give both planes, one below the other: (1.5 height, width). `is_bigendian` is
    ignored, because all values are single bytes.

    Raises
    ------
    ImageError
        if the encoding is not one of `ENCODINGS`, or size, step and data length are inconsistent.
    """
    if message.encoding not in _FORMATS:
        raise ImageError(_refusal(message.encoding))
    channels, _ = _FORMATS[message.encoding]
    height, width, step = message.height, message.width, message.step
    if not (0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX):
        raise ImageError(
            f"image size {width}x{height} is outside 1 to {MAX_SIDE_PX} px: check the camera driver"
        )
    if step < width * channels:
        raise ImageError(
            f"image step {step} is shorter than a row of {width} px {message.encoding}: "
            f"it must be at least {width * channels}"
        )
    rows = height
    # OpenCV 4.6 does not check this, and writes behind the picture.
    if message.encoding in _PAIRS and width % 2:
        raise ImageError(
            f"image of {width}x{height} px cannot be {message.encoding}: its width must be even"
        )
    if message.encoding in _TWO_PLANES:
        if height % 2 or width % 2:
            raise ImageError(
                f"image of {width}x{height} px cannot be {message.encoding}: both must be even"
            )
        rows += height // 2
    if len(message.data) < rows * step - (step - width * channels):
        raise ImageError(
            f"image data has {len(message.data)} bytes, {rows} rows of {step} need "
            f"{rows * step}: the message was cut"
        )
    flat = np.frombuffer(message.data, np.uint8)
    shape = (rows, width) if channels == 1 else (rows, width, channels)
    strides = (step, 1) if channels == 1 else (step, channels, 1)
    return np.lib.stride_tricks.as_strided(flat, shape, strides, writeable=False)


def to_bgr(message: ImageMessage) -> Pixels:
    """Return the image as BGR, (height, width, 3) uint8; a view if the encoding allows it.

    Raises
    ------
    ImageError
        as `view`, and if OpenCV refuses the size.
    """
    pixels = view(message)
    code = TO_BGR.get(message.encoding)
    if code is None:
        return pixels
    try:
        return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
    except cv2.error as error:
        raise ImageError(
            f"image of {message.width}x{message.height} px cannot be {message.encoding}: "
            f"{error.err}"
        ) from error


def read_image(path: Path) -> Pixels | None:
    """Return an image file as BGR, (height, width, 3) uint8; None if it cannot be decoded.

    OpenCV refuses an image that is too large before it decodes it, if the environment variable
    OPENCV_IO_MAX_IMAGE_PIXELS is set in time.
    """
    try:
        return _decoded(np.fromfile(path, np.uint8))
    except OSError:
        return None


def decode(message: CompressedImageMessage) -> Pixels:
    """Decode a JPEG or PNG message to BGR, (height, width, 3) uint8.

    Raises
    ------
    ImageError
        if it cannot be decoded, is too large, or is a depth image.
    """
    # The format of image_transport begins with the encoding of the image: "rgb8; jpeg ...".
    encoding = message.format.partition(";")[0].strip()
    if _WIDE.fullmatch(encoding):
        raise ImageError(_refusal(encoding))
    pixels = _decoded(np.frombuffer(message.data, np.uint8))
    if pixels is None:
        raise ImageError(
            f"compressed image ({message.format or 'no format'}) cannot be decoded: "
            "send JPEG or PNG"
        )
    if max(pixels.shape) > MAX_SIDE_PX:
        raise ImageError(f"compressed image of {pixels.shape[1]}x{pixels.shape[0]} px is too large")
    return pixels


def _decoded(data: Pixels) -> Pixels | None:
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        # OpenCV raises for a header with an absurd size, instead of returning None.
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def fill(message: ImageMessage, pixels: Pixels, encoding: str) -> None:
    """Write an array to an image message in the fastest way (0.06 ms at 640x480).

    Parameters
    ----------
    message : a new `sensor_msgs/Image`; its header is not changed.
    pixels : (height, width) or (height, width, channels), uint8.
    encoding : encoding of the array, one of `ENCODINGS`.
    """
    pixels = np.ascontiguousarray(pixels)
    describe(message, pixels, encoding)
    message.data.frombytes(pixels.data)


def describe(message: ImageMessage, pixels: Pixels, encoding: str) -> None:
    """Write everything about an array but its values to an image message, as `fill`."""
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.is_bigendian = 0
    message.step = pixels[0].size


def fill_compressed(message: CompressedImageMessage, pixels: Pixels, quality: int) -> None:
    """Write an array to a compressed image message, as JPEG of a quality from 1 to 100."""
    _, data = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality))
    encoding = "mono8" if pixels[0].ndim == 1 else "bgr8"
    message.format = f"{encoding}; jpeg compressed {encoding}"
    message.data.frombytes(data.data)


def _refusal(encoding: str) -> str:
    if _WIDE.fullmatch(encoding):
        return (
            f"image encoding '{encoding}' cannot be read: it has more than 8 bits per value, as "
            "depth images have; subscribe to the colour or infrared image of the camera, or let "
            "its driver publish mono8, bgr8 or rgb8"
        )
    known = ", ".join(ENCODINGS)
    return f"image encoding '{encoding}' cannot be read: publish one of {known}"
