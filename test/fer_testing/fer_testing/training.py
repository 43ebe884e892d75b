"""Small trainings, for the tests of `fer_train`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fer_testing.networks import LABELS, ORIENTATIONS, SPEC, synthetic
from fer_train.competition import CompetitionParameters
from fer_train.prototypes import PrototypeParameters
from fer_train.training_set import Source, TrainingSet, quantised

PROTOTYPES = PrototypeParameters(
    window=3,
    stride=3,
    components=6,
    regularisation=0.0,
    competition=CompetitionParameters(column=8),
)


def small_training_set(n_per_label: int = 30, seed: int = 0) -> TrainingSet:
    """Return synthetic faces as a training set."""
    features, truth = synthetic(n_per_label, seed)
    shares = np.eye(len(LABELS), dtype=np.float32)[truth]
    source = Source(quantised(features)[:, None], truth, shares)
    return TrainingSet((source,), LABELS, SPEC, ORIENTATIONS)


def write_picture(path: Path, seed: int = 0, side: int = 48) -> Path:
    """Write a picture of smooth noise, in a folder that is made for it."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (side, side)).astype(np.float32), (0, 0), 2)
    cv2.imwrite(str(path), cv2.normalize(noise, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8))
    return path
