"""YAML from anybody: read whole and plain, or refused."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from fer_common.core.errors import ConfigurationError

#: No parameter file and no calibration is larger.
MAX_BYTES = 1_000_000
_MAX_DIGITS = 30


#: Tag of plain scalars, which are read as rcl reads them.
_PLAIN = "!plain"
_BOOLEANS = {
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True
    ),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
}
#: As strtol and strtod of C read them.
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))")
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|\.?inf(?:inity)?|\.?nan)", re.I
)
_INT64 = range(-(2**63), 2**63)


class _PlainLoader(yaml.SafeLoader):
    """Reads scalars as rcl reads parameter files, and takes no aliases.

    PyYAML reads 1e-5 as text, 3_20 as 320, 1:30 as 90 and some texts as dates. A few lines of
    aliases stand for gigabytes.
    """

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (as in the base class)

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported: write the value out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a dictionary; blocks of the same name are one, and the last value wins."""
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN:
                key_node.tag = self.DEFAULT_SCALAR_TAG
            key = self.construct_object(key_node, deep=True)
            value = self.construct_object(value_node, deep=True)
            found[key] = _joined(found.get(key), value)
        return found

    def construct_plain(self, node: Any) -> object:
        """Return the value of a scalar without quotes."""
        return plain_scalar(str(self.construct_scalar(node)))


_PlainLoader.add_implicit_resolver(_PLAIN, re.compile(""), None)
_PlainLoader.add_constructor(_PLAIN, _PlainLoader.construct_plain)


def plain_scalar(text: str) -> bool | int | float | str | None:
    """Return what rcl makes of a YAML scalar without quotes, None for nothing at all."""
    if not text:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if found := _INTEGER.fullmatch(text):
        sign, hexadecimal, octal, decimal = found.groups()
        digits, base = next(
            (digits, base)
            for digits, base in ((hexadecimal, 16), (octal, 8), (decimal, 10))
            if digits
        )
        value = int(sign + digits, base) if len(digits) < _MAX_DIGITS else _INT64.stop
        if value in _INT64:
            return value
    if _FLOAT.fullmatch(text):
        number = float(re.sub(r"\.(?=inf|nan)", "", text, flags=re.I))
        # strtod reports what is too large, and rcl then takes the text.
        if math.isfinite(number) or text[-1].isalpha():
            return number
    return text


def _joined(first: object, second: object) -> object:
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return second
    return {**first, **{key: _joined(first.get(key), value) for key, value in second.items()}}


def parse_yaml(text: str) -> object:
    """Return the document in a text.

    Raises
    ------
    yaml.YAMLError
        if it is not valid YAML.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise yaml.YAMLError(str(error)) from error


def read_yaml(path: Path, what: str) -> object:
    """Return the document in a file.

    Parameters
    ----------
    path : the file.
    what : how to call it in the error.

    Raises
    ------
    ConfigurationError
        if it is no regular file that can be read, too large, or no YAML.
    """
    try:
        # Not from a pipe or a device, which may have no end.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigurationError(f"{what} is no file: name a file that can be read")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{what}: {error.strerror}: name a file that can be read"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{what}: {error}: name a file that can be read") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{what} has more than {MAX_BYTES} bytes: name another file")
    try:
        return parse_yaml(data.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{what} is not valid YAML: {reason}") from error
