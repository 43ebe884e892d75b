"""A ROS installation of the machine, which is used as it is: nothing is installed into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fer_setup.environment import scrub
from fer_setup.errors import SetupError
from fer_setup.progress import Progress, Runner
from fer_setup.stamps import OWNER_STAGE, Stamps, digest

STAGE = "ros"
WEIGHT_S = 1.0

MODULES = {
    "python3-numpy": "numpy",
    "python3-opencv": "cv2",
    "python3-yaml": "yaml",
    "python3-psutil": "psutil",
    "python3-rich": "rich",
    "python3-matplotlib": "matplotlib",
    "python3-pil": "PIL",
    "python3-numba": "numba",
    "python3-pyqtgraph": "pyqtgraph",
    "python3-pytest": "pytest",
    "python3-hypothesis": "hypothesis",
    "python3-pytest-timeout": "pytest_timeout",
}
"""Packages of the system (rosdep's keys too) and the Python modules that they bring."""

OPTIONAL = {
    "python3-numba": "the network runs without it, slower",
    "python3-pyqtgraph": "the graph runs without its window",
}
TEST_ONLY = ("python3-pytest", "python3-hypothesis", "python3-pytest-timeout")

_BUILD_DEPEND = re.compile(r"<(?:depend|build_depend|buildtool_depend)>\s*([\w-]+)\s*<")


class Distribution:
    """The sourced ROS installation that ROS_DISTRO names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = os.environ["ROS_DISTRO"]
        self.python = sys.executable
        self.cmake_arguments = ["-DCMAKE_BUILD_TYPE=Release"]
        self._prefixes = [
            Path(entry) for entry in os.environ.get("AMENT_PREFIX_PATH", "").split(":") if entry
        ]
        self.client = self._find("rclpy")

    def _find(self, package: str) -> Path | None:
        return next(
            (prefix for prefix in self._prefixes if (prefix / "share" / package).is_dir()), None
        )

    def provides_fer(self, stamps: Stamps) -> bool:
        """Tell whether a sourced workspace that `./fer` did not build has fer already."""
        prefix = self._find("fer")
        if prefix is None:
            return False
        in_clone = self.root / "install" in [prefix, *prefix.parents]
        return not (in_clone and stamps.get(OWNER_STAGE))

    def build_key(self) -> str:
        """Hash what binaries built against this installation depend on."""
        version = ".".join(map(str, sys.version_info[:2]))
        return digest("ros", str(self.root), self.name, str(self.client), version)

    def is_fresh(self, stamps: Stamps, tests: bool) -> bool:
        """Tell whether this installation has been found to have all that fer needs."""
        entry = stamps.get(STAGE)
        return entry.get("key") == self.build_key() and (bool(entry["tests"]) or not tests)

    def weight(self, stamps: Stamps, tests: bool) -> float:
        """Return the seconds that `set_up` is expected to take."""
        return 0.0 if self.is_fresh(stamps, tests) else WEIGHT_S

    def set_up(self, stamps: Stamps, tests: bool, runner: Runner, progress: Progress) -> None:
        """Check the installation; raise SetupError that names what it lacks."""
        self._check()
        missing = self._missing_modules(tests)
        if required := [package for package in missing if package not in OPTIONAL]:
            raise SetupError(
                f"Python modules are missing: sudo apt install {' '.join(required)} "
                "(or: rosdep install --from-paths src --ignore-src)"
            )
        tools = [tool for tool in ("ruff", "mypy") if tests and shutil.which(tool) is None]
        if tools:
            raise SetupError(
                f"tools of `make test` are missing: pipx install {' '.join(tools)} "
                "(the tests alone: ./fer exec python3 -m pytest)"
            )
        progress.begin(f"using ROS {self.name}", WEIGHT_S)
        for package in missing:
            progress.note(
                f"{MODULES[package]} is not installed; {OPTIONAL[package]} "
                f"(sudo apt install {package})"
            )
        stamps.put(STAGE, key=self.build_key(), tests=tests)

    def has_window(self, stamps: Stamps) -> bool:
        """Tell that there is nothing to be set up for the window: what is installed is used."""
        return True

    def window_weight(self, stamps: Stamps) -> float:
        """Return the seconds that `set_up_window` is expected to take."""
        return 0.0

    def set_up_window(self, stamps: Stamps, runner: Runner, progress: Progress) -> None:
        """Do nothing, see `has_window`."""

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process: the user's own."""
        return scrub(env, isolated=False)

    def build_environment(self) -> dict[str, str]:
        """Return the environment of `colcon build`."""
        return self.environment(os.environ)

    def _check(self) -> None:
        if self.client is None:
            raise SetupError(
                f"ROS_DISTRO is {self.name}, but no ROS installation is sourced: run "
                f"'. /opt/ros/{self.name}/setup.bash', or 'unset ROS_DISTRO' to do without one"
            )
        self._check_rclpy()
        for tool, package in (
            ("colcon", "python3-colcon-common-extensions"),
            ("g++", "g++"),
            ("cmake", "cmake"),
        ):
            if shutil.which(tool) is None:
                raise SetupError(f"{tool} is not on PATH: sudo apt install {package}")
        if packages := self._missing_ros_packages():
            names = " ".join(f"ros-{self.name}-{name.replace('_', '-')}" for name in packages)
            raise SetupError(f"packages of ROS are missing: sudo apt install {names}")

    def _check_rclpy(self) -> None:
        code = "import rclpy"
        done = subprocess.run(
            [self.python, "-c", code],
            env=self.build_environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            version = sys.version.split()[0]
            raise SetupError(
                f"{self.python} ({version}) cannot import rclpy of ROS {self.name}: put the Python "
                "of that ROS first in PATH, or name it: FER_PYTHON=/usr/bin/python3"
            )

    def _missing_ros_packages(self) -> list[str]:
        sources = {path.parent.name: path for path in self.root.glob("src/*/package.xml")}
        needed = {
            name
            for path in sources.values()
            for name in _BUILD_DEPEND.findall(path.read_text(encoding="utf-8"))
            if not name.startswith("python3-") and name not in sources
        }
        return sorted(name for name in needed if self._find(name) is None)

    def _missing_modules(self, tests: bool) -> list[str]:
        wanted = [name for name in MODULES if tests or name not in TEST_ONLY]
        code = (
            "import importlib.util as u, sys\n"
            "print(*[name for name in sys.argv[1:] if u.find_spec(name) is None])"
        )
        done = subprocess.run(
            [self.python, "-c", code, *(MODULES[name] for name in wanted)],
            env=self.build_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        absent = done.stdout.split()
        return [name for name in wanted if MODULES[name] in absent]
