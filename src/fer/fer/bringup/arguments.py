"""The arguments with which a graph is started: one table for `fer up`, launch files and docs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

from fer.bringup.graph import ALL_NODES, HOSTS, IMAGE_TOPIC, LOG_LEVELS, SPLITS, Host, Settings
from fer.bringup.preflight import resolved_source, resolved_weights
from fer_common.core.errors import ConfigurationError
from fer_common.core.graph_names import NAMESPACE

BOOLEANS = ("true", "false")
LARGEST_PORT = 65535
_SETTINGS = frozenset(field.name for field in fields(Settings))
#: A launch file other than bringup.launch.py starts a part of the graph, or plays a bag.
File: TypeAlias = Literal["bringup", "robot", "workstation", "replay"]
_ALL: tuple[File, ...] = ("bringup", "robot", "workstation", "replay")
_TWO_HOSTS: tuple[File, ...] = ("robot", "workstation")


def _resolved_file(path: str) -> Path | None:
    return Path(path).expanduser().absolute() if path else None


def _port(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal() or not 0 < int(text) <= LARGEST_PORT:
        raise ConfigurationError(f"'{text}' is no port: give a number from 1 to {LARGEST_PORT}")
    return int(text)


def _split_peers(peers: str | Sequence[str]) -> tuple[str, ...]:
    # An option that was repeated is a list already.
    return tuple(filter(None, peers.split(";") if isinstance(peers, str) else peers))


def _composed(nodes: str) -> tuple[str, ...]:
    if nodes in BOOLEANS:
        return ALL_NODES if nodes == "true" else ()
    return tuple(nodes.split("+"))


@dataclass(frozen=True)
class Argument:
    """An argument of the launch files, and an option of `fer up` unless `flag` is empty.

    Its value becomes the field of `Settings` with its name; the launch files use it if there is no
    such field.

    Attributes
    ----------
    name : as in launch files.
    description : a sentence or two.
    flag : option of `fer up`; one that begins with "--no-" sets a boolean to false.
    default : value if it is not given; None: it has to be given.
    choices : the texts that are allowed, empty for any.
    files : launch files that have it.
    metavar : value in the help of `fer up`.
    bare : value of the option of `fer up` without a value, empty where it needs one.
    convert : makes the value of the field from the text; true and false need none.
    """

    name: str
    description: str
    flag: str = ""
    default: str | None = ""
    choices: tuple[str, ...] = ()
    files: tuple[File, ...] = _ALL
    metavar: str | None = None
    bare: str = ""
    convert: Callable[[Any], object] | None = None

    @property
    def is_setting(self) -> bool:
        """Whether `Settings` has a field for it."""
        return self.name in _SETTINGS

    @property
    def is_switch(self) -> bool:
        """Whether it can be true or false."""
        return set(self.choices) >= set(BOOLEANS)

    def value_of(self, given: Any) -> Any:
        """Return the value of the field of `Settings`; a switch that is not given is None."""
        if self.convert is not None:
            return self.convert(given)
        return {"true": True, "false": False}.get(given) if self.is_switch else given


ARGUMENTS = (
    Argument(
        "source",
        "What the camera node plays: a device (/dev/video0 or 0), a video file, a folder of "
        "images, an address (rtsp://, http://), or demo. Empty: as in the parameter file.",
        "--source",
        files=("bringup", "robot"),
        metavar="SOURCE",
        convert=resolved_source,
    ),
    Argument("namespace", "Namespace of all nodes.", "--namespace", NAMESPACE),
    Argument(
        "params_file",
        "Parameter file for all nodes. Empty: config/fer.yaml of this package.",
        "--params",
        metavar="FILE",
        convert=_resolved_file,
    ),
    Argument(
        "weights",
        "Weights of the network: a file, or a name in its weights folder. Empty: as in the "
        "parameter file.",
        "--weights",
        files=("bringup", "workstation", "replay"),
        metavar="FILE|NAME",
        convert=resolved_weights,
    ),
    Argument(
        "split",
        "The last node on the robot. The same on both hosts.",
        "--split",
        SPLITS[-1],
        SPLITS,
        _TWO_HOSTS,
    ),
    Argument(
        "peers",
        "Other hosts, separated by semicolons. Needed if the network has no multicast.",
        "--peer",
        files=_TWO_HOSTS,
        metavar="HOST",
        convert=_split_peers,
    ),
    Argument(
        "camera",
        "Start our camera node. false: another driver publishes the images.",
        "--no-camera",
        "true",
        BOOLEANS,
        ("bringup", "robot"),
    ),
    Argument(
        "image_topic",
        "Topic of the images, absolute or below the namespace. Set it to the topic of another "
        "driver together with camera:=false.",
        "--image-topic",
        IMAGE_TOPIC,
        metavar="TOPIC",
    ),
    Argument(
        "compressed",
        "Take compressed images (JPEG, PNG), from image_topic with /compressed behind it, "
        "as image_transport names it.",
        "--compressed",
        "false",
        BOOLEANS,
    ),
    Argument(
        "viz",
        "Start the node that draws the overlay.",
        "--no-viz",
        "true",
        BOOLEANS,
        ("bringup", "workstation", "replay"),
    ),
    Argument(
        "web",
        "Port on 127.0.0.1 of a page that shows the graph in a browser. Empty: as in the "
        "parameter file.",
        "--web",
        files=("bringup", "workstation", "replay"),
        metavar="PORT",
        bare="8642",
        convert=_port,
    ),
    Argument(
        "use_sim_time",
        "Take the time from /clock, for bags that are played with --clock. Empty: as in the "
        "parameter file.",
        "--use-sim-time",
        "",
        ("", *BOOLEANS),
    ),
    Argument(
        "respawn", "Restart a node when it dies.", "", "false", BOOLEANS, ("bringup", *_TWO_HOSTS)
    ),
    Argument(
        "use_composition",
        "Run nodes in one process, which hands images over without copying them: true for all, or "
        "those that the value names. It takes less memory and processor time; if one of them dies, "
        "all do.",
        "--compose",
        "false",
        (*BOOLEANS, "camera+features"),
        bare="true",
        convert=_composed,
    ),
    Argument("log_level", "Least severe level that is logged.", "--log-level", "info", LOG_LEVELS),
    Argument("bag", "The bag to play: a folder, or a file in it.", default=None, files=("replay",)),
    Argument(
        "features",
        "Find faces in the images again. false: take the recorded features.",
        "",
        "true",
        BOOLEANS,
        ("replay",),
    ),
    Argument("rate", "Seconds of the bag per second.", "", "1.0", files=("replay",)),
    Argument("start", "Seconds to leave out at the beginning.", "", "0.0", files=("replay",)),
    Argument(
        "loop",
        "Begin again at the end. false: end everything with the bag.",
        "",
        "false",
        BOOLEANS,
        ("replay",),
    ),
    Argument(
        "player",
        "fer: `fer bag play`, which waits for the nodes. ros2: `ros2 bag play`, which plays at "
        "the rate. auto: fer if its libraries are installed.",
        "",
        "auto",
        ("auto", "fer", "ros2"),
        ("replay",),
    ),
)


def arguments_of(file: File) -> list[Argument]:
    """Return the arguments of a launch file."""
    return [argument for argument in ARGUMENTS if file in argument.files]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `fer up` that are in the table."""
    for argument in ARGUMENTS:
        if not argument.flag:
            continue
        text = argument.description.replace(":=", " ")
        shared: dict[str, Any] = {"dest": argument.name, "default": argument.default or None}
        if argument.is_switch and not argument.bare:
            value = "false" if argument.flag.startswith("--no-") else "true"
            text = f"Do not {text[0].lower()}{text[1:]}" if value == "false" else text
            parser.add_argument(
                argument.flag, action="store_const", const=value, help=text, **shared
            )
        elif argument.name == "peers":
            text = f"With --host: {text.replace(', separated by semicolons', '')} Can be repeated."
            parser.add_argument(
                argument.flag, action="append", metavar=argument.metavar, help=text, **shared
            )
        else:
            default = f" (default: {argument.default})" if argument.default else ""
            if argument.files == _TWO_HOSTS:
                # So that one given without --host can be told from none.
                text, shared["default"] = f"With --host: {text}", None
            if argument.bare:
                shared |= {"nargs": "?", "const": argument.bare}
                default = f" (without a value: {argument.bare})"
            parser.add_argument(
                argument.flag,
                choices=argument.choices or None,
                metavar=argument.metavar,
                help=text + default,
                **shared,
            )


def settings_of(
    given: dict[str, Any], hosts: Sequence[Host], every_frame: bool = False
) -> Settings:
    """Return what arguments mean, of `fer up` or of a launch file.

    Parameters
    ----------
    given : values by name; what is missing or None has its default.
    hosts : which part of the graph to start.
    every_frame : as in `Settings`.

    Raises
    ------
    ConfigurationError
        if values do not go together.
    """
    values: dict[str, Any] = {
        argument.name: argument.value_of(
            given[argument.name] if given.get(argument.name) is not None else argument.default or ""
        )
        for argument in ARGUMENTS
        if argument.is_setting
    }
    values["camera"] = values["camera"] and not every_frame
    return Settings(hosts=tuple(hosts), every_frame=every_frame, **values)


def check_two_hosts(given: dict[str, Any]) -> None:
    """Refuse options that have no effect without --host.

    Raises
    ------
    ConfigurationError
        naming the option.
    """
    for argument in ARGUMENTS:
        if argument.files == _TWO_HOSTS and given.get(argument.name) and not given.get("host"):
            raise ConfigurationError(
                f"{argument.flag} has no effect on a graph on one host: "
                f"give --host {' or '.join(HOSTS)} too, or leave it out"
            )


def to_markdown(arguments: Iterable[Argument] = ARGUMENTS) -> str:
    """Return the table for the documentation."""
    lines = ["| launch argument | `fer up` | default | what it does | launch files |"]
    lines.append("| --- " * 5 + "|")
    for argument in arguments:
        choices = ", ".join(f"`{choice}`" for choice in argument.choices if choice)
        cells = (
            f"`{argument.name}`",
            f"`{argument.flag}`" if argument.flag else "",
            f"`{argument.default}`" if argument.default else "",
            argument.description + (f" One of {choices}." if choices else ""),
            "all" if argument.files == _ALL else ", ".join(argument.files),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
