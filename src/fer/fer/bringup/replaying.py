"""The player of `replay.launch.py`."""

from __future__ import annotations

import importlib.util
import math
import shutil
import sys
from pathlib import Path
from typing import Any

from launch.actions import EmitEvent
from launch.events import Shutdown
from launch.events.process import ProcessExited

from fer.bringup.launching import LaunchSettings
from fer_common.core.errors import ConfigurationError
from fer_common.core.graph_names import absolute, resolve
from launch import LaunchContext

#: How long `fer bag play` waits for the nodes, and how many frames may be in the graph at a time.
_WAIT_S, _WINDOW = 60, 4
#: Besides images: topics that the nodes do not publish. `ros2 bag play` has to be told.
_INPUTS = ("camera_info", "frame_info")


def player(launched: LaunchSettings) -> dict[str, Any]:
    """Return command and environment of the player, for `ExecuteProcess`.

    Raises
    ------
    RuntimeError
        with one line for the user, if the bag or an argument cannot be used.
    """
    try:
        command = _command(launched)
    except ConfigurationError as error:
        raise RuntimeError(str(error)) from None
    return {
        "cmd": command,
        "name": "player",
        "output": "screen",
        "additional_env": launched.environment,
        "on_exit": _on_end,
    }


def _on_end(event: ProcessExited, context: LaunchContext) -> EmitEvent:
    if event.returncode and not context.is_shutdown:
        raise RuntimeError("the bag was not played: see the error above")
    return EmitEvent(event=Shutdown(reason="the bag is over"))


def _command(launched: LaunchSettings) -> list[str]:
    given, settings = launched.given, launched.settings
    bag = Path(given["bag"]).expanduser().absolute()
    if not bag.exists():
        raise ConfigurationError(f"there is no bag {bag}: name a folder that was recorded")
    rate, start = _number(given, "rate"), _number(given, "start")
    if not rate > 0:
        raise ConfigurationError("rate is 0: give a number above 0")
    with_features = given["features"] == "true"
    options = ["--rate", f"{rate:g}", *(["--loop"] if given["loop"] == "true" else [])]
    if settings.use_sim_time:
        options += ["--clock", "40"]
    if _plays_by_ros2(given["player"]):
        inputs = (settings.image_topic, *_INPUTS, *(() if with_features else ("features",)))
        topics = [resolve(settings.namespace, name) for name in inputs]
        ros2 = [shutil.which("ros2") or "ros2", "bag", "play", str(bag), *options]
        return [*ros2, "--start-offset", f"{start:g}", "--topics", *topics]
    expected = ["features", "snn"] if with_features else ["snn"]
    return [
        *(sys.executable, "-m", "fer.cli", "bag", "play", str(bag), *options),
        *("--start", f"{start:g}", "--namespace", absolute(settings.namespace)),
        *("--wait", str(_WAIT_S), "--window", str(_WINDOW), "--expect", *expected),
    ]


def _plays_by_ros2(chosen: str) -> bool:
    if chosen == "auto":
        return any(importlib.util.find_spec(name) is None for name in ("mcap", "rosbags"))
    return chosen == "ros2"


def _number(given: dict[str, str], name: str) -> float:
    try:
        value = float(given[name])
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigurationError(f"{name} is '{given[name]}': give a number of 0 or more")
    return value
