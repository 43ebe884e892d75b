"""Faces that a small network can tell apart."""

from __future__ import annotations

import pytest

from fer_testing.training import small_curriculum
from fer_train.training import Curriculum


@pytest.fixture
def curriculum() -> Curriculum:
    return small_curriculum()
