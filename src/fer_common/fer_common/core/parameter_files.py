"""Parameter files: written from the tables with comments, and checked against them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from fer_common.core.errors import ConfigurationError, ParameterError
from fer_common.core.parameters import Parameter, ParameterTable, Value
from fer_common.core.yaml_files import read_yaml

#: Parameters that rclpy itself declares, which no table lists.
ROS_PARAMETERS = frozenset({"use_sim_time", "start_type_description_service"})
#: Every quality of service is overridable by parameters below this name.
QOS_OVERRIDES = "qos_overrides"


def is_ros_parameter(name: str) -> bool:
    """Whether rclpy itself knows the parameter."""
    return name in ROS_PARAMETERS or name.split(".", maxsplit=1)[0] == QOS_OVERRIDES


def to_yaml(tables: Iterable[ParameterTable]) -> str:
    """Return a ROS parameter file with every parameter at its default, commented."""
    blocks = [
        "# Every parameter of fer at its default. Lines that you leave out keep it.",
        "# [live] can be changed while it runs: ros2 param set /fer/NODE NAME VALUE",
    ]
    for table in tables:
        lines = [f"/**/{table.node}:", "  ros__parameters:"]
        for parameter in table:
            lines += [
                f"    # {_comment(parameter)}",
                f"    {parameter.name}: {literal(parameter.default)}",
            ]
        blocks.append("\n".join(lines))
    return "\n".join(blocks[:2]) + "\n\n" + "\n\n".join(blocks[2:]) + "\n"


def to_markdown(table: ParameterTable) -> str:
    """Return the table of one node for the documentation."""
    lines = [
        "| parameter | type | default | unit | range | live | what it does |",
        "| --- " * 7 + "|",
    ]
    for parameter in table:
        cells = (
            f"`{parameter.name}`",
            parameter.type_name,
            f"`{literal(parameter.default)}`",
            parameter.unit,
            parameter.range_text,
            "yes" if parameter.live else "no",
            parameter.description + _resets(parameter),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def read_parameter_file(
    path: Path, tables: Mapping[str, ParameterTable]
) -> dict[str, dict[str, Value]]:
    """Read a ROS parameter file and check everything in it that is meant for nodes with a table.

    Parameters
    ----------
    path : the file.
    tables : table of each node, by the node's name.

    Returns
    -------
    The values given, by node; a block for all nodes (`/**`) counts for every node that has the
    parameter.

    Raises
    ------
    ConfigurationError
        if the file cannot be read or is no parameter file, or names an unknown parameter or a bad
        value.
    """
    given: dict[str, dict[str, object]] = {node: {} for node in tables}
    for pattern, values in _blocks(path):
        node = pattern.rsplit("/", 1)[-1]
        if node in ("*", "**"):
            _spread(path, values, tables, given)
        elif node in tables:
            given[node].update(values)
    result: dict[str, dict[str, Value]] = {}
    for node, values in given.items():
        own = {name: value for name, value in values.items() if not is_ros_parameter(name)}
        try:
            merged = tables[node].merged(tables[node].defaults(), own)
        except ParameterError as error:
            raise ConfigurationError(f"{path}: {error}") from error
        result[node] = {name: merged[name] for name in own}
    return result


def _spread(
    path: Path,
    values: Mapping[str, object],
    tables: Mapping[str, ParameterTable],
    given: dict[str, dict[str, object]],
) -> None:
    for name, value in values.items():
        owners = [node for node, table in tables.items() if name in table]
        if not owners and not is_ros_parameter(name):
            raise ConfigurationError(
                f"{path}: no node has the parameter '{name}': correct or remove it"
            )
        for node in owners:
            given[node][name] = value


def _blocks(path: Path) -> list[tuple[str, dict[str, object]]]:
    document = read_yaml(path, f"parameter file {path}")
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"parameter file {path} holds no nodes: see config/fer.yaml for the form"
        )
    return list(_walk(path, document, ""))


def _walk(
    path: Path, tree: Mapping[object, object], prefix: str
) -> Iterable[tuple[str, dict[str, object]]]:
    for key, value in tree.items():
        if not isinstance(value, dict):
            raise ConfigurationError(
                f"parameter file {path}: '{prefix}{key}' lacks 'ros__parameters:' below it"
            )
        if key == "ros__parameters":
            yield prefix.rstrip("/"), dict(_flatten(value, ""))
        else:
            yield from _walk(path, value, f"{prefix}{key}/")


def _flatten(tree: Mapping[object, object], prefix: str) -> Iterable[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def literal(value: Value) -> str:
    """Return a value as ROS and YAML read it back."""
    if isinstance(value, tuple):
        return "[" + ", ".join(literal(element) for element in value) + "]"
    if isinstance(value, float):
        text = repr(value)
        # YAML 1.1 reads 1e-05 as text: a number needs its point.
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, str):
        # Not as JSON, whose escapes YAML reads as halves of a character.
        return yaml.safe_dump(value, default_style='"', width=sys.maxsize).strip()
    return json.dumps(value)


def _comment(parameter: Parameter) -> str:
    facts = [
        parameter.type_name,
        parameter.unit,
        parameter.range_text,
        "live" if parameter.live else "at start only",
    ]
    return (
        f"{parameter.description}{_resets(parameter)} [{'; '.join(fact for fact in facts if fact)}]"
    )


def _resets(parameter: Parameter) -> str:
    return f" A change resets {parameter.resets}." if parameter.resets else ""
