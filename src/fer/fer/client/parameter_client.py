"""Talks to the parameter services of running nodes, and waits for their answers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor, ParameterType
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.parameter_client import AsyncParameterClient

from fer.bringup.environment import graph_environment
from fer.bringup.graph import absolute
from fer.bringup.installed import config_folder
from fer_common.core.errors import FerError, ParameterError

_TIMEOUT_S = 5.0
_DISCOVERY_S = 3.0
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


class ParameterClient:
    """A short-lived ROS node, for use in a `with` block.

    Parameters
    ----------
    namespace : of the nodes that are asked.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = absolute(namespace).rstrip("/")
        os.environ.update(graph_environment(os.environ, config_folder()))
        self._context = Context()
        rclpy.init(context=self._context)
        self._node = Node(
            f"fer_param_{os.getpid()}", context=self._context, start_parameter_services=False
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._clients: dict[str, AsyncParameterClient] = {}

    def __enter__(self) -> ParameterClient:
        return self

    def __exit__(self, *error: object) -> None:
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()

    def running(self, nodes: Sequence[str]) -> list[str]:
        """Return those of the nodes that are there.

        Raises
        ------
        FerError
            if none is.
        """
        clients = [self._client(node) for node in nodes]
        # A part of the graph may be left out, so there is no knowing whom to wait for.
        self._wait(lambda: all(client.services_are_ready() for client in clients), _DISCOVERY_S)
        found = [node for node in nodes if self._client(node).services_are_ready()]
        if not found:
            raise FerError(
                f"no node of fer runs in namespace '{self._namespace}': start them with `fer up`"
            )
        return found

    def names(self, node: str) -> list[str]:
        """Names of a node's parameters, sorted."""
        return sorted(self._call(node, "list_parameters").result.names)

    def get(self, node: str, names: Iterable[str]) -> dict[str, Any]:
        """Values of parameters by name; arrays are tuples.

        Raises
        ------
        ParameterError
            if the node has no such parameter.
        """
        wanted = list(names)
        if not wanted:
            return {}
        values = self._call(node, "get_parameters", wanted).values
        if len(values) != len(wanted) or any(
            value.type == ParameterType.PARAMETER_NOT_SET for value in values
        ):
            raise self._unknown(node, wanted)
        return {
            name: _plain(parameter_value_to_python(value))
            for name, value in zip(wanted, values, strict=True)
        }

    def types(self, node: str, names: Sequence[str]) -> dict[str, str]:
        """Types of parameters by name, such as "double[]".

        Raises
        ------
        ParameterError
            if the node has no such parameter.
        """
        types = self._call(node, "get_parameter_types", list(names)).types
        if len(types) != len(names) or ParameterType.PARAMETER_NOT_SET in types:
            raise self._unknown(node, names)
        return {name: _TYPE_NAMES[kind] for name, kind in zip(names, types, strict=True)}

    def set(self, node: str, values: Mapping[str, object]) -> None:
        """Set parameters as a whole.

        Raises
        ------
        ParameterError
            with the node's reason, if it refuses; nothing has then been changed.
        """
        if not values:
            return
        parameters = [
            Parameter(
                name, value=list(value) if isinstance(value, tuple) else value
            ).to_parameter_msg()
            for name, value in values.items()
        ]
        result = self._call(node, "set_parameters_atomically", parameters).result
        if not result.successful:
            raise ParameterError(f"node '{node}' refuses: {result.reason}")

    def describe(self, node: str, names: Sequence[str]) -> list[str]:
        """Describe parameters for people, one text each.

        Raises
        ------
        ParameterError
            if the node has no such parameter.
        """
        descriptors = self._call(node, "describe_parameters", list(names)).descriptors
        if len(descriptors) != len(names) or any(
            d.type == ParameterType.PARAMETER_NOT_SET for d in descriptors
        ):
            raise self._unknown(node, names)
        values = self.get(node, names)
        return [describe(descriptor, values[descriptor.name]) for descriptor in descriptors]

    def _unknown(self, node: str, names: Sequence[str]) -> ParameterError:
        known = set(self.names(node))
        unknown = ", ".join(f"'{name}'" for name in names if name not in known)
        return ParameterError(
            f"node '{node}' has no parameter {unknown}: `fer param list {node}` shows all"
        )

    def _client(self, node: str) -> AsyncParameterClient:
        if node not in self._clients:
            self._clients[node] = AsyncParameterClient(self._node, f"{self._namespace}/{node}")
        return self._clients[node]

    def _call(self, node: str, method: str, *arguments: Any) -> Any:
        client = self._client(node)
        if not self._wait(client.services_are_ready):
            raise FerError(f"node '{self._namespace}/{node}' does not run: start it with `fer up`")
        future = getattr(client, method)(*arguments)
        if not self._wait(future.done):
            raise FerError(f"node '{self._namespace}/{node}' does not answer: see its log")
        return future.result()

    def _wait(self, condition: Any, timeout_s: float = _TIMEOUT_S) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                return False
            self._executor.spin_once(timeout_sec=0.02)
        return True


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
    facts.append("fixed at start" if descriptor.read_only else "live")
    return "\n".join([*lines, "  " + "; ".join(facts)])


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str)) or value is None else tuple(value)
