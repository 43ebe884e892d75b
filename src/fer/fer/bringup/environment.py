"""Environment that every process of the graph runs in. What the user has set stands."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from fer.processes import shared_memory
from fer_common.core.threads import THREAD_VARIABLES

PROFILE_VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
#: Whoever has set one of these has chosen a transport.
_TRANSPORT_VARIABLES = (
    PROFILE_VARIABLE,
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_BUILTIN_TRANSPORTS",
)
_LOG_VARIABLES = ("HOME", "ROS_HOME", "ROS_LOG_DIR")
#: For nodes that send over a network.
_NETWORK_PROFILE = "fastdds_network.xml"


def graph_environment(
    current: Mapping[str, str], config: Path, across: bool = False, peers: Sequence[str] = ()
) -> dict[str, str]:
    """Return the variables that have to be set on top of `current`.

    - Discovery stays on this machine, for a demo shall not show up on other people's robots; where
      the graph is on two hosts it reaches the subnet, and hosts that are named.
    - Fast DDS gets a profile, without which large images are lost and nodes that start at the same
      time find each other only after 3 s.
    - Numerical libraries get one thread each: on busy cores more of them slow each other down.
    - Logs get a folder even where there is no home.

    Parameters
    ----------
    current : environment as the user has set it.
    config : folder of the Fast DDS profiles.
    across : whether the graph is on two hosts.
    peers : hosts to find without multicast, by name or address.
    """
    wanted = dict.fromkeys(THREAD_VARIABLES, "1")
    wanted["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "SUBNET" if across else "LOCALHOST"
    if peers:
        wanted["ROS_STATIC_PEERS"] = ";".join(peers)
    if not any(variable in current for variable in _TRANSPORT_VARIABLES):
        wanted |= _profile(config / _NETWORK_PROFILE) if across else _local_profile(config)
    if not any(current.get(variable) for variable in _LOG_VARIABLES):
        wanted["ROS_LOG_DIR"] = str(Path(tempfile.gettempdir()) / f"fer-log-{os.getuid()}")
    return {variable: value for variable, value in wanted.items() if variable not in current}


def whole_image_environment(current: Mapping[str, str], config: Path) -> dict[str, str]:
    """Return what differs for a node that sends whole pictures, but only within its host.

    Parameters
    ----------
    current, config : as `graph_environment`, whose variables are set already.
    """
    ours = current.get(PROFILE_VARIABLE) == str(config / _NETWORK_PROFILE)
    return _local_profile(config) if ours else {}


def _local_profile(config: Path) -> dict[str, str]:
    roomy = (shared_memory.free_bytes() or 0) >= shared_memory.NEEDED_BYTES
    return _profile(config / ("fastdds.xml" if roomy else "fastdds_small.xml"))


def _profile(profile: Path) -> dict[str, str]:
    # Fast DDS complains about a profile that is not there.
    return {PROFILE_VARIABLE: str(profile)} if profile.is_file() else {}
