"""Parameters of running nodes, by their parameter services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParametersAtomically,
)
from rclpy.parameter import parameter_value_to_python

from fer_common.core.errors import ParameterError
from fer_common.ros.graph_client import GraphClient
from fer_common.ros.parameter_server import plain, ros_parameter

_TYPE_NAMES = {
    ParameterType.PARAMETER_BOOL: "bool",
    ParameterType.PARAMETER_INTEGER: "integer",
    ParameterType.PARAMETER_DOUBLE: "double",
    ParameterType.PARAMETER_STRING: "string",
    ParameterType.PARAMETER_BYTE_ARRAY: "byte[]",
    ParameterType.PARAMETER_BOOL_ARRAY: "bool[]",
    ParameterType.PARAMETER_INTEGER_ARRAY: "integer[]",
    ParameterType.PARAMETER_DOUBLE_ARRAY: "double[]",
    ParameterType.PARAMETER_STRING_ARRAY: "string[]",
}


class NodeParameters:
    """The parameters of one node.

    Every method raises FerError if the node does not run or does not answer, and ParameterError
    if it has no parameter of a given name.

    Parameters
    ----------
    client : reaches the graph.
    node : name of the node.
    """

    def __init__(self, client: GraphClient, node: str) -> None:
        self._client = client
        self.node = node

    def names(self) -> list[str]:
        """Return the names of all parameters, sorted."""
        response = self._call(ListParameters, "list_parameters", ListParameters.Request())
        return sorted(response.result.names)

    def get(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the values of parameters by name; arrays are tuples."""
        wanted = list(names)
        values = self._ask(GetParameters, "get_parameters", wanted, "values")
        return {
            name: plain(parameter_value_to_python(value))
            for name, value in zip(wanted, values, strict=True)
        }

    def types(self, names: Sequence[str]) -> dict[str, str]:
        """Return the types of parameters by name, such as "double[]"."""
        types = self._ask(GetParameterTypes, "get_parameter_types", names, "types")
        return {name: _TYPE_NAMES[kind] for name, kind in zip(names, types, strict=True)}

    def describe(self, names: Sequence[str]) -> list[str]:
        """Return type, value, range and description of parameters, one text each."""
        values = self.get(names)
        return [describe(each, values[each.name]) for each in self.descriptors(names)]

    def descriptors(self, names: Sequence[str]) -> list[ParameterDescriptor]:
        """Return the descriptors of parameters, in the order of their names."""
        return self._ask(DescribeParameters, "describe_parameters", names, "descriptors")

    def set(self, values: Mapping[str, object]) -> None:
        """Set parameters: all of them, or none.

        Raises
        ------
        ParameterError
            with the node's reason, if it refuses.
        """
        if not values:
            return
        request = SetParametersAtomically.Request(
            parameters=[ros_parameter(*each).to_parameter_msg() for each in values.items()]
        )
        result = self._call(SetParametersAtomically, "set_parameters_atomically", request).result
        if not result.successful:
            raise ParameterError(f"node '{self.node}' refuses: {result.reason}")

    def _ask(self, kind: Any, service: str, names: Sequence[str], field: str) -> list[Any]:
        """Return what a service answers about each of the names."""
        if not names:
            return []
        response = self._call(kind, service, kind.Request(names=names))
        answers = list(getattr(response, field))
        types = [getattr(answer, "type", answer) for answer in answers]
        if len(answers) != len(names) or ParameterType.PARAMETER_NOT_SET in types:
            known = set(self.names())
            unknown = ", ".join(f"'{name}'" for name in names if name not in known)
            raise ParameterError(
                f"node '{self.node}' has no parameter {unknown}: "
                f"`fer param list {self.node}` shows all"
            )
        return answers

    def _call(self, kind: Any, service: str, request: Any) -> Any:
        return self._client.call(kind, f"{self.node}/{service}", request, self.node)


def describe(descriptor: ParameterDescriptor, value: object) -> str:
    """Return name, type, value, range and description of a parameter, as lines."""
    lines = [f"{descriptor.name} = {value}"]
    if descriptor.description:
        lines.append(f"  {descriptor.description}")
    ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
    facts = [f"type: {_TYPE_NAMES.get(descriptor.type, 'unknown')}"]
    facts += [f"range: {given.from_value:g} to {given.to_value:g}" for given in ranges]
    if descriptor.additional_constraints:
        facts.append(descriptor.additional_constraints)
    facts.append("read-only" if descriptor.read_only else "live")
    return "\n".join([*lines, "  " + "; ".join(facts)])
