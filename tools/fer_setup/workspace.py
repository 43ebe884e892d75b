"""The colcon workspace: messages are compiled once, Python packages are linked to their sources."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fer_setup import machine
from fer_setup.distribution import Distribution
from fer_setup.environment import Prefixes, capture_workspace
from fer_setup.stamps import OWNER_STAGE, Stamps, digest, list_files
from fer_setup.steps import Runner, SetupError, Step
from fer_setup.wheels import WheelEnvironment

Base = Distribution | WheelEnvironment
"""What the workspace is built on."""

INTERFACES = "fer_interfaces"
INTERFACES_STAGE, PACKAGES_STAGE = "interfaces", "packages"
BUILD_BYTES = 200_000_000

_SETUP_FILES = ("package.xml", "setup.py", "setup.cfg", "CMakeLists.txt")
_FOLDERS = ("build", "install")
_COLCON = (
    *("colcon", "--log-base", "log", "build", "--symlink-install", "--base-paths", "src"),
    *("--build-base", "build", "--install-base", "install"),
    *("--event-handlers", "console_direct+"),
)


class Workspace:
    """`build/` and `install/` of the clone, as `colcon build --symlink-install` makes them."""

    def __init__(self, root: Path, base: Base) -> None:
        self.root = root
        self._base = base

    def keys(self) -> dict[str, str]:
        """Hash what a build depends on.

        Messages count by content. Of the other packages only set-up files and the names of
        installed files do: code is linked, not copied, and a Python package as a whole folder.
        """
        source, base_key = self.root / "src", self._base.build_key()
        names = list_files(source / INTERFACES)
        packages = sorted(path.parent.name for path in source.glob("*/package.xml"))
        parts = [base_key]
        for package in packages:
            linked = ["test/"]
            if not (source / package / "CMakeLists.txt").is_file():
                linked.append(f"{package}/")
            files = list_files(source / package)
            parts += [package, *(name for name in files if not name.startswith(tuple(linked)))]
        contents = [
            source / package / name
            for package in packages
            for name in _SETUP_FILES
            if package != INTERFACES
        ]
        return {
            INTERFACES_STAGE: digest(
                base_key, *names, contents=[source / INTERFACES / name for name in names]
            ),
            PACKAGES_STAGE: digest(*parts, contents=contents),
        }

    def pending(self, stamps: Stamps) -> list[Step]:
        """Return the builds that are still to be done."""
        keys = self.keys()
        compiled = stamps.get(INTERFACES_STAGE).get("key") == keys[INTERFACES_STAGE]
        if compiled and stamps.has(PACKAGES_STAGE, keys[PACKAGES_STAGE]):
            return []
        steps = [Step("linking packages", partial(self._link, stamps, keys[PACKAGES_STAGE]))]
        if not stamps.has(INTERFACES_STAGE, key := keys[INTERFACES_STAGE]):
            steps.insert(0, Step("compiling messages", partial(self._compile, stamps, key)))
        return steps

    def prefixes(self, stamps: Stamps) -> Prefixes:
        """Return the path entries that the built workspace adds to an environment."""
        prefixes: Prefixes = stamps.get(PACKAGES_STAGE)["prefixes"]
        return prefixes

    def _compile(self, stamps: Stamps, key: str, runner: Runner) -> None:
        machine.check_space(self.root, BUILD_BYTES)
        stamps.drop(PACKAGES_STAGE)
        stamps.drop(INTERFACES_STAGE)
        stamps.put(OWNER_STAGE, "")
        for folder in _FOLDERS:
            shutil.rmtree(self.root / folder, ignore_errors=True)
        self._build(runner, "--packages-select")
        stamps.put(INTERFACES_STAGE, key, [f"{folder}/{INTERFACES}" for folder in _FOLDERS])

    def _link(self, stamps: Stamps, key: str, runner: Runner) -> None:
        stamps.drop(PACKAGES_STAGE)
        # colcon would leave the links to files that have been moved or deleted.
        for folder in _FOLDERS:
            for package in (self.root / folder).glob("*/"):
                if package.name != INTERFACES:
                    shutil.rmtree(package, ignore_errors=True)
        self._build(runner, "--packages-skip")
        prefixes = capture_workspace(self.root / "install", self._base.python)
        stamps.put(PACKAGES_STAGE, key, _FOLDERS, prefixes=prefixes)

    def _build(self, runner: Runner, choice: str) -> None:
        base = self._base
        command = [*_COLCON, choice, INTERFACES]
        command += ["--cmake-args", "-DBUILD_TESTING=OFF", *base.cmake_arguments]
        code, output = runner.run(command, base.build_environment(), self.root)
        if code:
            raise SetupError(explain_build(output, runner.log_path))


def explain_build(output: str, log_path: Path) -> str:
    """Say in one line why a build failed and what to do."""
    if "No space left on device" in output:
        return f"the disk is full: make room and try again; details: {log_path}"
    lines = [line.strip() for line in output.splitlines()]
    is_cause: Callable[[str], object] = re.compile(r"\berror\b|CMake Error|Error:", re.I).search
    cause = next((line for line in lines if is_cause(line)), "")
    return f"colcon build failed{f' ({cause[:160]})' if cause else ''}: see {log_path}"
