"""Declares the ROS parameters of a node from its table, and changes them as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from fer_common.core.errors import ConfigurationError, FerError
from fer_common.core.parameter_files import check_command_line, is_ros_parameter
from fer_common.core.parameters import Parameter, ParameterTable, Value

#: Checks new values, given those that change; raises FerError to refuse them. No side effects.
Check = Callable[[Mapping[str, Value], frozenset[str]], None]
#: Applies new values, after all of them were set.
Apply = Callable[[Mapping[str, Value], frozenset[str]], None]

_BOUNDLESS = 1.7976931348623157e308
_INTEGERS = (-(2**63), 2**63 - 1)


class ParameterServer:
    """Declares the parameters of a table; refuses or applies each batch of changes as a whole.

    Parameters
    ----------
    check : further check of a batch that the table accepts.
    apply : called after a batch was set, with all values and the changed names.
    arguments : command line of the node, whose parameter files are checked.

    Raises
    ------
    ConfigurationError
        if a value given at start is unknown or invalid.
    """

    def __init__(
        self,
        node: Node,
        table: ParameterTable,
        check: Check,
        apply: Apply,
        arguments: Sequence[str],
    ) -> None:
        self._node = node
        self._table = table
        self._check = check
        self._apply = apply
        said = self._refuse_unknown(arguments)
        given = {parameter.name: self._declare(parameter, said) for parameter in table}
        try:
            self.values: dict[str, Value] = table.merged(table.defaults(), given)
        except FerError as error:
            raise ConfigurationError(str(error)) from error
        #: Names of the parameters that the user has set, at start or since.
        self.given = {name for name in node._parameter_overrides if name in table}
        node.add_pre_set_parameters_callback(self._with_types)
        node.add_on_set_parameters_callback(self._on_set)
        node.add_post_set_parameters_callback(self._on_post_set)

    def adopt(self, changes: Mapping[str, Value]) -> None:
        """Set parameters by the node's own choice: they do not count as set by the user.

        Raises
        ------
        ConfigurationError
            if they contradict other parameters.
        """
        given = set(self.given)
        parameters = [ros_parameter(name, value) for name, value in changes.items()]
        result = self._node.set_parameters_atomically(parameters)
        self.given = given
        if not result.successful:
            raise ConfigurationError(result.reason)

    def _refuse_unknown(self, arguments: Sequence[str]) -> Mapping[str, object]:
        """Return the values on the command line."""
        # rclpy ignores files that do not reach the node and overrides of parameters that are never
        # declared, so that a typing error would go unnoticed.
        log = self._node.get_logger()
        foreign, said = check_command_line(
            arguments, self._node.get_fully_qualified_name(), self._table, log.info, log.warning
        )
        for name in self._node._parameter_overrides:
            if name not in self._table and name not in foreign and not is_ros_parameter(name):
                raise ConfigurationError(self._table.unknown(name))
        return said

    def _declare(self, parameter: Parameter, said: Mapping[str, object]) -> object:
        override = self._node._parameter_overrides.get(parameter.name)
        if override is not None:
            # Checked first, because rclpy's errors name neither the range nor the remedy.
            try:
                checked = parameter.check(plain(said.get(parameter.name, override.value)))
            except FerError as error:
                raise ConfigurationError(f"node '{self._table.node}': {error}") from error
            self._node._parameter_overrides[parameter.name] = ros_parameter(parameter.name, checked)
        return plain(
            self._node.declare_parameter(
                parameter.name,
                ros_parameter(parameter.name, parameter.default).value,
                descriptor(parameter),
            ).value
        )

    def _with_types(self, parameters: list[RosParameter[Any]]) -> list[RosParameter[Any]]:
        """Return new values in the parameters' own types, as far as these can take them.

        Otherwise rclpy refuses an empty list, and what `ros2 param set` makes of `off` and of `5`.
        """
        return [self._typed(parameter) for parameter in parameters]

    def _typed(self, parameter: RosParameter[Any]) -> RosParameter[Any]:
        if parameter.name not in self._table:
            return parameter
        own, value = self._table[parameter.name], plain(parameter.value)
        if own.is_array and not value:
            return RosParameter(parameter.name, self._node.get_parameter(parameter.name).type_, [])
        try:
            return ros_parameter(parameter.name, own.check(value))
        except FerError:
            # The reason is said by `_on_set`.
            return parameter

    def _on_set(self, parameters: list[RosParameter[Any]]) -> SetParametersResult:
        changes = self._own(parameters)
        if not changes:
            return SetParametersResult(successful=True)
        try:
            merged = self._table.merged(self.values, changes)
            self._check(merged, self._changed(merged))
        except FerError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _on_post_set(self, parameters: list[RosParameter[Any]]) -> None:
        merged = self._table.merged(self.values, self._own(parameters))
        changed = self._changed(merged)
        self.given |= {parameter.name for parameter in parameters if parameter.name in self._table}
        if changed:
            self.values = merged
            self._apply(merged, changed)

    def _own(self, parameters: list[RosParameter[Any]]) -> dict[str, Any]:
        # The others are rclpy's own, for clock and QoS.
        return {p.name: plain(p.value) for p in parameters if p.name in self._table}

    def _changed(self, merged: Mapping[str, Value]) -> frozenset[str]:
        return frozenset(name for name, value in merged.items() if value != self.values[name])


def descriptor(parameter: Parameter) -> ParameterDescriptor:
    """Return the descriptor that `ros2 param describe` and rqt_reconfigure show."""
    unit = f" [{parameter.unit}]" if parameter.unit else ""
    resets = f" A change resets {parameter.resets}." if parameter.resets else ""
    result = ParameterDescriptor(
        name=parameter.name,
        description=f"{parameter.description}{unit}{resets}",
        read_only=not parameter.live,
        additional_constraints=f"one of {parameter.range_text}" if parameter.choices else "",
    )
    if parameter.minimum is None and parameter.maximum is None:
        return result
    if parameter.element_type is int:
        low = _INTEGERS[0] if parameter.minimum is None else int(parameter.minimum)
        high = _INTEGERS[1] if parameter.maximum is None else int(parameter.maximum)
        result.integer_range = [IntegerRange(from_value=low, to_value=high)]
    else:
        minimum = -_BOUNDLESS if parameter.minimum is None else float(parameter.minimum)
        maximum = _BOUNDLESS if parameter.maximum is None else float(parameter.maximum)
        result.floating_point_range = [FloatingPointRange(from_value=minimum, to_value=maximum)]
    return result


def ros_parameter(name: str, value: object) -> RosParameter[Any]:
    """Return a parameter of rclpy, which takes no tuples."""
    return RosParameter(name, value=list(value) if isinstance(value, tuple) else value)


def plain(value: Any) -> Any:
    """Return an array value as a tuple, so that values can be compared."""
    return value if isinstance(value, (bool, int, float, str)) or value is None else tuple(value)
