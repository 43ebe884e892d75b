"""Image messages as arrays, by cv_bridge where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import CompressedImage

from fer_common.core.images import TO_BGR, ImageMessage, Pixels, decode, to_bgr, view
from fer_common.ros.image_subscription import AnyImage


@dataclass(frozen=True)
class _Packed:
    """An image message without row padding: the fields that cv_bridge reads."""

    height: int
    width: int
    encoding: str
    step: int
    data: Pixels
    is_bigendian: int = 0


def bgr_reader() -> Callable[[AnyImage], Pixels]:
    """Return a function that converts image messages to BGR, or raises ImageError.

    It checks the message, then uses cv_bridge where it is installed, otherwise `images.to_bgr`.
    """
    raw = _raw_reader()
    return lambda message: decode(message) if isinstance(message, CompressedImage) else raw(message)


def _raw_reader() -> Callable[[ImageMessage], Pixels]:
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        return to_bgr
    bridge = CvBridge()

    def read(message: ImageMessage) -> Pixels:
        pixels = view(message)
        if message.encoding not in TO_BGR:
            return pixels
        # cv_bridge in Python shears images whose step is no multiple of a pixel, and raises
        # AttributeError for is_bigendian with NumPy 2. So it gets neither.
        packed = np.ascontiguousarray(pixels)
        height, width, encoding = message.height, message.width, message.encoding
        try:
            given = _Packed(height, width, encoding, packed[0].size, packed)
            return np.asarray(bridge.imgmsg_to_cv2(given, "bgr8"), np.uint8)
        except CvBridgeError:
            # This cv_bridge does not know the encoding.
            return to_bgr(message)

    return read
