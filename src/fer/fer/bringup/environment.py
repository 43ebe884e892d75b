"""The environment of the graph's processes. What the user has set is kept, or refused."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from fer.processes import shared_memory
from fer_common.core.errors import ConfigurationError
from fer_common.core.process import THREAD_VARIABLES
from fer_common.ros.distributions import NETWORK_PROFILES, PROFILE_VARIABLES, profile_variable

DOMAIN_VARIABLE = "ROS_DOMAIN_ID"
MAX_DOMAIN = 232
RANGE_VARIABLE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_RANGES = ("LOCALHOST", "SUBNET", "SYSTEM_DEFAULT")
PEERS_VARIABLE = "ROS_STATIC_PEERS"
#: If one of these is set, the user has chosen a transport.
_TRANSPORT_VARIABLES = (*PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS")
#: Profiles of processes that send over a network, whole images within the host, and only little.
NETWORK_PROFILE = NETWORK_PROFILES[profile_variable()]
LOCAL_PROFILE, SMALL_PROFILE = "fastdds.xml", "fastdds_small.xml"


def config_folder() -> Path:
    """Return the installed folder of the parameter file and the profiles of Fast DDS."""
    return Path(get_package_share_directory("fer")) / "config"


def default_parameter_file() -> Path:
    """Return the parameter file that is used when the user names none."""
    return config_folder() / "fer.yaml"


def prepare_environment(across: bool = False, peers: Sequence[str] = ()) -> None:
    """Set the variables of `graph_environment` in this process, and check what the user has set.

    Raises
    ------
    ConfigurationError
        if ROS nodes cannot start or cannot find each other in this environment.
    """
    os.environ.update(graph_environment(os.environ, across, peers))
    check_environment(os.environ)


def graph_environment(
    current: Mapping[str, str], across: bool = False, peers: Sequence[str] = ()
) -> dict[str, str]:
    """Return the variables to set in addition to `current`.

    - Discovery stays on this machine, so that a demo does not show up on other people's robots. If
      the graph is on two hosts, it reaches the subnet and the hosts that are named.
    - Fast DDS gets a profile. Without it large images are lost, and nodes that start at the same
      time find each other only after 3 s.
    - Numerical libraries get one thread each: on busy cores more of them slow each other down.
    - Logs get a folder if the home folder is missing or read-only.

    Parameters
    ----------
    peers : hosts to find without multicast, by name or address.
    """
    wanted = dict.fromkeys(THREAD_VARIABLES, "1")
    wanted[RANGE_VARIABLE] = "SUBNET" if across else "LOCALHOST"
    if peers:
        wanted[PEERS_VARIABLE] = ";".join(peers)
    if not any(variable in current for variable in _TRANSPORT_VARIABLES):
        wanted |= _profile(NETWORK_PROFILE) if across else _local_profile()
    wanted |= log_environment(current)
    return {variable: value for variable, value in wanted.items() if not current.get(variable)}


def log_environment(current: Mapping[str, str]) -> dict[str, str]:
    """Return ROS_LOG_DIR if it is not set and logs cannot go to the home folder."""
    chosen = any(current.get(variable) for variable in ("ROS_HOME", "ROS_LOG_DIR"))
    if chosen or (current.get("HOME") and is_writable(log_folder(current))):
        return {}
    return {"ROS_LOG_DIR": str(Path(tempfile.gettempdir()) / f"fer-log-{os.getuid()}")}


def transport_environment(
    current: Mapping[str, str], whole_images: Collection[bool]
) -> dict[str, str]:
    """Return what differs for a process by what it sends.

    Each process with the profile for whole images occupies 34 MB of shared memory at once, whether
    it uses them or not.

    Parameters
    ----------
    current : as for `graph_environment`, whose variables are set already.
    whole_images : for each node of the process, whether it sends whole images within its host.
    """
    profile = current.get(profile_variable())
    if profile == str(config_folder() / NETWORK_PROFILE) and all(whole_images):
        return _local_profile()
    if profile == str(config_folder() / LOCAL_PROFILE) and not any(whole_images):
        return _profile(SMALL_PROFILE)
    return {}


def check_environment(environment: Mapping[str, str]) -> None:
    """Refuse an environment in which nodes cannot start or cannot find each other.

    Raises
    ------
    ConfigurationError
        with the first of `environment_problems`.
    """
    for problem, remedy in environment_problems(environment):
        raise ConfigurationError(f"{problem}: {remedy}")


def environment_problems(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return why nodes cannot start or find each other in this environment, and what to do."""
    problems = []
    domain = environment.get(DOMAIN_VARIABLE) or "0"
    if not (domain.isascii() and domain.isdecimal()) or int(domain) > MAX_DOMAIN:
        remedy = f"set it to a number from 0 to {MAX_DOMAIN}, the same for all nodes"
        problems.append((f"{DOMAIN_VARIABLE} is '{domain}'", remedy))
    reach = environment.get(RANGE_VARIABLE) or _RANGES[0]
    if reach not in _RANGES:
        why = ", so no node finds another one" if reach == "OFF" else ""
        problems.append((f"{RANGE_VARIABLE} is '{reach}'{why}", f"set it to {_either(_RANGES)}"))
    if rmw := missing_rmw(environment):
        remedy = f"install it, unset the variable, or set it to {_either(_installed_rmw())}"
        problems.append((f"RMW_IMPLEMENTATION is '{rmw}', which is not installed", remedy))
    logs = log_folder(environment)
    if not is_writable(logs):
        remedy = "make it writable, or set ROS_LOG_DIR to a folder that is"
        problems.append((f"log folder {logs} cannot be written", remedy))
    secure = environment.get("ROS_SECURITY_ENABLE", "").lower() == "true"
    if secure and not environment.get("ROS_SECURITY_KEYSTORE"):
        remedy = "set it to the folder of your keys, see docs/security.md"
        problems.append(("ROS_SECURITY_ENABLE is set without ROS_SECURITY_KEYSTORE", remedy))
    for peer in filter(None, environment.get(PEERS_VARIABLE, "").split(";")):
        try:
            socket.getaddrinfo(peer, None)
        except (OSError, UnicodeError):
            remedy = "give a host name or an address that this machine can resolve"
            problems.append((f"peer '{peer}' is not known", remedy))
    return problems


def log_folder(environment: Mapping[str, str]) -> Path:
    """Return where nodes write their logs."""
    if environment.get("ROS_LOG_DIR"):
        return Path(environment["ROS_LOG_DIR"]).expanduser()
    if environment.get("ROS_HOME"):
        return Path(environment["ROS_HOME"]).expanduser() / "log"
    return Path(environment.get("HOME") or "/") / ".ros" / "log"


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which may have to be made first."""
    try:
        present = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        # Root may write these by their permissions, and cannot.
        kernels = {Path(place).stat().st_dev for place in ("/proc", "/sys") if Path(place).exists()}
        allowed = os.access(present, os.W_OK | os.X_OK)
        return present.is_dir() and allowed and present.stat().st_dev not in kernels
    except OSError:
        return False


def missing_rmw(environment: Mapping[str, str]) -> str:
    """Return the chosen middleware if it is not installed, else an empty text."""
    rmw, known = environment.get("RMW_IMPLEMENTATION", ""), _installed_rmw()
    return rmw if rmw and known and rmw not in known else ""


def _installed_rmw() -> tuple[str, ...]:
    from ament_index_python.resources import get_resources

    return tuple(sorted(set(get_resources("rmw_typesupport")) - {"rmw_implementation"}))


def _either(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


def _local_profile() -> dict[str, str]:
    roomy = (shared_memory.free_bytes() or 0) >= shared_memory.NEEDED_BYTES
    return _profile(LOCAL_PROFILE if roomy else SMALL_PROFILE)


def _profile(name: str) -> dict[str, str]:
    profile = config_folder() / name
    # Fast DDS complains about a profile that does not exist.
    return {profile_variable(): str(profile)} if profile.is_file() else {}
