"""Fixtures of the tests of faults."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer.bringup.environment import graph_environment
from fer_faults.graph import Up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes find the package of these tests, and find each other as under `fer up`."""
    for name, value in graph_environment(os.environ).items():
        monkeypatch.setenv(name, value)
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT / "test"), path))))


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder below /dev in which a file is a camera, see `fer_faults.camera_process`."""
    folder = Path(tempfile.mkdtemp(prefix="fer-test-", dir="/dev/shm"))
    monkeypatch.setenv("FER_FAULTS_CAMERAS", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def up(ros_domain: int, tmp_path: Path) -> Iterator[Up]:
    """`fer up`, not yet started."""
    up = Up(ros_domain, tmp_path)
    yield up
    up.close()
