"""The virtual environment with ROS 2 from wheels, for machines that have no ROS installation."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from fer_setup import machine
from fer_setup.environment import prepend, scrub, venv_prefixes
from fer_setup.stamps import Stamps, digest
from fer_setup.steps import Runner, SetupError, Step

VENV = ".venv"
RUN, TEST, WINDOW = "requirements.txt", "requirements-test.txt", "requirements-gui.txt"
RECIPE = "1"
"""Grows when the steps below change what they make."""
WINDOW_BYTES = 500_000_000
"""Room for Qt (370 MB measured)."""

_PIP_OVERRIDES = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES")
_UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish a new connection|Temporary failure in name resolution"
    r"|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Connection (refused|reset|aborted)"
    r"|Network is unreachable|Max retries exceeded|50[0234] Server Error"
    r"|40[137] Client Error"
)
_NOT_FOUND = re.compile(r"No matching distribution found for ([^\s(]+)")
_EXPORT_FILES = "share/*/cmake/export_*__rosidl_generator_pyExport.cmake"
_BUILDER_INCLUDES = (
    re.compile(r'/opt/python/[^;"]*?/include/python3\.\d+'),
    re.compile(r'/[^;"]*?/site-packages/numpy/_?core/include'),
)
_PRINT_INCLUDES = (
    "import numpy, sysconfig\nprint(sysconfig.get_path('include'), numpy.get_include(), sep='\\n')"
)


class WheelEnvironment:
    """`.venv` with exactly the packages of the requirements files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / VENV
        self.python = str(self.venv / "bin" / "python")
        self.cmake_arguments = [
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DPython3_EXECUTABLE={self.python}",
            f"-DCMAKE_PROJECT_fer_interfaces_INCLUDE={root / 'tools' / 'unity.cmake'}",
        ]
        self._base_python = machine.base_python()
        version = ".".join(map(str, sys.version_info))
        self.key = digest(RECIPE, str(root), self._base_python, version)

    def provides_fer(self, stamps: Stamps) -> bool:
        """Tell whether fer is built elsewhere: not on wheels."""
        return False

    def build_key(self) -> str:
        """Hash what binaries built in this environment depend on."""
        pins = (self.root / RUN).read_text(encoding="utf-8").splitlines()
        return digest(self.key, *[pin for pin in pins if pin.startswith(("ros-", "numpy"))])

    def file_key(self, name: str) -> str:
        """Hash what the packages of a requirements file are installed from."""
        return digest(self.key, contents=[self.root / name])

    def pending(self, stamps: Stamps, extras: Collection[str]) -> list[Step]:
        """Return what is still to be done: to make the environment, to install its packages."""
        steps = []
        if not (stamps.has(VENV, self.key) and os.access(self.python, os.X_OK)):
            title = f"making {VENV} with Python {sys.version.split()[0]}"
            steps.append(Step(title, partial(self._create, stamps)))
        for name in (RUN, *sorted(extras)):
            if steps or not stamps.has(name, self.file_key(name)):
                title = f"installing {_count(self.root / name)} packages of {name}"
                steps.append(Step(title, partial(self._install, stamps, name)))
        return steps

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process that runs on the wheels."""
        result = scrub(env, isolated=True)
        result |= {"VIRTUAL_ENV": str(self.venv), "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
        prepend(result, venv_prefixes(self.venv))
        return result

    def build_environment(self) -> dict[str, str]:
        """Return the environment of a step of the set-up."""
        env = self.environment(os.environ)
        for name in (*_PIP_OVERRIDES, "PYTHONDONTWRITEBYTECODE"):
            env.pop(name, None)
        # Given no number, colcon also limits the load, and a busy machine then hardly compiles.
        jobs = f"-j{len(os.sched_getaffinity(0))}"
        return env | {"CMAKE_GENERATOR": "Ninja", "MAKEFLAGS": jobs}

    def _create(self, stamps: Stamps, runner: Runner) -> None:
        machine.check_platform()
        machine.check_tools()
        for stage in (VENV, RUN, TEST, WINDOW):
            stamps.drop(stage)
        if self.venv.is_symlink():
            self.venv.unlink()
        shutil.rmtree(self.venv, ignore_errors=True)
        machine.check_space(self.root)
        env = scrub(os.environ, isolated=True)
        code, _ = runner.run([self._base_python, "-m", "venv", self.venv], env, self.root)
        if code:
            raise SetupError(
                f"{self._base_python} cannot make a virtual environment in {self.venv} "
                f"(see {runner.log_path}): try another Python, FER_PYTHON=/path/to/python ./fer"
            )
        (self.venv / "COLCON_IGNORE").touch()
        stamps.put(VENV, self.key, [VENV])

    def _install(self, stamps: Stamps, name: str, runner: Runner) -> None:
        if name == WINDOW:
            machine.check_space(self.root, WINDOW_BYTES)
        # An installation that was interrupted may have left half a package, which pip takes for
        # a whole one.
        force = [] if stamps.get(name) else ["--force-reinstall"]
        stamps.drop(name)
        if name == RUN:
            # One small package first: a dead index is found in seconds, and empy is built with it.
            self._pip(runner, "--retries", "1", "--timeout", "15", "-c", name, "setuptools")
        self._pip(runner, "--no-build-isolation", *force, "-r", name)
        if name == RUN:
            self._correct_exports(runner)
        # A few packages ship templates that are no Python; the exit code tells only that.
        compile_all = [self.python, "-m", "compileall", "-q", "-j", "0", str(self.venv / "lib")]
        runner.run(compile_all, self.build_environment(), self.root)
        stamps.put(name, self.file_key(name))
        stamps.put(VENV, self.key, [VENV])

    def _pip(self, runner: Runner, *arguments: str) -> None:
        command = [self.python, "-m", "pip", "install", "--no-deps", "--no-compile"]
        command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        code, output = runner.run([*command, *arguments], self.build_environment(), self.root)
        if code:
            raise SetupError(explain_pip(output, runner.log_path))

    def _correct_exports(self, runner: Runner) -> None:
        """Point the CMake files of the wheels to this machine's headers.

        They name the include folders of the machine that built the wheels.
        """
        command = [self.python, "-c", _PRINT_INCLUDES]
        code, output = runner.run(command, self.build_environment(), self.root)
        if code:
            raise SetupError(f"NumPy does not start in {VENV}: see {runner.log_path}")
        for path in self.venv.glob(_EXPORT_FILES):
            text = path.read_text(encoding="utf-8")
            for pattern, folder in zip(_BUILDER_INCLUDES, output.split("\n"), strict=False):
                text = pattern.sub(folder, text)
            path.write_text(text, encoding="utf-8")


def _count(requirements: Path) -> int:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return len({line.split("==")[0] for line in lines if "==" in line and line[0] != "#"})


def explain_pip(output: str, log_path: Path) -> str:
    """Say in one line why pip failed and what to do."""
    see = f"details: {log_path}"
    if "No space left on device" in output:
        return f"the disk is full: make room (or set TMPDIR to another disk) and try again; {see}"
    if _UNREACHABLE.search(output):
        return (
            "the package index cannot be reached: check the network and the proxy, or name a "
            f"mirror (PIP_INDEX_URL or pip.conf), and try again; {see}"
        )
    if missing := _NOT_FOUND.search(output):
        return (
            f"the package index has no {missing[1]} for Python {sys.version.split()[0]}: "
            f"name a complete index (PIP_INDEX_URL), or another Python (FER_PYTHON); {see}"
        )
    return f"pip failed: see the end of {log_path}; the same command tries again"
