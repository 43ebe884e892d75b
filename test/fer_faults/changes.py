"""Random changes of live parameters, good and bad, and what a node has after them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from fer_common.core.errors import ParameterError
from fer_common.core.parameters import Parameter, ParameterTable, Scalar, Value
from fer_testing.ros import Graph

NEAR = 0.8
#: Refuses values that contradict each other in a way that the table cannot see.
Check = Callable[[Mapping[str, Value]], object]


class Changes:
    """Draws changes for one node.

    Parameters
    ----------
    table : of the node.
    check : refuses by ParameterError, as the node does.
    left_out : names that are not to be changed.
    seed : of the draws.
    """

    def __init__(
        self, table: ParameterTable, check: Check, left_out: tuple[str, ...] = (), seed: int = 5
    ) -> None:
        self._table = table
        self._check = check
        self._live = [each for each in table if each.live and each.name not in left_out]
        self.rng = random.Random(seed)

    def good(self, current: Mapping[str, Value]) -> dict[str, Value]:
        """Return a random change that the node has to take."""
        while True:
            parameter = self.rng.choice(self._live)
            change = {parameter.name: any_value(self.rng, parameter)}
            try:
                self._check(self._table.merged(current, change))
            except ParameterError:
                continue
            return change

    def bad(self, *more: Mapping[str, Any]) -> dict[str, Any]:
        """Return a random change that the node has to refuse, sometimes one of `more`."""
        numbers = [each for each in self._live if each.element_type is not bool]
        parameter = self.rng.choice(numbers)
        limits = [each for each in (parameter.minimum, parameter.maximum) if each is not None]
        beyond: list[Any] = ["no such choice", True]
        if parameter.element_type is str and not parameter.choices:
            beyond = [True, 7]
        if limits and parameter.element_type is float:
            beyond += [limits[0] - 1e-3 - abs(limits[0]), limits[-1] * 2 + 1.0, float("nan")]
        elif limits:
            beyond += [int(limits[0]) - 1, int(limits[-1]) + 1, 0.5]
        own = {parameter.name: self.rng.choice(beyond)}
        return dict(self.rng.choice([own] * 4 + [dict(each) for each in more]))


def any_value(rng: random.Random, parameter: Parameter) -> Value:
    """Return a random value within the range of a parameter, the default of a free text."""
    kind = parameter.element_type
    if parameter.choices:
        value: Any = rng.choice(parameter.choices)
        return (value,) if isinstance(parameter.default, tuple) else value
    if kind is bool:
        return rng.random() < 0.5
    if kind is str:
        return parameter.default
    if isinstance(parameter.default, tuple):
        return tuple(_number(rng, parameter, each) for each in parameter.default)
    return _number(rng, parameter, parameter.default)


def _number(rng: random.Random, parameter: Parameter, default: Any) -> Scalar:
    """Return a number, mostly near the default: there networks live, and frames cost little."""
    low, high = parameter.minimum, parameter.maximum
    assert low is not None and high is not None
    near = default * rng.uniform(0.5, 1.5)
    value = near if low <= near <= high and rng.random() < NEAR else rng.uniform(low, high)
    return round(value) if parameter.element_type is int else value


def values_of(graph: Graph, table: ParameterTable) -> dict[str, Any]:
    """Return the present value of every parameter of the table, arrays as tuples."""
    names = [parameter.name for parameter in table]
    values = graph.call(
        GetParameters, f"{table.node}/get_parameters", GetParameters.Request(names=names)
    )
    plain = [_plain(parameter_value_to_python(value)) for value in values.values]
    return dict(zip(names, plain, strict=True))


def _plain(value: Any) -> Any:
    """Return arrays as tuples, so that they can be compared."""
    return value if isinstance(value, (str, bool, int, float)) else tuple(value)
