"""Received images as views of the bytes that came, to spare the copies that rclpy makes.

The pixels are the last field of a message, so what is before them, with none behind, is a message
too, and the only part that the middleware has to unpack. Of 640x480 this takes .05 ms; unpacking
the whole takes .6 ms. (The other way round nothing is won: bytes made by hand and published were
measured to be slower than a message.)
"""

from __future__ import annotations

from typing import Any

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image

from fer_common.core import cdr


class ImageView(Image):
    """An image whose `data` are a view of the bytes that came."""

    # In place of the property, which would copy them one by one.
    data: Any = None


class CompressedImageView(CompressedImage):
    """The same of a compressed image."""

    data: Any = None


_VIEWS: dict[type[Any], type[Any]] = {Image: ImageView, CompressedImage: CompressedImageView}


def unpacked(kind: type[Any], data: bytes) -> Any:
    """Return a message of any type; an image as a view of the bytes.

    Raises
    ------
    MessageError
        if the bytes are no such message.
    """
    if kind not in _VIEWS:
        cdr.check(kind, data)
        return deserialize_message(data, kind)
    head, values = cdr.split(kind, data)
    message = deserialize_message(head, kind)
    view = _VIEWS[kind]()
    for name in kind.get_fields_and_field_types():
        setattr(view, name, getattr(message, name))
    view.data = values
    return view
