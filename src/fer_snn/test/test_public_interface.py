"""What a user of the library imports: without ROS, and no earlier than it is used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fer_common
import fer_snn

BLOCKED = (
    "ament_index_python",
    "cv2",
    "fer_interfaces",
    "rclpy",
    "std_msgs",
    "sensor_msgs",
    "yaml",
)
BLOCKER = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
"""


def run(code: str) -> None:
    """Run code in a process that finds fer_snn and fer_common, but no ROS."""
    packages = [str(Path(package.__file__).parents[1]) for package in (fer_snn, fer_common)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*packages, *sys.path])}
    subprocess.run([sys.executable, "-c", BLOCKER + code], check=True, env=environment, timeout=60)


def test_every_name_can_be_imported_without_ros() -> None:
    run("import fer_snn; fer_snn.Network; [getattr(fer_snn, name) for name in fer_snn.__all__]")
    run("from fer_snn import *; Network, load_weights")


def test_numpy_is_not_imported_before_a_name_is_used() -> None:
    run("import fer_snn; assert 'numpy' not in sys.modules; fer_snn.Model; sys.modules['numpy']")


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(fer_snn.__file__).read_text())
    block = next(part for part in tree.body if isinstance(part, ast.If))
    seen = {
        alias.asname
        for part in block.body
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
        if alias.asname
    }
    seen |= {
        name.id
        for part in block.body
        if isinstance(part, ast.Assign)
        for name in ast.walk(part.targets[0])
        if isinstance(name, ast.Name)
    }
    assert seen == set(fer_snn.__all__)
    assert set(fer_snn.__all__) <= set(dir(fer_snn))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fer_snn.nothing  # type: ignore[attr-defined]  # noqa: B018
