"""Each package can be released: it builds from its own folder, and its manifest is right."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from catkin_pkg.changelog import get_changelog_from_path
from catkin_pkg.package import Dependency, Package, parse_package

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    path.parent.name: path.parent
    for path in [*ROOT.glob("src/*/package.xml"), *ROOT.glob("test/*/package.xml")]
}
#: `colcon test` runs more than these.
LEAST_TESTS = 1000
FER = re.compile(r"fer(_|\.|$)")
#: Keys of rosdep, by the module that they install. ROS packages are their own keys.
ROSDEP_KEYS = {
    "cv2": "python3-opencv",
    "hypothesis": "python3-hypothesis",
    "matplotlib": "python3-matplotlib",
    "numba": "python3-numba",
    "numpy": "python3-numpy",
    "PIL": "python3-pil",
    "psutil": "python3-psutil",
    "pyqtgraph": "python3-pyqtgraph",
    "pytest": "python3-pytest",
    "pytest_timeout": "python3-pytest-timeout",
    "rich": "python3-rich",
    "yaml": "python3-yaml",
}
#: Imported where they are installed; what needs them says so, or does without.
OPTIONAL = {"cv_bridge", "hri_msgs", "neo", "nir", "pyarrow", "quantities", "vision_msgs"}
#: rosdep has these not at all or from pip only, which a Debian package cannot depend on.
NOT_IN_ROSDEP = {"apsw", "backports", "compression", "mcap", "rosbags", "zstandard"}
#: Needed without being imported.
NOT_IMPORTED = {
    "ament_cmake_pytest",
    "launch_ros",
    "launch_testing",
    "python3-pytest-timeout",
    "ros2bag",
    "ros2launch",
    "rosbag2_storage_mcap",
    "rosidl_default_runtime",
    "rqt_gui",
}


def manifest(package: str) -> Package:
    return parse_package(str(PACKAGES[package]), warnings=[])


def tracked_files(folder: Path) -> list[Path]:
    """List what `git archive` would put in, relative to the folder."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    names = listed.stdout.split("\0")
    return [Path(name) for name in names if name and os.path.lexists(folder / name)]


def test_the_manifests_agree_on_the_version() -> None:
    assert len({manifest(package).version for package in PACKAGES}) == 1


@pytest.mark.parametrize("package", PACKAGES)
def test_licences_and_changelog(package: str) -> None:
    folder, declared = PACKAGES[package], manifest(package)
    for licence in declared.licenses:
        assert licence.file, f"{licence} names no file"
        assert (folder / licence.file).is_file()
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    changelog = get_changelog_from_path(str(folder / "CHANGELOG.rst"), package)
    assert changelog is not None
    newest = next(changelog.foreach_version())[0] if "Forthcoming" not in changelog.rst else None
    assert newest in (None, declared.version)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every package is built from its own folder."""
    # Apart, so that none finds a file of another. The messages take most of a minute to compile:
    # that CMake accepts them is enough here.
    workspace = tmp_path_factory.mktemp("workspace")
    for package, folder in PACKAGES.items():
        for name in tracked_files(folder):
            target = workspace / package / "src" / package / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, target, follow_symlinks=False)
    options = ["--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}"]
    colcon(workspace, "build", "--packages-skip", "fer_interfaces", *options)
    messages = ["--packages-select", "fer_interfaces", "--cmake-target", "help"]
    colcon(workspace, "build", *messages, *options)
    return workspace


def colcon(workspace: Path, verb: str, *arguments: str) -> None:
    sources = ["--base-paths", *(str(workspace / package / "src") for package in PACKAGES)]
    command = ["colcon", "--log-base", "log", verb, *sources, *arguments]
    environment = {**os.environ, "PYTEST_ADDOPTS": "--collect-only"}
    done = subprocess.run(
        command, cwd=workspace, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_each_package_builds_from_its_own_folder(workspace: Path) -> None:
    install = workspace / "install"
    for package in PACKAGES.keys() - {"fer_interfaces"}:
        assert (install / package / "share" / package / "package.xml").is_file()
    for folder in ("launch", "config"):
        installed = {path.name for path in (install / "fer" / "share" / "fer" / folder).iterdir()}
        assert installed == {path.name for path in (ROOT / folder).iterdir()} - {"__pycache__"}


@pytest.mark.timeout(300)
def test_colcon_finds_the_tests_of_each_package(workspace: Path) -> None:
    without = ["fer_interfaces", "fer_testing"]
    colcon(workspace, "test", "--packages-skip", *without, "--pytest-args", " --collect-only")
    found = {
        package: sum(
            int(number)
            for number in re.findall(
                r"(\d+) tests? collected",
                (workspace / "log" / "latest_test" / package / "stdout.log").read_text(),
            )
        )
        for package in PACKAGES.keys() - set(without)
    }
    assert all(found.values()), found
    assert sum(found.values()) > LEAST_TESTS


def imports(path: Path) -> set[str]:
    """Return the modules that a Python file imports, but for the standard library's."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def needed_packages(path: Path) -> set[str]:
    """Return the top-level packages that a Python file needs.

    A test needs what its helpers are about too. fer_testing cannot declare that itself, as colcon
    refuses circles.
    """
    modules = imports(path)
    needed = {name.partition(".")[0] for name in modules}
    if PACKAGES["fer_testing"] in path.parents:
        return {name for name in needed if name == "fer_interfaces" or not FER.match(name)}
    pending = [name for name in modules if name.startswith("fer_testing.")]
    seen = set()
    while pending:
        helper = pending.pop()
        seen.add(helper)
        modules = imports(PACKAGES["fer_testing"].joinpath(*helper.split(".")).with_suffix(".py"))
        needed |= {name.partition(".")[0] for name in modules if FER.match(name)}
        pending += [name for name in modules - seen if name.startswith("fer_testing.")]
    return needed


def names(*dependencies: list[Dependency]) -> set[str]:
    return {dependency.name for group in dependencies for dependency in group}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_imported_is_declared_and_the_other_way_round(package: str) -> None:
    folder, declared = PACKAGES[package], manifest(package)
    run, test = names(declared.exec_depends), names(declared.test_depends)
    assert not run & test, "test_depends that are exec_depends too"
    needed, undeclared = set(), {}
    for part, allowed in ((package, run), ("launch", run), ("test", run | test)):
        for path in sorted((folder / part).rglob("*.py")):
            for module in needed_packages(path) - {package} - OPTIONAL - NOT_IN_ROSDEP:
                key = ROSDEP_KEYS.get(module, module)
                needed.add(key)
                if key not in allowed:
                    undeclared[key] = str(path.relative_to(ROOT))
    assert undeclared == {}
    interfaces = [*folder.rglob("*.msg"), *folder.rglob("*.srv")]
    fields = " ".join(path.read_text(encoding="utf-8") for path in interfaces)
    unneeded = (run | test) - needed - NOT_IMPORTED
    assert {key for key in unneeded if f"{key}/" not in fields} == set(), "never imported"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_key_exists(package: str) -> None:
    declared = manifest(package)
    keys = names(
        declared.buildtool_depends,
        declared.build_depends,
        declared.exec_depends,
        declared.test_depends,
    )
    unknown = {key for key in keys if "-" in key} - set(ROSDEP_KEYS.values())
    assert not unknown, "keys that ROSDEP_KEYS does not list: look them up in rosdep first"


def test_no_class_of_rclpy_gets_type_arguments_at_run_time() -> None:
    """On Jazzy they take none. Annotations are not evaluated."""
    found = []
    for path in sorted(ROOT.glob("src/*/fer*/**/*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        classes = {
            alias.asname or alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rclpy")
            for alias in node.names
        }
        hints = [getattr(node, each, None) for node in nodes for each in ("annotation", "returns")]
        unevaluated = {part for hint in hints if hint is not None for part in ast.walk(hint)}
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for node in nodes
            if isinstance(node, ast.Subscript) and node not in unevaluated
            if isinstance(node.value, ast.Name) and node.value.id in classes
        ]
    assert found == []
