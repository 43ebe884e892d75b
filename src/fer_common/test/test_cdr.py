"""Bytes are looked at before the middleware unpacks them, and of images only the head is."""

from __future__ import annotations

import array
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Bool, Float64MultiArray, Header, String

from fer_common.core import cdr
from fer_common.core.errors import MessageError
from fer_common.ros.messages import deserialize

MESSAGES: list[Any] = [
    Bool(data=True),
    String(data="text"),
    Image(width=2, height=1, step=6, encoding="bgr8", data=array.array("B", bytes(6))),
    CameraInfo(d=[0.5, 1.0], distortion_model="plumb_bob"),
    JointState(name=["a", "", "bcd"], position=[1.0], velocity=[], effort=[2.0, 3.0]),
    Float64MultiArray(data=[1.0, 2.0]),
    DiagnosticArray(status=[DiagnosticStatus(name="n", values=[KeyValue(key="k", value="v")])] * 3),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_passes_and_no_part_of_one(message: Any) -> None:
    data = serialize_message(message)
    cdr.check(type(message), data)
    # What the middleware adds to fill the last word up is no part of the message.
    for end in range(len(data) - 8):
        with pytest.raises(MessageError):
            cdr.check(type(message), data[:end])


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Bool, b"\0\1\0\0\2"),
        (Bool, b"\7\1\0\0\1"),
        (String, b"\0\1\0\0\2\0\0\0ab"),
        (String, b"\0\1\0\0\xff\xff\xff\xff"),
        (JointState, b"\0\1\0\0" + bytes(12) + b"\xff\xff\xff\xff"),
        (Image, b""),
    ],
)
def test_what_is_none_is_refused(kind: type[Any], data: bytes) -> None:
    with pytest.raises(MessageError):
        cdr.check(kind, data)


def test_messages_of_the_other_byte_order_are_read() -> None:
    cdr.check(String, b"\0\0\0\0\0\0\0\2a\0")


@pytest.mark.parametrize("size", [0, 1, 5, 6])
def test_an_image_is_split_in_front_of_its_pixels(size: int) -> None:
    message = Image(width=2, encoding="mono8", data=array.array("B", range(size)))
    head, values = cdr.split(Image, serialize_message(message) + b"rest")
    assert deserialize_message(head, Image) == Image(width=2, encoding="mono8")
    assert bytes(values) == bytes(range(size))


def test_images_are_views_of_the_bytes_that_came() -> None:
    header = Header(frame_id="camera")
    image = Image(header=header, height=1, width=2, step=2, encoding="mono8", is_bigendian=1)
    image.data.frombytes(b"\5\6")
    compressed = CompressedImage(header=header, format="png", data=array.array("B", b"\7"))
    for message in (image, compressed):
        data = serialize_message(message)
        view = deserialize(type(message), data)
        assert isinstance(view, type(message))
        for name in message.get_fields_and_field_types():
            if name != "data":
                assert getattr(view, name) == getattr(message, name)
        assert bytes(view.data) == message.data.tobytes()
        assert view.data.obj is data
    text = deserialize(String, serialize_message(String(data="text")))
    assert text == String(data="text")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MESSAGES), st.lists(st.tuples(st.integers(4, 10_000), st.integers(0, 255))))
def test_what_passes_can_be_unpacked(message: Any, changes: list[tuple[int, int]]) -> None:
    data = bytearray(serialize_message(message))
    for place, value in changes:
        data[4 + place % (len(data) - 4)] = value
    try:
        cdr.check(type(message), bytes(data))
    except MessageError:
        return
    deserialize_message(bytes(data), type(message))
