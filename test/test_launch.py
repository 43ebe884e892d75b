"""`ros2 launch fer bringup.launch.py`, under launch_testing where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("launch_test") is None, reason="launch_testing is missing"),
    pytest.mark.timeout(180),
]


def test_bringup(ros_domain: int) -> None:
    file = Path(__file__).with_name("launch_test_bringup.py")
    command = ["launch_test", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_mistake_ends_ros2_launch_with_one_line(ros_domain: int, tmp_path: Path) -> None:
    command = ["ros2", "launch", "fer", "bringup.launch.py", "source:=/missing.mp4"]
    # Not in the root of the repository, where `fer` is a file and no package to `ros2 launch`.
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert result.returncode == 1
    output = result.stdout + result.stderr
    assert "source '/missing.mp4' does not exist: name a" in output
    assert "Traceback" not in output
    assert "process started" not in output
