"""Writes config/fer.yaml and two pages: `python -m fer.bringup.parameter_docs [ROOT]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from fer.bringup import arguments
from fer.bringup.graph import NODES, parameter_tables
from fer_common.core.parameter_files import to_markdown, to_yaml
from fer_common.core.parameters import ParameterTable

_HEAD = """# Parameters

Every parameter of every node. `python -m fer.bringup.parameter_docs` writes this page and
[config/fer.yaml](../src/fer/config/fer.yaml), which holds the same defaults, from the nodes' own
tables.

- "live" parameters can be changed while the graph runs, with effect from the next frame:
  `ros2 param set /fer/NODE NAME VALUE`, or `fer param set NODE NAME VALUE` where there is no
  ros2cli. The others are read at start.
- Several values that are set together (`fer param set NODE NAME VALUE NAME VALUE`) are applied or
  refused as a whole, with the reason.
- A parameter file (`fer up --params FILE`, launch argument `params_file`) that names an unknown
  parameter or a value out of its range is refused before anything starts.
- Every topic's quality of service can be overridden at start by the parameters below
  `qos_overrides`, as ROS 2 defines them.
"""

_ARGUMENTS_HEAD = """# Arguments

The arguments with which a graph is started. `python -m fer.bringup.parameter_docs` writes this
page from [arguments.py](../src/fer/fer/bringup/arguments.py), which the launch files and `fer up`
use too.

- A launch file takes `NAME:=VALUE`, and `--show-args` lists its arguments. `fer up` takes options,
  and `fer up --help` lists them with those that launch files lack.
- An argument that is given wins over the parameter file.
- `split` and `peers` are for a graph on two hosts: robot.launch.py and workstation.launch.py, or
  `fer up --host`. Elsewhere they have no effect: `fer up` refuses them and launch files warn.

"""


def rendered(tables: Mapping[str, ParameterTable]) -> dict[Path, str]:
    """Return the text of every file that is made from the tables, by its path in the repository."""
    sections = [
        f"## {node.name} ({node.package})\n\n{to_markdown(tables[node.name])}" for node in NODES
    ]
    return {
        Path("config/fer.yaml"): to_yaml(tables.values()),
        Path("docs/parameters.md"): "\n".join([_HEAD, *sections]),
        Path("docs/arguments.md"): _ARGUMENTS_HEAD + arguments.to_markdown(),
    }


def main(argv: list[str]) -> int:
    """Write the files below the root of the repository, by default the present folder."""
    root = Path(argv[0]) if argv else Path()
    for path, text in rendered(parameter_tables()).items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
