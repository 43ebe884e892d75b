"""How a command reaches a running graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer.bringup.environment import prepare_environment
from fer_common.core.graph_names import NAMESPACE

if TYPE_CHECKING:
    from fer_common.ros.graph_client import GraphClient


def connect(namespace: str = NAMESPACE, name: str = "", use_sim_time: bool = False) -> GraphClient:
    """Return a client of a graph, after the environment was checked.

    The environment is checked before ROS is imported, too: without the middleware that
    RMW_IMPLEMENTATION names, the import ends the process.

    Parameters
    ----------
    namespace, name, use_sim_time : as for `GraphClient`.

    Raises
    ------
    FerError
        if ROS cannot start in this environment.
    """
    prepare_environment()
    from fer_common.ros.graph_client import GraphClient

    return GraphClient(namespace, name, use_sim_time)
