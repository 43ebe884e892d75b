"""The colcon workspace: messages are compiled once, Python packages are linked to their sources."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from fer_setup import machine
from fer_setup.environment import Prefixes, capture_workspace
from fer_setup.errors import SetupError
from fer_setup.progress import Progress, Runner
from fer_setup.stamps import (
    OWNER_STAGE,
    Stamps,
    digest,
    is_complete,
    list_files,
    take_inventory,
)

INTERFACES = "fer_interfaces"
INTERFACES_STAGE = "interfaces"
PACKAGES_STAGE = "packages"
BUILD_BYTES = 200_000_000

_WEIGHTS_S = {INTERFACES_STAGE: 45.0, PACKAGES_STAGE: 10.0}
_SETUP_FILES = ("package.xml", "setup.py", "setup.cfg", "CMakeLists.txt")
_STEP = re.compile(r"\[\s*(\d+)(?:/(\d+)\]|%\])")


class Workspace:
    """`build/` and `install/` of the clone, as `colcon build --symlink-install` makes them."""

    def __init__(self, root: Path, base_key: str) -> None:
        self.root = root
        self.install = root / "install"
        self._build = root / "build"
        self._source = root / "src"
        self._base_key = base_key

    def packages(self) -> list[str]:
        """List the packages of the workspace by folder name."""
        return sorted(path.parent.name for path in self._source.glob("*/package.xml"))

    def keys(self) -> dict[str, str]:
        """Hash what a build depends on.

        Messages count by content. Of the other packages only set-up files and the names of
        installed files do: code is linked, not copied, and a Python package as a whole folder.
        """
        interfaces = self._source / INTERFACES
        names = list_files(interfaces)
        parts = [self._base_key]
        for package in self.packages():
            linked = ["test/"]
            if not (self._source / package / "CMakeLists.txt").is_file():
                linked.append(f"{package}/")
            files = list_files(self._source / package)
            parts += [package, *(name for name in files if not name.startswith(tuple(linked)))]
        contents = [
            self._source / package / name
            for package in self.packages()
            for name in _SETUP_FILES
            if package != INTERFACES
        ]
        return {
            INTERFACES_STAGE: digest(
                self._base_key, *names, contents=[interfaces / name for name in names]
            ),
            PACKAGES_STAGE: digest(*parts, contents=contents),
        }

    def is_fresh(self, stamps: Stamps) -> bool:
        """Tell whether the build is of these sources and still complete."""
        keys = self.keys()
        return all(stamps.get(stage).get("key") == key for stage, key in keys.items()) and all(
            is_complete(self.root / name, recorded)
            for name, recorded in stamps.get(PACKAGES_STAGE)["inventory"].items()
        )

    def weight(self, stamps: Stamps) -> float:
        """Return the seconds that `set_up` is expected to take."""
        pending = [PACKAGES_STAGE]
        if not self._has_interfaces(stamps):
            pending.append(INTERFACES_STAGE)
        return sum(_WEIGHTS_S[stage] for stage in pending)

    def prefixes(self, stamps: Stamps) -> Prefixes:
        """Return the path entries that the built workspace adds to an environment."""
        prefixes: Prefixes = stamps.get(PACKAGES_STAGE)["prefixes"]
        return prefixes

    def set_up(
        self,
        stamps: Stamps,
        python: str,
        env: Mapping[str, str],
        cmake_arguments: list[str],
        runner: Runner,
        progress: Progress,
    ) -> None:
        """Build what is missing; a build that was left unfinished starts from nothing."""
        machine.check_space(self.root, BUILD_BYTES)
        keep_interfaces = self._has_interfaces(stamps)
        packages_begun = bool(stamps.get(PACKAGES_STAGE))
        stamps.drop(PACKAGES_STAGE)

        def build(phase: str, stage: str, arguments: list[str]) -> None:
            progress.begin(phase, _WEIGHTS_S[stage])
            command = ["colcon", "--log-base", "log", "build", "--symlink-install"]
            command += ["--base-paths", "src", "--build-base", "build", "--install-base", "install"]
            command += ["--event-handlers", "console_direct+", *arguments]
            command += ["--cmake-args", "-DBUILD_TESTING=OFF", *cmake_arguments]
            code, output = runner.run(command, env, self.root, _measure_build)
            if code:
                raise SetupError(explain_build(output, runner.log_path))

        if not keep_interfaces:
            stamps.drop(INTERFACES_STAGE)
            stamps.put(OWNER_STAGE, ours=True)
            for folder in (self._build, self.install):
                shutil.rmtree(folder, ignore_errors=True)
            key = self.keys()[INTERFACES_STAGE]
            build("compiling messages", INTERFACES_STAGE, ["--packages-select", INTERFACES])
            stamps.put(INTERFACES_STAGE, key=key, inventory=self._inventory(INTERFACES))
        elif not packages_begun:
            self._remove_python_packages()
        key = self.keys()[PACKAGES_STAGE]
        build("linking packages", PACKAGES_STAGE, ["--packages-skip", INTERFACES])
        stamps.put(
            PACKAGES_STAGE,
            key=key,
            inventory=self._inventory(""),
            prefixes=capture_workspace(self.install, python),
        )

    def _has_interfaces(self, stamps: Stamps) -> bool:
        entry = stamps.get(INTERFACES_STAGE)
        return entry.get("key") == self.keys()[INTERFACES_STAGE] and all(
            is_complete(self.root / name, recorded) for name, recorded in entry["inventory"].items()
        )

    def _inventory(self, package: str) -> dict[str, dict[str, int]]:
        folders = (self._build / package, self.install / package)
        return {str(path.relative_to(self.root)): take_inventory(path) for path in folders}

    def _remove_python_packages(self) -> None:
        for base in (self._build, self.install):
            for package in base.glob("*/"):
                if package.name != INTERFACES:
                    shutil.rmtree(package, ignore_errors=True)


def _measure_build(output: str) -> float:
    """Read the steps that Ninja ([7/186]) or make ([ 4%]) has counted last."""
    steps = _STEP.findall(output[-4000:])
    if not steps:
        return 0.0
    done, total = steps[-1]
    return int(done) / int(total or 100)


def explain_build(output: str, log_path: Path) -> str:
    """Say in one line why a build failed and what to do."""
    if "No space left on device" in output:
        return f"the disk is full: make room and try again; details: {log_path}"
    lines = [line.strip() for line in output.splitlines()]
    is_cause: Callable[[str], object] = re.compile(r"\berror\b|CMake Error|Error:", re.I).search
    cause = next((line for line in lines if is_cause(line)), "")
    return f"colcon build failed{f' ({cause[:160]})' if cause else ''}: see {log_path}"
