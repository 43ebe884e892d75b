"""Small trainings, for the tests of `fer_train`."""

from __future__ import annotations

from fer_testing.networks import LABELS, ORIENTATIONS, SPEC, synthetic
from fer_train.competition import CompetitionParameters
from fer_train.prototypes import PrototypeParameters
from fer_train.training import Curriculum, Source, quantised

PROTOTYPES = PrototypeParameters(
    window=3,
    stride=3,
    components=6,
    regularisation=0.0,
    competition=CompetitionParameters(column=8),
)


def small_curriculum(n_per_label: int = 30, seed: int = 0) -> Curriculum:
    """Return synthetic faces as a curriculum."""
    features, truth = synthetic(n_per_label, seed)
    source = Source(quantised(features)[:, None], truth, 1.0)
    return Curriculum((source,), LABELS, SPEC, ORIENTATIONS)
