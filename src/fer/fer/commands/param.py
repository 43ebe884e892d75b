"""`fer param`: parameters of running nodes, for machines without ros2cli."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from fer.bringup.graph import NAMESPACE, NODES
from fer.commands.verbs import add_verb, run_verb
from fer_common.core.errors import FerError, ParameterError
from fer_common.core.parameter_files import read_parameter_file

if TYPE_CHECKING:
    from fer.client.parameter_client import ParameterClient

_NAMES = tuple(node.name for node in NODES)
_TYPES: Mapping[str, type] = {"bool": bool, "integer": int, "double": float, "string": str}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    parser.add_argument(
        "--namespace", default=NAMESPACE, help="namespace of the nodes (default: %(default)s)"
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    verb = add_verb(verbs, "list", _list, "show the parameters of one node or of all")
    verb.add_argument("node", nargs="?", choices=_NAMES, metavar="NODE")

    verb = add_verb(verbs, "get", _get, "show the value of a parameter")
    _add_node(verb)
    verb.add_argument("name", metavar="NAME")

    verb = add_verb(verbs, "set", _set, "change parameters: all of them, or none if one is refused")
    _add_node(verb)
    verb.add_argument("pairs", nargs="+", metavar="NAME VALUE", help="names and values in turn")

    verb = add_verb(
        verbs, "describe", _describe, "show type, unit, range and meaning of a parameter"
    )
    _add_node(verb)
    verb.add_argument("name", nargs="?", metavar="NAME", help="one of them (default: all)")

    verb = add_verb(
        verbs, "dump", _dump, "write the values as a parameter file, for `fer up --params`"
    )
    verb.add_argument("node", nargs="?", choices=_NAMES, metavar="NODE")
    verb.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write (default: standard output)"
    )

    verb = add_verb(
        verbs,
        "load",
        _load,
        "set what a parameter file says; parameters fixed at start are left out",
    )
    verb.add_argument("file", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    return run_verb(arguments)


def typed(text: str, type_name: str) -> object:
    """Return what a value on the command line means, by the rules of YAML: true, 3, [4, .5].

    Parameters
    ----------
    text : as typed.
    type_name : type of the parameter: "bool", "integer", "double", "string", or one of these and
        "[]".

    Raises
    ------
    ParameterError
        if the text is no value of that type; an integer is taken for a double.
    """
    if type_name == "string":
        return text
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = None
    if type_name.endswith("[]"):
        kind = _TYPES[type_name.removesuffix("[]")]
        elements = (
            tuple(_as(kind, element) for element in value) if isinstance(value, list) else (None,)
        )
        if None not in elements:
            return elements
    elif (scalar := _as(_TYPES[type_name], value)) is not None:
        return scalar
    raise ParameterError(
        f"value {text!r} is no {type_name}: give a value of that type, lists as [A, B]"
    )


def _as(kind: type, value: object) -> object:
    """Return the value in this type, None if it is of another one."""
    if kind is not float:
        return value if type(value) is kind else None
    if type(value) not in (int, float, str):
        return None
    try:
        # YAML takes 1e-3 for a text, because it has no point.
        return float(value)  # type: ignore[arg-type]
    except ValueError:
        return None


def _add_node(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("node", choices=_NAMES, metavar="NODE", help=f"one of {', '.join(_NAMES)}")


def _client(arguments: argparse.Namespace) -> ParameterClient:
    from fer.client.parameter_client import ParameterClient

    return ParameterClient(arguments.namespace)


def _list(arguments: argparse.Namespace) -> int:
    with _client(arguments) as client:
        for node in [arguments.node] if arguments.node else client.running(_NAMES):
            print(f"{node}:")
            print("\n".join(f"  {name}" for name in client.names(node)))
    return 0


def _get(arguments: argparse.Namespace) -> int:
    with _client(arguments) as client:
        print(_text(client.get(arguments.node, [arguments.name])[arguments.name]))
    return 0


def _set(arguments: argparse.Namespace) -> int:
    if len(arguments.pairs) % 2:
        raise ParameterError(
            f"parameter '{arguments.pairs[-1]}' has no value: give names and values in turn"
        )
    names, texts = arguments.pairs[::2], arguments.pairs[1::2]
    given = dict(zip(names, texts, strict=True))
    with _client(arguments) as client:
        types = client.types(arguments.node, names)
        client.set(arguments.node, {name: typed(text, types[name]) for name, text in given.items()})
    return 0


def _describe(arguments: argparse.Namespace) -> int:
    with _client(arguments) as client:
        names = [arguments.name] if arguments.name else client.names(arguments.node)
        for description in client.describe(arguments.node, names):
            print(description)
    return 0


def _dump(arguments: argparse.Namespace) -> int:
    with _client(arguments) as client:
        nodes = [arguments.node] if arguments.node else client.running(_NAMES)
        values = {node: client.get(node, client.names(node)) for node in nodes}
    text = dump(arguments.namespace, values)
    if arguments.output is None:
        print(text, end="")
        return 0
    try:
        arguments.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FerError(f"{arguments.output} cannot be written: {error.strerror}") from error
    return 0


def dump(namespace: str, values: Mapping[str, Mapping[str, object]]) -> str:
    """Return a ROS parameter file that holds the given values, by node and name."""
    document = {
        f"/{namespace.strip('/')}/{node}".replace("//", "/"): {
            "ros__parameters": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in own.items()
            }
        }
        for node, own in values.items()
    }
    return yaml.safe_dump(document, sort_keys=False)


def _load(arguments: argparse.Namespace) -> int:
    from fer.bringup.tables import parameter_tables

    tables = parameter_tables()
    given = {
        node: values
        for node, values in read_parameter_file(arguments.file, tables).items()
        if values
    }
    with _client(arguments) as client:
        for node, values in given.items():
            live = {name: value for name, value in values.items() if tables[node][name].live}
            fixed = client.get(node, [name for name in values if name not in live])
            for name in sorted(name for name, value in fixed.items() if value != values[name]):
                print(
                    f"{node}: '{name}' is fixed at start: give the file to `fer up --params`",
                    file=sys.stderr,
                )
            client.set(node, live)
    return 0


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)
