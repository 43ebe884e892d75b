"""The nodes of the graph, and what each of them is started with.

This is the only list of them: `fer up` and the launch files both start what it says. Nothing here
imports ROS.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from fer_common.core.errors import ConfigurationError
from fer_common.core.graph_names import NAMESPACE, SNN, absolute, check_topic, resolve
from fer_common.core.parameters import ParameterTable

Host: TypeAlias = Literal["robot", "workstation"]
#: The last node on the robot where the graph is cut in two.
Split: TypeAlias = Literal["camera", "features"]

HOSTS: tuple[Host, ...] = ("robot", "workstation")
SPLITS: tuple[Split, ...] = ("camera", "features")
#: The node that publishes every frame.
CAMERA = "camera"
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")
#: Topic of the images, below the namespace.
IMAGE_TOPIC = "image_raw"
#: What image_transport puts behind it for compressed images.
COMPRESSED = "/compressed"

#: On the host behind a network, an image that is older when a node begins with it is skipped.
MAX_AGE_S = 0.4
#: Nodes that can queue frames instead of taking the newest.
_QUEUING = ("features", SNN)
#: Nodes that subscribe to images.
_LOOKING = ("features", "viz")


@dataclass(frozen=True)
class GraphNode:
    """One node, which is the executable `node` of its package."""

    name: str
    package: str

    @property
    def module(self) -> str:
        """Python module that is the node."""
        return f"{self.package}.ros.node"

    @property
    def component(self) -> str:
        """Class of the node, as `MODULE:CLASS`."""
        return f"{self.module}:{self.name.capitalize()}Node"


NODES = (
    GraphNode(CAMERA, "fer_camera"),
    GraphNode("features", "fer_features"),
    GraphNode(SNN, "fer_snn"),
    GraphNode("viz", "fer_viz"),
)
ALL_NODES = tuple(node.name for node in NODES)
_ON_ROBOT: Mapping[Split, tuple[str, ...]] = {"camera": (CAMERA,), "features": (CAMERA, "features")}


def host_of(name: str, split: Split) -> Host:
    """Return the host of a node in a graph on two hosts."""
    return "robot" if name in _ON_ROBOT[split] else "workstation"


@dataclass(frozen=True)
class Settings:
    """What the user gives at start; empty texts and None leave the nodes' own defaults.

    `fer.bringup.arguments` describes the fields that users know by these names.

    Attributes
    ----------
    hosts : which part of the graph to start. If it is that of one host, the other part is reached
        over a network, or is a bag if `every_frame` is set.
    every_frame : work on every frame, however late, instead of on the newest: for replays.
    use_composition : names of the nodes that share one process, as far as they are started.
    web : port of the web page of viz; 0: as in the parameter file.
    window : open the dashboard too, which is not a node of the graph.
    """

    namespace: str = NAMESPACE
    hosts: tuple[Host, ...] = HOSTS
    split: Split = "features"
    peers: tuple[str, ...] = ()
    source: str = ""
    params_file: Path | None = None
    weights: str = ""
    camera: bool = True
    viz: bool = True
    image_topic: str = IMAGE_TOPIC
    compressed: bool = False
    use_sim_time: bool | None = None
    every_frame: bool = False
    use_composition: tuple[str, ...] = ()
    log_level: str = "info"
    web: int = 0
    window: bool = False

    def __post_init__(self) -> None:
        absolute(self.namespace)
        if self.log_level not in LOG_LEVELS:
            raise ConfigurationError(
                f"log level '{self.log_level}' is unknown: choose one of {', '.join(LOG_LEVELS)}"
            )
        check_topic(self.image_topic)
        base = self.image_topic.removesuffix(COMPRESSED)
        if base != self.image_topic:
            raise ConfigurationError(
                f"image topic '{self.image_topic}' is that of compressed images: "
                f"give '{base}', and --compressed (launch: compressed:=true)"
            )
        if self.web and not (self.viz and "workstation" in self.hosts):
            raise ConfigurationError("the web page needs viz, which is not started here")

    @property
    def across(self) -> bool:
        """Whether the other part of the graph runs on another host."""
        return len(self.hosts) < len(HOSTS) and not self.every_frame


@dataclass(frozen=True)
class StartedNode:
    """A node with its parameters and remappings.

    Attributes
    ----------
    whole_images : whether it sends whole images within its host.
    """

    node: GraphNode
    parameters: Mapping[str, str | bool | float]
    remappings: tuple[tuple[str, str], ...]
    whole_images: bool = False


def parameter_tables() -> dict[str, ParameterTable]:
    """Return the parameter table of every node by the node's name, in the order of the graph."""
    return {
        node.name: importlib.import_module(f"{node.package}.core.parameters").TABLE
        for node in NODES
    }


def started_nodes(settings: Settings) -> list[StartedNode]:
    """Return the nodes to start, in the order of the graph."""
    left_out = {
        name for name, wanted in (("camera", settings.camera), ("viz", settings.viz)) if not wanted
    }
    return [
        StartedNode(
            node,
            _parameters(node, settings),
            _remappings(node, settings),
            whole_images=node.name == "viz"
            or (node.name == CAMERA and not (settings.across and settings.split == CAMERA)),
        )
        for node in NODES
        if host_of(node.name, settings.split) in settings.hosts and node.name not in left_out
    ]


def composed(started: Iterable[StartedNode], settings: Settings) -> list[StartedNode]:
    """Return those nodes that share one process; a single one has its own."""
    found = [each for each in started if each.node.name in settings.use_composition]
    return found if len(found) > 1 else []


def uses_sim_time(settings: Settings) -> bool:
    """Return whether the nodes take the time from /clock."""
    if settings.use_sim_time is not None or settings.params_file is None:
        return bool(settings.use_sim_time)
    from fer_common.core.parameter_files import read_blocks

    node = resolve(settings.namespace, SNN)
    blocks = [each for each in read_blocks(settings.params_file) if each.reaches(node)]
    return any(block.values.get("use_sim_time") for block in blocks)


def _parameters(node: GraphNode, settings: Settings) -> dict[str, str | bool | float]:
    parameters: dict[str, str | bool | float] = {}
    if settings.use_sim_time is not None:
        parameters["use_sim_time"] = settings.use_sim_time
    if node.name in _QUEUING and settings.every_frame:
        parameters["every_frame"] = True
    if node.name in _LOOKING and settings.compressed:
        parameters["image_transport"] = "compressed"
    if node.name == "camera" and settings.source:
        parameters["source"] = settings.source
    if node.name == SNN and settings.weights:
        parameters["weights"] = settings.weights
    if node.name == "viz" and settings.web:
        parameters["web_port"] = settings.web
    return parameters | (_across(node.name, settings.split) if settings.across else {})


def _across(name: str, split: Split) -> dict[str, str | bool | float]:
    """Return the parameters of a node whose graph is on two hosts."""
    parameters: dict[str, str | bool | float] = {}
    if name == split:
        parameters["pace_by_link"] = True
    if host_of(name, split) == "workstation":
        if name in _LOOKING:
            parameters["image_transport"] = "compressed"
        if name in _QUEUING:
            parameters["max_age"] = MAX_AGE_S
    return parameters


def _remappings(node: GraphNode, settings: Settings) -> tuple[tuple[str, str], ...]:
    if node.name == "camera" or settings.image_topic == IMAGE_TOPIC:
        return ()
    return (
        (IMAGE_TOPIC, settings.image_topic),
        (IMAGE_TOPIC + COMPRESSED, settings.image_topic + COMPRESSED),
    )
