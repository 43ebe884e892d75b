"""The parameter table of every node, gathered from the packages of the nodes."""

from __future__ import annotations

import importlib

from fer.bringup.graph import NODES
from fer_common.core.parameters import ParameterTable


def parameter_tables() -> dict[str, ParameterTable]:
    """Return the table of every node by the node's name, in the order of the graph."""
    return {
        node.name: importlib.import_module(f"{node.package}.core.parameters").TABLE
        for node in NODES
    }
