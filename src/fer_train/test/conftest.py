"""Faces that a small network can tell apart, and a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_testing.training import small_training_set, write_picture
from fer_train.training_set import TrainingSet


@pytest.fixture
def training_set() -> TrainingSet:
    return small_training_set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of classes, with three pictures of noise in each."""
    for k in range(3):
        write_picture(tmp_path / "set" / "happy" / f"{k}.png", k)
        write_picture(tmp_path / "set" / "neutral" / f"{k}.png", 10 + k)
    return tmp_path / "set"
