"""Training: faces learnt per second, and what the default training takes with that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fer_bench import scenes
from fer_bench.context import Context
from fer_bench.measure import OWN, compared, interleaved, timed
from fer_bench.results import Measurement, Target
from fer_snn.core.network import Network
from fer_snn.core.parameters import TABLE, network_parameters, supervised_parameters
from fer_snn.core.synapses.learning import teach
from fer_train.training import TrainingParameters

PART = "training"
NUMPY = "NumPy"
_FACES = 64
_PER_MINUTE = 60e6


def measure(context: Context) -> Iterator[Measurement | Target]:
    """Measure a presentation of a face with what is learnt from it."""
    race: dict[str, Callable[[], object]] = {OWN: _learner(True), NUMPY: _learner(False)}
    contestants = {name: timed(work, context.least_s) for name, work in race.items()}
    value, peers = compared(interleaved(contestants, context.rounds))
    yield Measurement(PART, "a face shown and learnt", "us", value, peers)
    presentations = TrainingParameters().presentations
    name = f"a training of {presentations} faces shown"
    yield Measurement(PART, name, "min", value * presentations / _PER_MINUTE)


def _learner(compiled: bool) -> Callable[[], object]:
    """Return what shows a random face to the default network and teaches it."""
    values, model = TABLE.defaults(), scenes.model()
    rule, rng = supervised_parameters(values), np.random.default_rng(0)
    network = Network(model, network_parameters(values), compiled=compiled)
    n_steps = network.parameters.steps(rule.presentation)
    features = scenes.observe(scenes.clip()[0]).features
    assert features is not None
    faces = np.abs(features + rng.normal(0, 0.05, (_FACES, *features.shape))).astype(np.float32)

    def work() -> None:
        counts = network.present(faces[rng.integers(_FACES)], n_steps).counts
        teach(network, counts, int(rng.integers(len(model.labels))), rule)

    return work
