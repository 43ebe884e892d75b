"""Every example runs from the command line, as its first lines say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WITHOUT_ROS = f"{ROOT / 'src/fer_snn'}{os.pathsep}{ROOT / 'src/fer_common'}"


def test_a_network_without_ros_prints_spikes_and_the_answer() -> None:
    example = ROOT / "examples/network_without_ros.py"
    environment = {**os.environ, "PYTHONPATH": WITHOUT_ROS}
    done = subprocess.run(
        [sys.executable, example],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
    )
    assert done.stdout.count(" spikes, as neuron@step:") == 3
    assert "smile, confidence" in done.stdout
