"""Looks whether bytes are a message before the middleware unpacks them.

Bytes that are no message of their topic's type come from a node built with other definitions, or
from an attacker. Unpacking fails on them, and with rclpy 9.1 and Fast DDS a failure now and then
(about one in two thousand) ends the process with a segmentation fault. So they must not get there.

Format: CDR as of the OMG's DDSI-RTPS, encapsulation CDR_LE or CDR_BE; every value is aligned to its
size, counted from behind the four bytes of the header.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from rosidl_parser.definition import (
    AbstractSequence,
    AbstractString,
    Array,
    BasicType,
    NamespacedType,
)

from fer_common.core.errors import MessageError

_HEADER = 4
_LENGTH = 4
_ENDIAN = {b"\x00\x00": ">", b"\x00\x01": "<"}
_SIZES = {
    **dict.fromkeys(("boolean", "octet", "char", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16"), 2),
    **dict.fromkeys(("int32", "uint32", "float"), 4),
    **dict.fromkeys(("int64", "uint64", "double"), 8),
}


class _Reader:
    """A place in the bytes behind the header.

    Attributes
    ----------
    place : how many bytes were passed.
    behind_length : how many were when the last length was.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)[_HEADER:]
        self._length = struct.Struct(_ENDIAN[data[:2]] + "I")
        self.place = 0
        self.behind_length = 0

    def skip(self, size: int, count: int = 1) -> None:
        """Pass `count` values of a size."""
        place = self.place + -self.place % size + size * count
        if place > len(self._data):
            raise MessageError("is cut")
        self.place = place

    def length(self) -> int:
        """Pass a length and return it."""
        self.skip(_LENGTH)
        self.behind_length = self.place
        return int(self._length.unpack_from(self._data, self.place - _LENGTH)[0])

    def last(self, count: int) -> bytes:
        """Return the last bytes that were passed."""
        return bytes(self._data[self.place - count : self.place])


_Walk: TypeAlias = Callable[[_Reader], None]


def check(kind: Any, data: bytes) -> None:
    """Refuse bytes that are no message of a type.

    Raises
    ------
    MessageError
        with what is wrong, worded to follow the name of the topic.
    """
    _walked(kind, data)


def split(kind: Any, data: bytes) -> tuple[bytes, memoryview]:
    """Take a message apart whose last field is a sequence of bytes.

    Returns
    -------
    The bytes of the message with that sequence empty, and the sequence, which is not copied.

    Raises
    ------
    MessageError
        as `check`.
    """
    reader = _walked(kind, data)
    begin, end = _HEADER + reader.behind_length, _HEADER + reader.place
    return data[: begin - _LENGTH] + bytes(_LENGTH), memoryview(data)[begin:end]


def _walked(kind: Any, data: bytes) -> _Reader:
    if data[:2] not in _ENDIAN or len(data) < _HEADER:
        raise MessageError("has no header of a message")
    reader = _Reader(data)
    _walk_of(kind)(reader)
    return reader


@cache
def _walk_of(kind: Any) -> _Walk:
    steps = [_step(slot) for slot in kind.SLOT_TYPES]

    def walk(reader: _Reader) -> None:
        for step in steps:
            step(reader)

    return walk


def _step(slot: Any) -> _Walk:
    if isinstance(slot, BasicType):
        return _values(slot.typename, lambda reader: 1)
    if isinstance(slot, AbstractString):
        return _string
    if isinstance(slot, NamespacedType):
        return _walk_of(getattr(importlib.import_module(".".join(slot.namespaces)), slot.name))
    if isinstance(slot, Array):
        size = slot.size
        return _several(slot.value_type, lambda reader: size)
    assert isinstance(slot, AbstractSequence)
    return _several(slot.value_type, _Reader.length)


def _several(slot: Any, count: Callable[[_Reader], int]) -> _Walk:
    if isinstance(slot, BasicType):
        return _values(slot.typename, count)
    step = _step(slot)

    def walk(reader: _Reader) -> None:
        # Every element passes a byte at least, so this ends with the data.
        for _ in range(count(reader)):
            step(reader)

    return walk


def _values(name: str, count: Callable[[_Reader], int]) -> _Walk:
    size = _SIZES[name]

    def walk(reader: _Reader) -> None:
        number = count(reader)
        if number:
            reader.skip(size, number)
            if name == "boolean" and any(value > 1 for value in reader.last(number)):
                raise MessageError("has a truth value that is none")

    return walk


def _string(reader: _Reader) -> None:
    length = reader.length()
    if length:
        reader.skip(1, length)
        if reader.last(1) != b"\x00":
            raise MessageError("has a text without an end")
