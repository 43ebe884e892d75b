"""What the machine must have before the set-up starts; each lack is one line that helps."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from fer_setup.steps import SetupError

VENV_BYTES = 1_500_000_000
"""Room for a new .venv with build/ and install/ (1.1 GB measured)."""
TEMPORARY_BYTES = 500_000_000
"""Room for the wheels while pip unpacks them (350 MB measured)."""
MIN_GLIBC = (2, 28)

_MISSING = ("gcc", "g++", "Python.h", "the modules venv and ensurepip")
_PACKAGES = {
    "apt-get": ("sudo apt-get install", "gcc", "g++", "python{v}-dev", "python{v}-venv"),
    "dnf": ("sudo dnf install", "gcc", "gcc-c++", "python{v}-devel", "python{v}"),
    "zypper": ("sudo zypper install", "gcc", "gcc-c++", "python{n}-devel", "python{n}"),
    "pacman": ("sudo pacman -S", "gcc", "gcc", "python", "python"),
}
"""By package manager: how it installs, and its packages that bring the things of `_MISSING`."""


def check_path(root: Path) -> None:
    """Raise SetupError where the shell scripts of colcon cannot run."""
    if unfit := re.search(r"[^\w/.,+@%=~-]", str(root)):
        raise SetupError(
            f"colcon cannot build in {root}, because its path has the character "
            f"'{unfit[0]}': move the clone to a folder without it"
        )


def check_platform() -> None:
    """Raise SetupError where the wheels of ROS 2 cannot run."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise SetupError(
            f"without a ROS installation fer runs on Linux x86-64 only, and this is {system} "
            f"{machine}: install ROS 2 (Jazzy or newer), source its setup.bash and try again"
        )
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if library != "glibc" or numbers < MIN_GLIBC:
        found = f"{library} {version}".strip() or "another C library"
        raise SetupError(
            f"the ROS 2 wheels need glibc 2.28 or newer, and this system has {found}: "
            "use a newer distribution, for example Debian 12 or Ubuntu 22.04"
        )


def check_tools() -> None:
    """Raise SetupError that names all missing tools and the command that installs them."""
    there = (
        _runs("gcc"),
        _runs("g++"),
        Path(sysconfig.get_path("include"), "Python.h").is_file(),
        all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
    )
    missing = [name for name, found in zip(_MISSING, there, strict=True) if not found]
    if missing:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SetupError(
            f"Python {version} ({base_python()}) and a C++ compiler are there only in part; "
            f"missing: {', '.join(missing)}; {install_hint(missing, version)}"
        )


def _runs(compiler: str) -> bool:
    try:
        return not subprocess.run(
            [compiler, "--version"], capture_output=True, check=False
        ).returncode
    except OSError:
        return False


def install_hint(missing: list[str], version: str) -> str:
    """Return the command of this distribution's package manager for missing tools."""
    manager = next((name for name in _PACKAGES if shutil.which(name)), None)
    if manager is None:
        return "install them with the system's package manager"
    install, *packages = _PACKAGES[manager]
    table = dict(zip(_MISSING, packages, strict=True))
    names = " ".join(dict.fromkeys(table[name] for name in missing))
    return f"install with: {install} {names.format(v=version, n=version.replace('.', ''))}"


def check_space(folder: Path, needed: int = VENV_BYTES) -> None:
    """Raise SetupError when the disk of the clone or of the temporary files is too full."""
    for place, needed_bytes in ((folder, needed), (Path(tempfile.gettempdir()), TEMPORARY_BYTES)):
        free = shutil.disk_usage(place).free
        if free < needed_bytes:
            raise SetupError(
                f"{place} has {free / 1e9:.1f} GB free and the set-up needs "
                f"{needed_bytes / 1e9:.1f} GB: make room there"
                + ("" if place == folder else ", or set TMPDIR to another disk")
            )


def base_python() -> str:
    """Return the path of the Python behind a virtual environment, or of this one."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
