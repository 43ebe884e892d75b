"""What the tests draw: faces, traces, rasters and weights with known places and colours."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from fer_testing.ros import graph, ros_domain
from fer_viz.core.scene import (
    Face,
    NetworkSummary,
    Raster,
    ReceptiveFields,
    Scene,
    SceneStatus,
    Traces,
)

__all__ = ["graph", "ros_domain"]

LABELS = ("neutral", "smile", "surprised")

SceneMaker = Callable[..., Scene]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep the tests from fighting over cores."""
    cv2.setNumThreads(1)


def face(
    id: int = 1,
    label: str = "smile",
    box: tuple[int, int, int, int] = (214, 110, 210, 210),
    labels: tuple[str, ...] = LABELS,
    confidence: float = 0.9,
) -> Face:
    scores = tuple(0.8 if name == label else 0.2 / (len(labels) - 1) for name in labels)
    return Face(
        id=id,
        box_px=box,
        label=label,
        label_index=labels.index(label) if label in labels else -1,
        confidence=confidence,
        labels=labels,
        scores=scores,
        rates_hz=tuple(50 * score for score in scores),
    )


@pytest.fixture(scope="session")
def make_face() -> Callable[..., Face]:
    """Return a function that makes a face with an answer."""
    return face


@pytest.fixture(scope="session")
def make_scene() -> SceneMaker:
    """Return a function that makes a scene in which everything is there."""

    def make(
        faces: tuple[Face, ...] | None = None,
        labels: tuple[str, ...] = LABELS,
        neurons: int | None = None,
        hint: str = "",
        seed: int = 0,
    ) -> Scene:
        generator = np.random.default_rng(seed)
        neurons = neurons or len(labels)
        shown = (face(labels=labels, label=labels[1]),) if faces is None else faces
        time_s = np.arange(-999, 1) * 1e-3
        potential_v = generator.uniform(-0.075, -0.051, (1000, neurons)).astype(np.float32)
        threshold_v = np.full(neurons, -0.05, np.float32)
        events = 20 * neurons
        return Scene(
            faces=shown,
            focus=shown[0] if shown else None,
            traces=Traces(time_s, potential_v, threshold_v, -0.07, -0.075),
            raster=Raster(
                np.sort(generator.uniform(-1, 0, events)),
                generator.integers(0, neurons, events),
                neurons,
            ),
            fields=ReceptiveFields(
                version=1,
                labels=labels,
                maps=generator.normal(size=(1, len(labels), 12, 12)).astype(np.float32),
                neuron_label=np.arange(neurons) * len(labels) // neurons,
            ),
            network=NetworkSummary("test", labels, "off"),
            status=SceneStatus(rate_hz=30.0, latency_ms=20.0, hint=hint),
        )

    return make
