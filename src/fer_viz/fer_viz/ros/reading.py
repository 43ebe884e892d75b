"""Image messages of either kind to pixels."""

from __future__ import annotations

from collections.abc import Callable

from sensor_msgs.msg import CompressedImage

from fer_common.core import images
from fer_common.ros import image_reader
from fer_common.ros.image_source import AnyImage


def reader() -> Callable[[AnyImage], images.Pixels]:
    """Return what reads Image and CompressedImage as BGR, or raises ImageError."""
    raw = image_reader.reader()

    def read(message: AnyImage) -> images.Pixels:
        return images.decode(message) if isinstance(message, CompressedImage) else raw(message)

    return read
