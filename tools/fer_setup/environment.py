"""Environment variables of the processes that the set-up starts and of the command at the end."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fer_setup.steps import SetupError

Prefixes = dict[str, list[str]]
"""Path-like variables and the entries to put in front of them."""

_LEAKS = ("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "PYTHONHOME", "VIRTUAL_ENV")
_CAPTURE_PATH = "/usr/bin:/bin"


def scrub(env: Mapping[str, str], isolated: bool) -> dict[str, str]:
    """Copy an environment without what breaks the wheels; `isolated` drops other workspaces."""
    clean = {name: value for name, value in env.items() if name not in _LEAKS}
    if isolated:
        for name in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "PYTHONPATH"):
            clean.pop(name, None)
        clean["PYTHONNOUSERSITE"] = "1"
    return clean


def prepend(env: dict[str, str], prefixes: Mapping[str, list[str]]) -> None:
    """Put entries in front of path-like variables, each entry once, in place."""
    for name, entries in prefixes.items():
        old = [entry for entry in env.get(name, "").split(os.pathsep) if entry]
        env[name] = os.pathsep.join(dict.fromkeys([*entries, *old]))


def venv_prefixes(venv: Path) -> Prefixes:
    """Return the paths of the ROS wheels in a virtual environment.

    The wheels would find their libraries by running every Python twice; naming the folders here
    saves that.
    """
    libraries = sorted(str(path) for path in venv.glob("lib/python3.*/site-packages/ros_*.libs"))
    return {
        "PATH": [str(venv / "bin")],
        "AMENT_PREFIX_PATH": [str(venv)],
        "CMAKE_PREFIX_PATH": [str(venv)],
        "LD_LIBRARY_PATH": [str(venv / "lib"), *libraries],
    }


def capture_workspace(install: Path, python: str) -> Prefixes:
    """Source a workspace in an empty shell and return the path entries that it adds."""
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    source_and_dump = '. "$1"; exec "$2" -I -S -c "$3"'
    result = subprocess.run(
        ["/bin/sh", "-c", source_and_dump, "sh", install / "local_setup.sh", python, dump],
        env={"PATH": _CAPTURE_PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    known = _CAPTURE_PATH.split(os.pathsep)
    variables = json.loads(result.stdout.splitlines()[-1]) if result.returncode == 0 else {}
    prefixes: Prefixes = {}
    for name, value in variables.items():
        entries = [entry for entry in value.split(os.pathsep) if entry and entry not in known]
        if name.endswith("PATH") and entries:
            prefixes[name] = entries
    if "PYTHONPATH" not in prefixes:
        raise SetupError(f"{install}/local_setup.sh adds nothing: remove {install} and try again")
    return prefixes


def add_defaults(env: dict[str, str]) -> None:
    """Set what a graph on one machine needs and the user did not decide, in place."""
    if "ROS_AUTOMATIC_DISCOVERY_RANGE" not in env and "ROS_STATIC_PEERS" not in env:
        env["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    if not {"ROS_HOME", "ROS_LOG_DIR"} & env.keys() and not _is_writable(env.get("HOME")):
        # rclpy does not start without a folder for its logs.
        env["ROS_LOG_DIR"] = str(Path(tempfile.gettempdir(), f"fer-log-{os.getuid()}"))


def _is_writable(home: str | None) -> bool:
    logs = Path(home or "/dev/null", ".ros", "log")
    existing = next((folder for folder in (logs, *logs.parents) if folder.is_dir()), logs)
    return bool(home) and os.access(existing, os.W_OK)
