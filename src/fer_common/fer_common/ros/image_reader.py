"""Image messages as BGR, by cv_bridge where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fer_common.core.images import TO_BGR, ImageMessage, Pixels, to_bgr, view

#: Reads an image message as BGR.
Reader: TypeAlias = Callable[[ImageMessage], Pixels]


@dataclass(frozen=True)
class _Packed:
    """An image message without gaps between its rows, of which cv_bridge reads these fields."""

    height: int
    width: int
    encoding: str
    step: int
    data: Pixels
    is_bigendian: int = 0


def reader() -> Reader:
    """Return cv_bridge's conversion to BGR behind our checks if it is installed, else our own."""
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except ImportError:
        return to_bgr
    bridge = CvBridge()

    def read(message: ImageMessage) -> Pixels:
        pixels = view(message)
        if message.encoding not in TO_BGR:
            return pixels
        # cv_bridge in Python shears pictures whose step is no multiple of a pixel, and raises
        # AttributeError for is_bigendian with NumPy 2; so it gets neither.
        packed = np.ascontiguousarray(pixels)
        height, width, encoding = message.height, message.width, message.encoding
        step = packed[0].size
        try:
            given = _Packed(height, width, encoding, step, packed)
            return np.asarray(bridge.imgmsg_to_cv2(given, "bgr8"), np.uint8)
        except CvBridgeError:
            # Encodings that this cv_bridge does not know.
            return to_bgr(message)

    return read
