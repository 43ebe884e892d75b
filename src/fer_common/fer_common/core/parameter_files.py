"""Parameter files: written from the tables with comments, and checked against them."""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import yaml

from fer_common.core.errors import ConfigurationError, ParameterError
from fer_common.core.parameters import Parameter, ParameterTable, Value
from fer_common.core.yaml_files import parse_yaml, read_yaml

#: Parameters that rclpy itself declares, which no table lists.
ROS_PARAMETERS = frozenset({"use_sim_time", "start_type_description_service"})
#: Every quality of service is overridable by parameters below this name.
QOS_OVERRIDES = "qos_overrides"
#: Options that give one parameter to any node.
_RULES = ("-p", "--param")
_PARAMETERS = "ros__parameters"


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


@dataclass(frozen=True)
class Block:
    """The parameters below one `ros__parameters` of a parameter file.

    Attributes
    ----------
    pattern : name of the node, absolute. As a part of it, `*` means any one name and `**` any
        number of them.
    """

    pattern: str
    values: Mapping[str, object]

    @property
    def node(self) -> str:
        """Last part of the pattern: the name of a node, `*` or `**`."""
        return self.pattern.rsplit("/", 1)[-1]

    @property
    def is_for_any_node(self) -> bool:
        """Whether the block names no node, so that it may hold parameters of several."""
        return "*" in self.node

    @property
    def is_for_all(self) -> bool:
        """Whether the block names neither a node nor a namespace."""
        return not self.pattern.strip("/*")

    def reaches(self, node: str) -> bool:
        """Whether rcl gives these values to a node, by its fully qualified name."""
        pattern = re.escape(self.pattern).replace(r"/\*\*", r"(/\w+)*").replace(r"/\*", r"/\w+")
        return re.fullmatch(pattern, node) is not None


def read_blocks(path: Path) -> list[Block]:
    """Return the blocks of a parameter file in their order.

    Raises
    ------
    ConfigurationError
        if the file cannot be read or is not a parameter file.
    """
    document = read_yaml(path, f"parameter file {path}")
    if not isinstance(document, dict):
        raise ConfigurationError(
            f"parameter file {path} holds no nodes: see config/fer.yaml for the form"
        )
    return list(_walk(path, document, ""))


def read_parameter_file(
    path: Path,
    tables: Mapping[str, ParameterTable],
    namespace: str | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> dict[str, dict[str, Value]]:
    """Read a ROS parameter file and check everything in it that is meant for nodes with a table.

    Parameters
    ----------
    namespace : of these nodes, absolute; None: blocks with another namespace count too.
    warn : called with a sentence for each setting that has no effect.

    Returns
    -------
    The values given, by node. A block for any node (such as `/**`) may hold parameters of others;
    its values count for every node that has the parameter. As in rcl, later blocks win.

    Raises
    ------
    ConfigurationError
        if the file cannot be read, is not a parameter file, reaches none of the nodes, or holds
        an unknown parameter or a bad value.
    """
    given: dict[str, dict[str, object]] = {node: {} for node in tables}
    names = {node: f"{(namespace or '').rstrip('/')}/{node}" for node in tables}
    blocks = read_blocks(path)
    _check_reach(path, blocks, names, namespace, warn)
    for block in blocks:
        for node, table in tables.items():
            if block.is_for_any_node if namespace is None else block.reaches(names[node]):
                known = table if block.is_for_any_node else block.values
                own = {name: each for name, each in block.values.items() if name in known}
                given[node].update(own)
            elif namespace is None and block.node == node:
                given[node].update(block.values)
        if block.is_for_any_node:
            for hint in _misspelt(block, tables.values()):
                warn(f"{path}: {hint}")
    result: dict[str, dict[str, Value]] = {}
    for node, values in given.items():
        own = {name: value for name, value in values.items() if not is_ros_parameter(name)}
        try:
            merged = tables[node].merged(tables[node].defaults(), own)
        except ParameterError as error:
            raise ConfigurationError(f"{path}: {error}") from error
        result[node] = {name: merged[name] for name in own}
    return result


def _check_reach(
    path: Path,
    blocks: Sequence[Block],
    names: Mapping[str, str],
    namespace: str | None,
    warn: Callable[[str], None],
) -> None:
    """Refuse a file none of whose blocks reaches a node; warn of each block that misses one."""
    if namespace is None:
        return
    idle = [block for block in blocks if not any(map(block.reaches, names.values()))]
    if len(idle) == len(blocks):
        raise ConfigurationError(
            f"parameter file {path} reaches no node of fer: its blocks are "
            f"{', '.join(block.pattern for block in blocks) or 'none'}, and the nodes are "
            f"{', '.join(names.values())}: correct the names, or write /**/NODE"
        )
    for block in idle:
        if block.node in names:
            warn(f"{path}: block {block.pattern} has no effect: the node is {names[block.node]}")


def _misspelt(block: Block, tables: Iterable[ParameterTable]) -> Iterable[str]:
    """Say which parameters of a block for any node look like a node's, misspelt."""
    known = {parameter.name for table in tables for parameter in table}
    for name in block.values:
        if name not in known and not is_ros_parameter(name):
            for near in difflib.get_close_matches(name, known, n=1, cutoff=0.75):
                yield (
                    f"no node of fer has the parameter '{name}' of block {block.pattern}: "
                    f"did you mean '{near}'?"
                )


def check_command_line(
    arguments: Sequence[str],
    node: str,
    table: ParameterTable,
    inform: Callable[[str], None] = lambda text: None,
    warn: Callable[[str], None] = lambda text: None,
) -> tuple[set[str], dict[str, object]]:
    """Check the parameter files and the names of parameters on the command line of one node.

    Parameters
    ----------
    inform, warn : called with a sentence for each file, and for each parameter, that has no effect
        on the node.

    Returns
    -------
    Names of parameters that are given to any node, so that this one need not know them; and the
    values given to this node, where the last one on the command line wins. (In rcl, a value of
    `-p` loses against a file before it, if the file names any node first and then this one.)

    Raises
    ------
    ConfigurationError
        if a file means the node, by its name or as any node, but does not reach it.
    """
    foreign: set[str] = set()
    given: dict[str, object] = {}
    own_names = {node.rsplit("/", 1)[-1], table.node}
    for option, value in pairwise(arguments):
        if option == "--params-file":
            path, blocks = Path(value), read_blocks(Path(value))
            reaching = [block for block in blocks if block.reaches(node)]
            for block in reaching:
                given |= block.values
                foreign |= set(block.values) if block.is_for_any_node else set()
            if not reaching:
                names = ", ".join(block.pattern for block in blocks) or "none"
                text = f"parameter file {path} does not reach {node}: its blocks are {names}"
                if any(block.is_for_all or block.node in own_names for block in blocks):
                    raise ConfigurationError(f"{text}: write {node} or /**")
                inform(text)
        elif option in _RULES:
            # launch sets a parameter for all nodes of a file in this way (SetParameter).
            name, _, text = value.partition(":=")
            if name in table:
                given[name] = parse_yaml(text)
            elif not (":" in name or is_ros_parameter(name) or table.is_misspelt(name)):
                foreign.add(name)
                warn(table.unknown(name))
    return foreign, given


def _walk(path: Path, tree: Mapping[object, object], prefix: str) -> Iterable[Block]:
    for key, value in tree.items():
        if key != _PARAMETERS and difflib.get_close_matches(str(key), [_PARAMETERS], cutoff=0.85):
            raise ConfigurationError(
                f"parameter file {path}: '{prefix}{key}' is misspelt: write '{_PARAMETERS}', with "
                "two underscores"
            )
        if not isinstance(value, dict):
            raise ConfigurationError(
                f"parameter file {path}: '{prefix}{key}' lacks '{_PARAMETERS}:' below it"
            )
        if key == _PARAMETERS:
            values = dict(_flatten(value, ""))
            _check_values(path, values)
            yield Block("/" + prefix.strip("/"), values)
        else:
            yield from _walk(path, value, f"{prefix}{key}/")


def _flatten(tree: Mapping[object, object], prefix: str) -> Iterable[tuple[str, object]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _check_values(path: Path, values: Mapping[str, object]) -> None:
    """Refuse values with which rcl refuses the whole file, and those of the wrong type of rclpy."""
    for name, value in values.items():
        where = f"parameter file {path}: '{name}'"
        if value is None:
            raise ConfigurationError(f"{where} has no value: give one, or remove the line")
        if isinstance(value, list) and len({type(element) for element in value}) > 1:
            raise ConfigurationError(
                f"{where} is {value}: give values of one type, such as [4.0, 6.5]"
            )
        if name in ROS_PARAMETERS and not isinstance(value, bool):
            raise ConfigurationError(f"{where} is {value!r}: give true or false")


def literal(value: Value) -> str:
    """Return a value as ROS and YAML read it back."""
    if isinstance(value, tuple):
        return "[" + ", ".join(literal(element) for element in value) + "]"
    if isinstance(value, float):
        text = repr(value)
        # Readers of YAML 1.1 take 1e-05 for a text.
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
