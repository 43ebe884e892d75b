"""What differs between the distributions of ROS 2: the only place that knows.

| | Jazzy | Kilted | Lyrical, Rolling |
| --- | --- | --- | --- |
| Fast DDS | 2.14 | 3.2 | 3.x |
| variable of its profile | FASTRTPS_..._FILE | FASTDDS_..._FILE | FASTDDS_..._FILE |
| tag of the period of heartbeats in it | heartbeatPeriod | heartbeat_period | heartbeat_period |
| its files in /dev/shm | fastrtps_* | fastdds_* | fastdds_* |
| `publisher_gid` in rclpy's message info | no | from rclpy 9.1.1 | yes |
| OpenCV of its Ubuntu, see `images.view` | 4.6 | 4.6 | 4.10 |

The rest of the program asks here, or does the same everywhere: it checks sizes itself. A feature
that is missing is reported in `/diagnostics` (`profile_without_effect`, `LossCounter.facts`).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

#: Fast DDS 3 reads the first, Fast DDS 2 the second. With both, ROS of Kilted reads the file twice
#: and Fast DDS refuses the second reading, so only one of them may be set.
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
#: The profile of processes that send over a network, by the variable that names it.
NETWORK_PROFILES = dict(
    zip(PROFILE_VARIABLES, ("fastdds_network.xml", "fastrtps_network.xml"), strict=True)
)
SHARED_MEMORY = Path("/dev/shm")
#: Name of the file that a process keeps locked; the group is the name of its segment.
LOCK = re.compile(r"(fast(?:dds|rtps)_[0-9a-f]{16})_el")

_SEGMENT_SIZE = re.compile(r"<segment_size>\s*(\d+)\s*</segment_size>")
_DESCRIPTORS = Path("/proc/self/fd")


@functools.cache
def profile_variable() -> str:
    """Return the variable that names the profile of the installed Fast DDS."""
    manifest = ""
    with contextlib.suppress(LookupError, OSError, UnicodeDecodeError):
        share = get_package_share_directory("rmw_fastrtps_cpp")
        manifest = Path(share, "package.xml").read_text(encoding="utf-8")
    return PROFILE_VARIABLES[">fastrtps<" in manifest]


def heed_profile(environment: MutableMapping[str, str]) -> None:
    """Let Fast DDS 2 read the profile that is named by the variable of Fast DDS 3."""
    new, old = PROFILE_VARIABLES
    if profile_variable() == old and new in environment:
        environment.setdefault(old, environment[new])


def profile_without_effect(environment: Mapping[str, str]) -> str:
    """Return what is wrong if Fast DDS of this process ignores its profile, else an empty text.

    Parameters
    ----------
    environment : of this process, in which a ROS node must exist already.
    """
    for variable in PROFILE_VARIABLES:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            profile = Path(environment.get(variable, "")).read_text(encoding="utf-8")
            wanted = max(map(int, _SEGMENT_SIZE.findall(profile)), default=0)
            if (size := _own_segment_bytes()) < wanted:
                return (
                    f"Fast DDS has {size / 1e6:.1f} MB of shared memory instead of the "
                    f"{wanted / 1e6:.1f} MB of {environment[variable]}, so large images get lost: "
                    f"make room in {SHARED_MEMORY}, and name the file by {profile_variable()}"
                )
    return ""


def _own_segment_bytes() -> int:
    """Return the size of the largest segment of this process, 0 if it has none."""
    sizes = [0]
    for descriptor in _DESCRIPTORS.iterdir():
        with contextlib.suppress(OSError):
            lock = descriptor.readlink()
            if lock.parent == SHARED_MEMORY and (name := LOCK.fullmatch(lock.name)):
                sizes.append(lock.with_name(name[1]).stat().st_size)
    return max(sizes)
