"""Typed parameter tables: the only definition of each parameter.

A node declares its ROS parameters from its table, and checks a batch of new values against it as a
whole. `config/fer.yaml` and the tables in the documentation are generated from it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from fer_common.core.errors import ParameterError

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | tuple[Scalar, ...]
Values: TypeAlias = Mapping[str, Value]
Settings = TypeVar("Settings")
#: Checks a complete set of values; returns why it is refused, or None.
Constraint: TypeAlias = Callable[[Values], "str | None"]

#: Range of an integer ROS parameter.
_INT64 = (-(2**63), 2**63 - 1)
#: What YAML makes of the texts that can be choices: `learning: off` gives False.
_YAML_BOOLEANS = {"off": False, "no": False, "false": False, "on": True, "yes": True, "true": True}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. It has the type of `default`; a tuple is an array.

    Attributes
    ----------
    name : as in ROS.
    default : default value; for arrays a tuple with at least one element.
    description : what it does, for the user.
    unit : SI symbol, "px", "Hz" ...; empty for text and numbers without unit.
    minimum, maximum : range of a number (of every element of an array), inclusive.
    choices : the allowed texts; empty for any.
    live : can be changed while the node runs, from the next frame on; otherwise read-only.
    resets : what a live change resets; empty for nothing.
    """

    name: str
    default: Value
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = True
    resets: str = ""

    @property
    def element_type(self) -> type:
        """Type of the value, or of the elements of an array."""
        return type(self.default[0] if isinstance(self.default, tuple) else self.default)

    @property
    def is_array(self) -> bool:
        """Whether the value is an array."""
        return isinstance(self.default, tuple)

    @property
    def type_name(self) -> str:
        """Type in ROS terms: bool, integer, double, string, or one of these with `[]`."""
        names = {bool: "bool", int: "integer", float: "double", str: "string"}
        return names[self.element_type] + ("[]" if self.is_array else "")

    @property
    def range_text(self) -> str:
        """Range or choices as text; empty if every value is allowed."""
        if self.choices:
            return ", ".join(choice or '""' for choice in self.choices)
        if self.minimum is None and self.maximum is None:
            return ""
        low = "-inf" if self.minimum is None else f"{self.minimum:g}"
        high = "inf" if self.maximum is None else f"{self.maximum:g}"
        return f"{low} to {high}"

    def check(self, value: object) -> Value:
        """Return the value in the parameter's own type.

        Raises
        ------
        ParameterError
            if type, range or choice are wrong. Integers are accepted as doubles, and a bool as the
            choice that YAML reads as this bool; nothing else is converted.
        """
        if not self.is_array:
            return self._check_element(value)
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise ParameterError(
                f"parameter '{self.name}' is {value!r}: give a list ({self.type_name})"
            )
        elements = tuple(self._check_element(element) for element in value)
        if not elements:
            raise ParameterError(f"parameter '{self.name}' is empty: give at least one value")
        return elements

    def _check_element(self, value: object) -> Scalar:
        kind = self.element_type
        if isinstance(value, int) and not _INT64[0] <= value <= _INT64[1]:
            raise ParameterError(f"parameter '{self.name}' has more than 64 bits: give less")
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, bool):
            readings = [each for each in self.choices if _YAML_BOOLEANS.get(each) is value]
            value = readings[0] if len(readings) == 1 else value
        if type(value) is not kind:
            given = type(value).__name__
            quotes = f', in quotes: "{value}"' if kind is str else ""
            raise ParameterError(
                f"parameter '{self.name}' is {value!r} ({given}): "
                f"give a value of type {self.type_name}{quotes}"
            )
        assert isinstance(value, (bool, int, float, str))
        if self.choices and value not in self.choices:
            raise ParameterError(
                f"parameter '{self.name}' is {value!r}: choose one of {self.range_text}"
            )
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self._check_range(value)
        return value

    def _check_range(self, value: float) -> None:
        below = self.minimum is not None and value < self.minimum
        above = self.maximum is not None and value > self.maximum
        if not math.isfinite(value) or below or above:
            unit = f" {self.unit}" if self.unit else ""
            allowed = self.range_text or "any finite number"
            raise ParameterError(
                f"parameter '{self.name}' is {value:g}{unit}: "
                f"it must be in the range {allowed}{unit}"
            )


def settings(kind: type[Settings], values: Values, prefix: str = "", **others: Any) -> Settings:
    """Return a dataclass whose fields are parameters, by their names; the rest has its defaults.

    Parameters
    ----------
    kind : the dataclass. The name of a field may end with its unit, which the parameter lacks.
    prefix : what precedes the name of a field in that of the parameter.
    others : fields that are no parameters, or have other names.
    """
    make: Any = kind
    given: dict[str, Any] = {}
    for each in fields(make):
        for name in (each.name, each.name.removesuffix("_s").removesuffix("_px")):
            if prefix + name in values:
                given.setdefault(each.name, values[prefix + name])
    made: Settings = make(**given | others)
    return made


AUTOSTART = Parameter(
    "autostart",
    True,
    "Configure and activate at start. Off: wait for `ros2 lifecycle set`.",
    live=False,
)
#: Named as in the diagnostic_updater package.
DIAGNOSTICS_PERIOD = Parameter(
    "diagnostic_updater.period",
    1.0,
    "Period of the messages on /diagnostics.",
    unit="s",
    minimum=0.05,
    maximum=60.0,
)
#: Parameters of every node.
COMMON = (AUTOSTART, DIAGNOSTICS_PERIOD)

#: For nodes that subscribe to images.
IMAGE_TRANSPORT = Parameter(
    "image_transport",
    "raw",
    "Images to subscribe to: image_raw, or image_raw/compressed (JPEG, PNG).",
    choices=("raw", "compressed"),
    live=False,
)
#: For nodes that can queue frames.
EVERY_FRAME = Parameter(
    "every_frame",
    False,
    "Process every frame, however late, instead of the newest only. For replays.",
    live=False,
)


@dataclass(frozen=True)
class ParameterTable:
    """All parameters of one node."""

    node: str
    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if len(self._by_name) != len(self.parameters):
            raise ValueError(f"a parameter of {self.node} is defined twice")

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._by_name[name]
        except KeyError:
            raise ParameterError(self.unknown(name)) from None

    def unknown(self, name: str) -> str:
        """Return the error for an unknown name, with the most similar parameter."""
        near = self._nearest(name, 0.6)
        hint = f"did you mean '{near}'?" if near else f"`fer param list {self.node}` shows all"
        return f"node '{self.node}' has no parameter '{name}': {hint}"

    def is_misspelt(self, name: str) -> bool:
        """Whether an unknown name is so similar to a parameter that it must mean it."""
        return bool(self._nearest(name, 0.8))

    def _nearest(self, name: str, similarity: float) -> str:
        near = difflib.get_close_matches(name, self._by_name, n=1, cutoff=similarity)
        return near[0] if near else ""

    def defaults(self) -> dict[str, Value]:
        """Return the default value of every parameter."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def merged(self, current: Values, changes: Mapping[str, object]) -> dict[str, Value]:
        """Return `current` with `changes`, checked individually and as a whole.

        Raises
        ------
        ParameterError
            for the first unknown name, wrong type, value out of range, or violated constraint.
        """
        merged = dict(current)
        for name, value in changes.items():
            merged[name] = self[name].check(value)
        for constraint in self.constraints:
            if reason := constraint(merged):
                raise ParameterError(f"node '{self.node}': {reason}")
        return merged
