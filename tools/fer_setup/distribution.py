"""A ROS installation of the machine, which is used as it is: nothing is installed into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from fer_setup.environment import scrub
from fer_setup.stamps import OWNER_STAGE, Stamps, digest
from fer_setup.steps import Runner, SetupError, Step
from fer_setup.wheels import TEST

STAGES = "ros", "ros for tests"

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

TEST_TOOLS = ("ruff", "mypy")

_TOOLS = {"colcon": "python3-colcon-common-extensions", "g++": "g++", "cmake": "cmake"}
_PRINT_MISSING = (
    "import importlib.util as u, sys, rclpy\n"
    "print(*[name for name in sys.argv[1:] if u.find_spec(name) is None])"
)
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

    def pending(self, stamps: Stamps, extras: Collection[str]) -> list[Step]:
        """Return whether it is still to be found out that this installation has all fer needs.

        Nothing is to be done for the window: what is installed is used.
        """
        tests = TEST in extras
        stage = STAGES[tests]
        if stamps.has(stage, self.build_key()):
            return []
        return [Step(f"checking ROS {self.name}", partial(self._check, stamps, tests))]

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process: the user's own."""
        return scrub(env, isolated=False)

    def build_environment(self) -> dict[str, str]:
        """Return the environment of `colcon build`."""
        return self.environment(os.environ)

    def _check(self, stamps: Stamps, tests: bool, runner: Runner) -> None:
        """Raise SetupError that names what is missing; note what may be missing."""
        if self.client is None:
            raise SetupError(
                f"ROS_DISTRO is {self.name}, but no ROS installation is sourced: run "
                f"'. /opt/ros/{self.name}/setup.bash', or 'unset ROS_DISTRO' to do without one"
            )
        missing = self._missing_modules(tests)
        for tool, package in _TOOLS.items():
            if shutil.which(tool) is None:
                raise SetupError(f"{tool} is not on PATH: sudo apt install {package}")
        if packages := self._missing_ros_packages():
            names = " ".join(f"ros-{self.name}-{name.replace('_', '-')}" for name in packages)
            raise SetupError(f"packages of ROS are missing: sudo apt install {names}")
        if required := [package for package in missing if package not in OPTIONAL]:
            raise SetupError(
                f"Python modules are missing: sudo apt install {' '.join(required)} "
                "(or: rosdep install --from-paths src --ignore-src)"
            )
        if tools := [tool for tool in TEST_TOOLS if tests and shutil.which(tool) is None]:
            raise SetupError(
                f"tools of `make test` are missing: pipx install {' '.join(tools)} "
                "(the tests alone: ./fer exec python3 -m pytest)"
            )
        for package in missing:
            runner.note(
                f"{MODULES[package]} is not installed; {OPTIONAL[package]} "
                f"(sudo apt install {package})"
            )
        for stage in STAGES[: 1 + tests]:
            stamps.put(stage, self.build_key())

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
        done = subprocess.run(
            [self.python, "-c", _PRINT_MISSING, *(MODULES[name] for name in wanted)],
            env=self.build_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            version = sys.version.split()[0]
            raise SetupError(
                f"{self.python} ({version}) cannot import rclpy of ROS {self.name}: put the Python "
                "of that ROS first in PATH, or name it: FER_PYTHON=/usr/bin/python3"
            )
        absent = done.stdout.split()
        return [name for name in wanted if MODULES[name] in absent]
