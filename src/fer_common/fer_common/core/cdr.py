"""Checks that bytes are a message, before the middleware deserializes them.

Malformed bytes come from a node built with other message definitions, or from an attacker. With
rclpy 9.1 and Fast DDS, about one of two thousand failures to deserialize ends the process with a
segmentation fault.

Format: CDR (OMG DDSI-RTPS) with encapsulation CDR_LE or CDR_BE. Every value is aligned to its size,
counted from the end of the header of four bytes.
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
    """A position in the bytes after the header.

    Attributes
    ----------
    position : number of bytes passed.
    sequence_start : position after the last length.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)[_HEADER:]
        self._length = struct.Struct(_ENDIAN[data[:2]] + "I")
        self.position = 0
        self.sequence_start = 0

    def skip(self, size: int, count: int = 1) -> None:
        """Skip `count` values of a size."""
        position = self.position + -self.position % size + size * count
        if position > len(self._data):
            raise MessageError("is cut")
        self.position = position

    def length(self) -> int:
        """Read a length."""
        self.skip(_LENGTH)
        self.sequence_start = self.position
        return int(self._length.unpack_from(self._data, self.position - _LENGTH)[0])

    def last(self, count: int) -> bytes:
        """Return the last bytes that were skipped."""
        return bytes(self._data[self.position - count : self.position])


_Check: TypeAlias = Callable[[_Reader], None]


def check(kind: Any, data: bytes) -> _Reader:
    """Refuse bytes that are no message of a type.

    Raises
    ------
    MessageError
        with the reason, worded to follow the name of the topic.
    """
    if data[:2] not in _ENDIAN or len(data) < _HEADER:
        raise MessageError("has no message header")
    reader = _Reader(data)
    _message(kind)(reader)
    return reader


def split(kind: Any, data: bytes) -> tuple[bytes, memoryview]:
    """Split a message whose last field is a sequence of bytes.

    Returns
    -------
    The message with that sequence empty, and the sequence, which is not copied.

    Raises
    ------
    MessageError
        as `check`.
    """
    reader = check(kind, data)
    begin, end = _HEADER + reader.sequence_start, _HEADER + reader.position
    return data[: begin - _LENGTH] + bytes(_LENGTH), memoryview(data)[begin:end]


@cache
def _message(kind: Any) -> _Check:
    fields = [_field(slot) for slot in kind.SLOT_TYPES]

    def check_fields(reader: _Reader) -> None:
        for field in fields:
            field(reader)

    return check_fields


def _field(slot: Any) -> _Check:
    if isinstance(slot, BasicType):
        return _values(slot.typename, lambda reader: 1)
    if isinstance(slot, AbstractString):
        return _string
    if isinstance(slot, NamespacedType):
        return _message(getattr(importlib.import_module(".".join(slot.namespaces)), slot.name))
    if isinstance(slot, Array):
        size = slot.size
        return _elements(slot.value_type, lambda reader: size)
    assert isinstance(slot, AbstractSequence)
    return _elements(slot.value_type, _Reader.length)


def _elements(slot: Any, count: Callable[[_Reader], int]) -> _Check:
    if isinstance(slot, BasicType):
        return _values(slot.typename, count)
    element = _field(slot)

    def check_elements(reader: _Reader) -> None:
        # Every element has at least one byte, so this ends with the data.
        for _ in range(count(reader)):
            element(reader)

    return check_elements


def _values(name: str, count: Callable[[_Reader], int]) -> _Check:
    size = _SIZES[name]

    def check_values(reader: _Reader) -> None:
        number = count(reader)
        if number:
            reader.skip(size, number)
            if name == "boolean" and any(value > 1 for value in reader.last(number)):
                raise MessageError("has a boolean that is neither 0 nor 1")

    return check_values


def _string(reader: _Reader) -> None:
    length = reader.length()
    if length:
        reader.skip(1, length)
        if reader.last(1) != b"\x00":
            raise MessageError("has a string without end")
