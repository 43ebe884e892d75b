"""The virtual environment with ROS 2 from wheels, for machines that have no ROS installation."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from fer_setup import machine
from fer_setup.environment import prepend, scrub, venv_prefixes, venv_variables
from fer_setup.errors import SetupError
from fer_setup.progress import Measure, Progress, Runner
from fer_setup.stamps import Stamps, digest, is_complete, take_inventory

STAGE = "python"
WINDOW_STAGE = "window"
WINDOW_BYTES = 500_000_000
"""Room for Qt (370 MB measured)."""
RECIPE = "1"
"""Grows when the steps below change what they make."""

_WEIGHTS_S = {
    "venv": 5.0,
    "index": 2.0,
    "packages": 38.0,
    "tests": 6.0,
    "compile": 8.0,
    "window": 15.0,
}

_PIP_OVERRIDES = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_HASHES")
_UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish a new connection|Temporary failure in name resolution"
    r"|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|Connection (refused|reset|aborted)"
    r"|Network is unreachable|Max retries exceeded|50[0234] Server Error"
    r"|40[137] Client Error"
)
_NOT_FOUND = re.compile(r"No matching distribution found for ([^\s(]+)")
_EXPORT_FILES = "share/*/cmake/export_*__rosidl_generator_pyExport.cmake"
_BUILDER_INCLUDES = {
    "python": re.compile(r'/opt/python/[^;"]*?/include/python3\.\d+'),
    "numpy": re.compile(r'/[^;"]*?/site-packages/numpy/_core/include'),
}


class WheelEnvironment:
    """`.venv` with exactly the packages of the requirements files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.python = str(self.venv / "bin" / "python")
        self.cmake_arguments = [
            "-DCMAKE_BUILD_TYPE=Release",
            f"-DPython3_EXECUTABLE={self.python}",
            f"-DCMAKE_PROJECT_fer_interfaces_INCLUDE={root / 'tools' / 'unity.cmake'}",
        ]
        self._base = machine.base_python()
        self._run_file = root / "requirements.txt"
        self._test_file = root / "requirements-test.txt"
        self._window_file = root / "requirements-gui.txt"

    def provides_fer(self, stamps: Stamps) -> bool:
        """Tell whether fer is built elsewhere: not on wheels."""
        return False

    def build_key(self) -> str:
        """Hash what binaries built in this environment depend on."""
        return self.keys()["build"]

    def keys(self) -> dict[str, str]:
        """Hash what the environment is made from; `build` is the part that binaries depend on."""
        version = ".".join(map(str, sys.version_info))
        base = digest(RECIPE, str(self.root), self._base, version)
        pins = self._run_file.read_text(encoding="utf-8").splitlines()
        return {
            "base": base,
            "run": digest(contents=[self._run_file]),
            "test": digest(contents=[self._run_file, self._test_file]),
            "build": digest(base, *[pin for pin in pins if pin.startswith(("ros-", "numpy"))]),
        }

    def is_fresh(self, stamps: Stamps, tests: bool) -> bool:
        """Tell whether all packages are there, with those of the tests when asked for."""
        entry, keys = stamps.get(STAGE), self.keys()
        wanted = ["base", "run", "test"] if tests else ["base", "run"]
        return (
            all(entry.get(name) == keys[name] for name in wanted)
            and os.access(self.python, os.X_OK)
            and is_complete(self.venv, entry["inventory"])
        )

    def weight(self, stamps: Stamps, tests: bool) -> float:
        """Return the seconds that `set_up` is expected to take."""
        if self.is_fresh(stamps, tests):
            return 0.0
        left_out = _WEIGHTS_S["window"] + (0.0 if tests else _WEIGHTS_S["tests"])
        return sum(_WEIGHTS_S.values()) - left_out

    def set_up(self, stamps: Stamps, tests: bool, runner: Runner, progress: Progress) -> None:
        """Make the environment, or add to one that is whole."""
        machine.check_platform()
        machine.check_tools()
        entry, keys = stamps.get(STAGE), self.keys()
        tests = tests or bool(entry.get("test"))
        reusable = entry.get("base") == keys["base"] and is_complete(
            self.venv, entry.get("inventory", {})
        )
        stamps.drop(STAGE)
        if not reusable:
            stamps.drop(WINDOW_STAGE)
            self._create(runner, progress)
        self._install(tests, runner, progress)
        self._correct_exports(runner)
        progress.begin("compiling Python packages", _WEIGHTS_S["compile"])
        # A few packages ship templates that are no Python; the exit code tells only that.
        runner.run(
            [self.python, "-m", "compileall", "-q", "-j", "0", self.venv / "lib"],
            self.build_environment(),
            self.root,
        )
        stamps.put(
            STAGE,
            base=keys["base"],
            run=keys["run"],
            test=keys["test"] if tests else "",
            inventory=take_inventory(self.venv),
        )

    def has_window(self, stamps: Stamps) -> bool:
        """Tell whether Qt, which the dashboard's window needs, is there."""
        entry = stamps.get(WINDOW_STAGE)
        return (
            bool(entry)
            and entry["key"] == self.window_key()
            and is_complete(self.venv, entry["inventory"])
        )

    def window_weight(self, stamps: Stamps) -> float:
        """Return the seconds that `set_up_window` is expected to take."""
        return 0.0 if self.has_window(stamps) else _WEIGHTS_S["window"]

    def set_up_window(self, stamps: Stamps, runner: Runner, progress: Progress) -> None:
        """Add Qt to an environment that is whole."""
        stamps.drop(WINDOW_STAGE)
        machine.check_space(self.root, WINDOW_BYTES)
        progress.begin("installing Qt for the window", _WEIGHTS_S["window"])
        self._pip(runner, ["-r", self._window_file])
        stamps.put(WINDOW_STAGE, key=self.window_key(), inventory=take_inventory(self.venv))

    def window_key(self) -> str:
        """Hash what the packages of the window are made from."""
        return digest(self.keys()["base"], contents=[self._window_file])

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process that runs on the wheels."""
        result = scrub(env, isolated=True) | venv_variables(self.venv)
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

    def _create(self, runner: Runner, progress: Progress) -> None:
        progress.begin(f"making .venv with Python {sys.version.split()[0]}", _WEIGHTS_S["venv"])
        if self.venv.is_symlink():
            self.venv.unlink()
        shutil.rmtree(self.venv, ignore_errors=True)
        machine.check_space(self.root)
        env = scrub(os.environ, isolated=True)
        code, _ = runner.run([self._base, "-m", "venv", self.venv], env, self.root)
        if code:
            raise SetupError(
                f"{self._base} cannot make a virtual environment in {self.venv} "
                f"(see {runner.log_path}): try another Python, FER_PYTHON=/path/to/python ./fer"
            )
        (self.venv / "COLCON_IGNORE").touch()

    def _install(self, tests: bool, runner: Runner, progress: Progress) -> None:
        pins = _names(self._run_file)
        setuptools = next(
            line
            for line in self._run_file.read_text(encoding="utf-8").splitlines()
            if line.startswith("setuptools==")
        )
        # One small package first: a dead index is found in seconds, and empy is built with it.
        progress.begin("reaching the package index", _WEIGHTS_S["index"])
        self._pip(runner, ["--retries", "1", "--timeout", "15", setuptools])
        files: list[str | Path] = ["-r", self._run_file]
        weight = _WEIGHTS_S["packages"]
        if tests:
            pins |= _names(self._test_file)
            files += ["-r", self._test_file]
            weight += _WEIGHTS_S["tests"]
        progress.begin(f"installing {len(pins)} packages", weight)
        site = next(self.venv.glob("lib/python3.*/site-packages"))

        def measure(output: str) -> float:
            collected = output.count("\nCollecting ") + output.count("\nRequirement already")
            installed = sum(name.endswith(".dist-info") for name in os.listdir(site))
            return (collected + installed) / (2 * len(pins))

        self._pip(runner, ["--no-build-isolation", *files], measure)

    def _pip(
        self, runner: Runner, arguments: list[str | Path], measure: Measure | None = None
    ) -> None:
        command = [self.python, "-m", "pip", "install", "--no-deps", "--no-compile"]
        command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        code, output = runner.run(
            [*command, *arguments], self.build_environment(), self.root, measure
        )
        if code:
            raise SetupError(explain_pip(output, runner.log_path))

    def _correct_exports(self, runner: Runner) -> None:
        """Point the CMake files of the wheels to this machine's headers.

        They name the include folders of the machine that built the wheels.
        """
        code, output = runner.run(
            [
                self.python,
                "-c",
                "import numpy, sysconfig\n"
                "print(sysconfig.get_path('include'), numpy.get_include(), sep='\\n')",
            ],
            self.build_environment(),
            self.root,
        )
        if code:
            raise SetupError(f"NumPy does not start in .venv: see {runner.log_path}")
        includes = dict(zip(("python", "numpy"), output.split("\n"), strict=False))
        for path in self.venv.glob(_EXPORT_FILES):
            text = path.read_text(encoding="utf-8")
            for name, pattern in _BUILDER_INCLUDES.items():
                text = pattern.sub(includes[name], text)
            path.write_text(text, encoding="utf-8")


def _names(requirements: Path) -> set[str]:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}


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
