"""`fer param`: parameters of running nodes, for machines without ros2cli."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from fer.bringup.graph import NODES, parameter_tables
from fer.client import connect
from fer.commands.options import Function, add_verb, add_verbs, run_verb
from fer_common.core.atomic import check_writable, write_result
from fer_common.core.errors import ParameterError
from fer_common.core.graph_names import resolve
from fer_common.core.parameter_files import literal, read_parameter_file
from fer_common.core.parameters import Value
from fer_common.core.yaml_files import parse_yaml

if TYPE_CHECKING:
    from fer_common.ros.graph_client import GraphClient
    from fer_common.ros.node_parameters import NodeParameters

_NAMES = tuple(node.name for node in NODES)
_TYPES: Mapping[str, type] = {"bool": bool, "integer": int, "double": float, "string": str}

run = run_verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = add_verbs(parser)

    def verb(
        name: str, function: Function, text: str, nodes: str | None = None
    ) -> argparse.ArgumentParser:
        added = add_verb(verbs, name, function, text, namespace=True)
        default = " (default: all)" if nodes else ""
        text = f"one of {', '.join(_NAMES)}{default}"
        added.add_argument("node", nargs=nodes, choices=_NAMES, metavar="NODE", help=text)
        return added

    verb("list", _list, "list the parameters of one node or of all", "?")
    verb("get", _get, "show the value of a parameter").add_argument("name", metavar="NAME")
    verb("set", _set, "set parameters: all of them, or none if one is refused").add_argument(
        "pairs", nargs="+", metavar="NAME VALUE", help="names and values in turn"
    )
    verb("describe", _describe, "show type, unit, range and meaning of a parameter").add_argument(
        "name", nargs="?", metavar="NAME", help="one of them (default: all)"
    )
    dumping = "write the values as a parameter file, for `fer up --params`"
    verb("dump", _dump, dumping, "?").add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write (default: standard output)"
    )
    loading = "set the parameters in a file, except those that are read-only"
    add_verb(verbs, "load", _load, loading, namespace=True).add_argument(
        "file", type=Path, metavar="FILE"
    )


def typed(text: str, type_name: str) -> object:
    """Return the value that is meant on the command line, as ROS reads YAML: true, 3, [4, 0.5].

    Parameters
    ----------
    text : as typed.
    type_name : type of the parameter: "bool", "integer", "double", "string", or one of these and
        "[]". A list of strings may be typed as `a`, `a, b` or `[a, b]`.

    Raises
    ------
    ParameterError
        if the text is not a value of that type; an integer is converted to a double.
    """
    if type_name == "string":
        return text
    kind = _TYPES[type_name.removesuffix("[]")]
    if not type_name.endswith("[]"):
        value = _as(kind, _parsed(text))
        if value is not None:
            return value
    else:
        bare = kind is str and not text.lstrip().startswith("[")
        value = _parsed(f"[{text}]" if bare else text)
        elements = [_as(kind, each) for each in value] if isinstance(value, list) else [None]
        if None not in elements:
            return tuple(elements)
    example = ", lists as [A, B]" if type_name.endswith("[]") else ""
    raise ParameterError(f"value {text!r} is no {type_name}: give a value of that type{example}")


def _parsed(text: str) -> object:
    try:
        return parse_yaml(text)
    except yaml.YAMLError:
        return None


def _as(kind: type, value: object) -> object:
    """Return the value in this type, None if it is of another one."""
    if kind is float and type(value) is int:
        return float(value)
    if kind is str and type(value) in (bool, int, float):
        return str(value)
    return value if type(value) is kind else None


def _parameters(client: GraphClient, node: str) -> NodeParameters:
    from fer_common.ros.node_parameters import NodeParameters

    return NodeParameters(client, node)


def _list(arguments: argparse.Namespace) -> int:
    with connect(arguments.namespace) as client:
        for node in [arguments.node] if arguments.node else client.running(_NAMES):
            print(f"{node}:")
            print("\n".join(f"  {name}" for name in _parameters(client, node).names()))
    return 0


def _get(arguments: argparse.Namespace) -> int:
    with connect(arguments.namespace) as client:
        values = _parameters(client, arguments.node).get([arguments.name])
    print(_text(values[arguments.name]))
    return 0


def _set(arguments: argparse.Namespace) -> int:
    if len(arguments.pairs) % 2:
        raise ParameterError(
            f"parameter '{arguments.pairs[-1]}' has no value: give names and values in turn"
        )
    given = dict(zip(arguments.pairs[::2], arguments.pairs[1::2], strict=True))
    with connect(arguments.namespace) as client:
        parameters = _parameters(client, arguments.node)
        types = parameters.types(list(given))
        _apply(parameters, {name: typed(text, types[name]) for name, text in given.items()})
    return 0


def _apply(parameters: NodeParameters, values: Mapping[str, object]) -> None:
    """Set parameters and print what they are set to."""
    parameters.set(values)
    for name, value in values.items():
        print(f"{parameters.node}: {name} = {_text(value)}")


def _describe(arguments: argparse.Namespace) -> int:
    with connect(arguments.namespace) as client:
        parameters = _parameters(client, arguments.node)
        names = [arguments.name] if arguments.name else parameters.names()
        print("\n".join(parameters.describe(names)))
    return 0


def _dump(arguments: argparse.Namespace) -> int:
    check_writable(arguments.output)
    with connect(arguments.namespace) as client:
        values = {}
        for node in [arguments.node] if arguments.node else client.running(_NAMES):
            parameters = _parameters(client, node)
            values[node] = parameters.get(parameters.names())
    text = dump(arguments.namespace, values)
    if arguments.output is None:
        print(text, end="")
        return 0
    write_result(arguments.output, text.encode())
    return 0


def dump(namespace: str, values: Mapping[str, Mapping[str, Value]]) -> str:
    """Return a ROS parameter file that holds the given values, by node and name."""
    lines = []
    for node, own in values.items():
        lines += [f"{resolve(namespace, node)}:", "  ros__parameters:"]
        lines += [f"    {name}: {literal(value)}" for name, value in own.items()]
    return "\n".join([*lines, ""])


def _load(arguments: argparse.Namespace) -> int:
    tables = parameter_tables()
    given = {
        node: values
        for node, values in read_parameter_file(arguments.file, tables).items()
        if values
    }
    with connect(arguments.namespace) as client:
        for node, values in given.items():
            parameters = _parameters(client, node)
            live = {name: value for name, value in values.items() if tables[node][name].live}
            fixed = parameters.get([name for name in values if name not in live])
            for name in sorted(name for name, value in fixed.items() if value != values[name]):
                print(
                    f"{node}: '{name}' is read-only: give the file to `fer up --params`",
                    file=sys.stderr,
                )
            _apply(parameters, live)
    return 0


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
