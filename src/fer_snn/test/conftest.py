"""Small networks."""

from __future__ import annotations

import pytest

from fer_snn.core.model import Model
from fer_snn.core.untrained import Architecture
from fer_testing.networks import small_model
from fer_testing.ros import graph, ros_domain

__all__ = ["graph", "ros_domain"]


@pytest.fixture
def model() -> Model:
    return small_model()


@pytest.fixture
def shallow_model() -> Model:
    return small_model(Architecture(hidden=(), neurons_per_label=2, theta_spread=0.0))
