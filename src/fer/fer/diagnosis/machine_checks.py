"""What `fer doctor` checks on this machine. It starts and changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fer.bringup.environment import (
    DOMAIN_VARIABLE,
    RANGE_VARIABLE,
    environment_problems,
    is_writable,
    log_environment,
    log_folder,
    missing_rmw,
)
from fer.diagnosis.results import CheckResult, error, ok, warn
from fer.processes import shared_memory
from fer_common.core.errors import FerError
from fer_common.ros.distributions import PROFILE_VARIABLES

_GB = 1e9
_DISK_NEEDED_BYTES = 200e6
#: With more runnable processes per core, frames come late.
_BUSY_LOAD = 1.0
#: ROS packages on machines without a ROS installation.
_WHEELS = ("ros-rclpy", "ros-rmw-fastrtps-cpp")
_LIBRARIES = ("numpy", "opencv-python-headless", "opencv-python", "numba", "PyYAML", "psutil")

Check = Callable[[Mapping[str, str]], Iterator[CheckResult]]


def check_machine(environment: Mapping[str, str]) -> list[CheckResult]:
    """Return the results of all checks of this machine."""
    return [result for check in CHECKS for result in check(environment)]


def versions() -> dict[str, str]:
    """Return the versions of the program and its libraries, by name."""
    found = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.machine(),
    }
    for name in ("fer", *_LIBRARIES, *_WHEELS):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _versions(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    known = versions()
    yield ok("versions", f"fer {known['fer']}, Python {known['python']}, {known['system']}")
    yield _compiled_code()
    try:
        import cv2
    except ImportError as broken:
        yield error("OpenCV", f"cannot be imported: {broken}", "install opencv (python3-opencv)")
    else:
        yield ok("OpenCV", str(cv2.__version__))


def _compiled_code() -> CheckResult:
    """Check whether the network's compiled kernels can be used, and are cached."""
    slower = "the network runs many times slower"
    try:
        from fer_snn.core.kernels import code_cache

        folder = code_cache.cache_folder()
    except ModuleNotFoundError:
        return warn("numba", f"is not installed: {slower}", "install numba (rosdep: python3-numba)")
    # A numba that does not fit the rest of the machine raises errors of any kind.
    except Exception as broken:
        text = f"cannot be imported: {slower} ({type(broken).__name__}: {broken})"
        return warn("numba", text, "install versions of numba and NumPy that fit each other")
    if folder is None:
        remedy = "set NUMBA_CACHE_DIR to a folder that can be written"
        return warn("numba", "has no folder for compiled code: snn compiles at each start", remedy)
    if damaged := code_cache.damaged(folder):
        text = f"{len(damaged)} damaged or unknown files of compiled code in {folder}"
        return warn("numba", text, "nothing: snn compiles again; or now: `fer warm-up`")
    return ok("numba", f"compiled code in {folder}")


def _ros(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    if missing_rmw(environment):
        # The import of ROS would end this process.
        return
    try:
        import rclpy
        from rclpy.utilities import get_rmw_implementation_identifier

        rmw = get_rmw_implementation_identifier()
    except (ImportError, RuntimeError) as broken:
        yield error(
            "ROS",
            f"its client library cannot be used: {broken}",
            "source the ROS installation and the workspace, or use ./fer in a clone",
        )
        return
    place = environment.get("ROS_DISTRO") or "the wheels of the package index"
    yield ok("ROS", f"{place}, {Path(rclpy.__file__).parent}")
    yield ok("RMW", rmw)
    try:
        import fer_interfaces.msg  # noqa: F401
    except ImportError as broken:
        yield error("messages", f"cannot be imported: {broken}", "build fer_interfaces again")


def _environment(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    for problem, remedy in environment_problems({**environment, **log_environment(environment)}):
        yield error("environment", problem, remedy)


def _discovery(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    domain = environment.get(DOMAIN_VARIABLE) or "0"
    reach = environment.get(RANGE_VARIABLE) or "LOCALHOST (default of fer)"
    text = f"{DOMAIN_VARIABLE} {domain}, discovery range {reach}"
    if reach == "SUBNET":
        yield warn(
            "discovery",
            f"{text}: everybody on the network can listen and command",
            "docs/security.md says how to protect it; LOCALHOST closes it",
        )
    else:
        yield ok("discovery", text)


def _transport(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    for variable in PROFILE_VARIABLES:
        profile = environment.get(variable)
        if profile is not None and not Path(profile).is_file():
            yield error(
                "transport",
                f"{variable} names {profile!r}, which is no file",
                "unset it: `fer up` and the launch files bring their own",
            )
    free = shared_memory.free_bytes()
    if free is None:
        yield warn(
            "shared memory",
            f"{shared_memory.FOLDER} is missing: images go over UDP",
            "mount a tmpfs there, of 256 MB or more",
        )
        return
    text = f"{free / _GB:.1f} GB free in {shared_memory.FOLDER}"
    if free < shared_memory.NEEDED_BYTES:
        remedy = "in a container: --shm-size=512m; otherwise remove files of dead processes"
        yield warn("shared memory", f"{text}: large images may get lost", remedy)
    else:
        yield ok("shared memory", text)


def _camera(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    from fer_camera.core.device import devices

    found = devices()
    if not found:
        yield warn(
            "camera",
            "this machine has no video device: the demo clip is played",
            "plug a camera in; in a container pass it on: --device /dev/video0",
        )
    for path in found:
        if os.access(path, os.R_OK | os.W_OK):
            yield ok("camera", f"{path} may be opened")
        else:
            remedy = "sudo usermod -aG video $USER, and log in again"
            yield error("camera", f"{path} may not be opened by this user", remedy)


def _weights(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    from fer_snn.core.parameters import TABLE
    from fer_snn.core.weights import autosave, weights_file
    from fer_snn.core.weights import weights_folder as models

    try:
        path = models.default_path()
        model = weights_file.load(path)
    except FerError as refused:
        yield error("weights", str(refused), "build the package fer_snn again")
    else:
        yield ok("weights", f"{path.name}: {', '.join(model.labels)}")
    folder = models.default_folder()
    if folder == models.NO_FOLDER:
        yield warn("weights folder", "there is no home", "set HOME, or the parameter weights_dir")
        return
    if autosave.interrupted(folder, str(TABLE["weights"].default)):
        yield warn(
            "weights folder",
            f"{folder}: snn was killed while it learnt",
            "nothing: it continues with what it had learnt when it is started again",
        )
    yield from _room("weights folder", folder)


def _logs(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    elsewhere = log_environment(environment)
    if elsewhere and environment.get("HOME"):
        text = f"{log_folder(environment)} cannot be written: logs go to {elsewhere['ROS_LOG_DIR']}"
        yield warn("log folder", text, "make it writable, or set ROS_LOG_DIR")
    else:
        yield from _room("log folder", log_folder({**environment, **elsewhere}))


def _load(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0]
    text = f"{load:.1f} on {cores} cores in the last minute"
    if load > _BUSY_LOAD * cores:
        yield warn("load", text, "end what else runs, or expect skipped frames")
    else:
        yield ok("load", text)


def _room(subject: str, folder: Path) -> Iterator[CheckResult]:
    """Check whether a folder, or the one that it would be made in, can be written."""
    if not is_writable(folder):
        yield error(subject, f"{folder} cannot be written", "make it writable for this user")
        return
    present = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(present).free
    text = f"{folder}, {free / _GB:.1f} GB free"
    if free < _DISK_NEEDED_BYTES:
        yield error(subject, text, "make room on that disk")
    else:
        yield ok(subject, text)


CHECKS: Sequence[Check] = (
    _versions,
    _environment,
    _ros,
    _discovery,
    _transport,
    _camera,
    _weights,
    _logs,
    _load,
)
